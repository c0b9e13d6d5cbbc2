using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>The options of a transformer as a saved model holds them: JSON, with everything that its vectors and columns depend on.</summary>
/// <remarks>Not saved: what names files (the model itself is saved), the thread count and the cancellation token, which belong to a machine and a run.</remarks>
internal sealed record SavedOptions
{
    private const int FirstVersion = 1;

    // Of models in which a column has a prompt of its own: a package that does not know of these must refuse them.
    private const int PromptsVersion = 2;
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
    /// <param name="promptText">Gives the text of a prompt that is a text or a name; <see langword="null"/> for neither.</param>
    /// <param name="fingerprint">sha256 of the model saved beside.</param>
    public static void Write(Stream stream, SentenceEmbeddingEstimator.Options options, Func<string?, string?, string?> promptText, string fingerprint)
    {
        var saved = new SavedOptions
        {
            Version = options.Columns.Any(column => (column.Prompt ?? column.PromptName) is not null) ? PromptsVersion : FirstVersion,
            Fingerprint = fingerprint,
            Columns = [.. options.Columns.Select(column => new SavedColumn { Output = column.OutputColumnName, Input = column.InputColumnName, TokenCount = column.TokenCountColumnName, Prompt = promptText(column.Prompt, column.PromptName) })],
            Pooling = (int?)options.Pooling,
            Normalize = options.Normalize,
            Prompt = promptText(options.Prompt, options.PromptName),
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
            throw new InvalidOperationException($"The options take {json.Length} bytes, more than the {MostBytes} that a saved model may have. Shorten the prompts ({(saved.Prompt?.Length ?? 0) + saved.Columns.Sum(column => column.Prompt?.Length ?? 0)} characters) or the column names.");
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
            if (saved.Version is < FirstVersion or > PromptsVersion)
            {
                throw new InvalidDataException($"The saved options are of version {saved.Version}; this package reads versions {FirstVersion} to {PromptsVersion}. Update Microsoft.ML.Lacos.");
            }
            return (OptionsValidation.Checked(saved.ToOptions()), saved.Fingerprint);
        }
        catch (Exception error) when (error is JsonException or ArgumentException)
        {
            throw new InvalidDataException($"The saved options cannot be used: {TextInMessage.Of(error.Message, 300)} The file is damaged or was changed; save the model again.", error);
        }
    }

    private SentenceEmbeddingEstimator.Options ToOptions() => new()
    {
        Columns = [.. (Columns ?? []).Select(column => column is null
            ? throw new ArgumentException("A column is null.")
            : new SentenceEmbeddingEstimator.ColumnOptions(column.Output, column.Input, column.TokenCount, column.Prompt))],
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

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Prompt { get; init; }
}

/// <summary>Compiled serialiser, so that trimmed applications can load models.</summary>
[JsonSourceGenerationOptions(UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, MaxDepth = 8)]
[JsonSerializable(typeof(SavedOptions))]
internal sealed partial class SavedOptionsJson : JsonSerializerContext;
