using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.Lacos.Bloom;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>The options of a transformer as a saved model holds them: JSON, with everything that its vectors and columns depend on.</summary>
/// <remarks>Not saved: what names files (the model itself is saved), the thread count and the cancellation token, which belong to a machine and a run.</remarks>
internal sealed record SavedOptions
{
    private const int CurrentVersion = 1;
    private const int MostBytes = 1 << 20;

    public required int Version { get; init; }

    /// <summary>sha256 of the model saved beside, so that a model file swapped or damaged is noticed.</summary>
    public required string Fingerprint { get; init; }

    public required SavedColumn[] Columns { get; init; }

    public int? Pooling { get; init; }

    public required bool Normalize { get; init; }

    public string? Prompt { get; init; }

    public required int Dimension { get; init; }

    public required int Precision { get; init; }

    public required int MaximumTokenCount { get; init; }

    public required int LongText { get; init; }

    public string? ScoreColumnName { get; init; }

    public required int BatchTokens { get; init; }

    public required int LookAheadRows { get; init; }

    public required long CacheBytes { get; init; }

    public required int Compute { get; init; }

    public required float OutlierThreshold { get; init; }

    /// <summary>Writes options.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="options">The options.</param>
    /// <param name="prompt">The prompt as a text, where the options name one; <see langword="null"/> for the model's default.</param>
    /// <param name="fingerprint">sha256 of the model saved beside.</param>
    public static void Write(Stream stream, SentenceEmbeddingEstimator.Options options, string? prompt, string fingerprint)
    {
        var saved = new SavedOptions
        {
            Version = CurrentVersion,
            Fingerprint = fingerprint,
            Columns = [.. options.Columns.Select(column => new SavedColumn { Output = column.OutputColumnName, Input = column.InputColumnName, TokenCount = column.TokenCountColumnName })],
            Pooling = (int?)options.Pooling,
            Normalize = options.Normalize,
            Prompt = prompt,
            Dimension = options.Dimension,
            Precision = (int)options.Precision,
            MaximumTokenCount = options.MaximumTokenCount,
            LongText = (int)options.LongText,
            ScoreColumnName = options.ScoreColumnName,
            BatchTokens = options.BatchTokens,
            LookAheadRows = options.LookAheadRows,
            CacheBytes = options.CacheBytes,
            Compute = (int)options.Compute,
            OutlierThreshold = options.OutlierThreshold,
        };
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(saved, SavedOptionsJson.Default.SavedOptions);
        if (json.Length > MostBytes)
        {
            throw new InvalidOperationException($"The options take {json.Length} bytes, more than the {MostBytes} that a saved model may have. Shorten the prompt ({prompt?.Length ?? 0} characters) or the column names.");
        }
        stream.Write(json);
    }

    public static (SentenceEmbeddingEstimator.Options Options, string Fingerprint) Read(Stream stream)
    {
        long length = stream.Length - stream.Position;
        if (length > MostBytes)
        {
            throw new InvalidDataException($"The saved options have {length} bytes, more than the {MostBytes} that make sense. The file is damaged or was changed; save the model again.");
        }
        var json = new byte[length];
        stream.ReadExactly(json);
        try
        {
            SavedOptions saved = JsonSerializer.Deserialize(json, SavedOptionsJson.Default.SavedOptions) ?? throw new JsonException("null");
            if (saved.Version != CurrentVersion)
            {
                throw new InvalidDataException($"The saved options are of version {saved.Version}; this package reads version {CurrentVersion}. Update Microsoft.ML.Lacos.");
            }
            return (OptionsValidation.Checked(saved.ToOptions()), saved.Fingerprint);
        }
        catch (Exception error) when (error is JsonException or ArgumentException)
        {
            throw new InvalidDataException($"The saved options cannot be used: {error.Message} The file is damaged or was changed; save the model again.", error);
        }
    }

    private SentenceEmbeddingEstimator.Options ToOptions() => new()
    {
        Columns = [.. (Columns ?? []).Select(column => column is null
            ? throw new ArgumentException("A column is null.")
            : new SentenceEmbeddingEstimator.ColumnOptions(column.Output, column.Input, column.TokenCount))],
        Pooling = (PoolingModes?)Pooling,
        Normalize = Normalize,
        Prompt = Prompt,
        Dimension = Dimension,
        Precision = (EmbeddingPrecision)Precision,
        MaximumTokenCount = MaximumTokenCount,
        LongText = (LongText)LongText,
        ScoreColumnName = ScoreColumnName,
        BatchTokens = BatchTokens,
        LookAheadRows = LookAheadRows,
        CacheBytes = CacheBytes,
        Compute = (BloomCompute)Compute,
        OutlierThreshold = OutlierThreshold,
    };
}

/// <summary>One column of <see cref="SavedOptions"/>.</summary>
internal sealed record SavedColumn
{
    public required string Output { get; init; }

    public required string Input { get; init; }

    public string? TokenCount { get; init; }
}

/// <summary>Compiled serialiser, so that trimmed applications can load models.</summary>
[JsonSourceGenerationOptions(UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, MaxDepth = 8)]
[JsonSerializable(typeof(SavedOptions))]
internal sealed partial class SavedOptionsJson : JsonSerializerContext;
