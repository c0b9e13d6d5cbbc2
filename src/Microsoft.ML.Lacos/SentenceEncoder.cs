using Microsoft.Extensions.AI;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Pipeline;
using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos;

/// <summary>Turns texts into vectors without ML.NET: tokenizer, BLOOM, pooling.</summary>
/// <remarks>
/// Thread-safe. A text's vector is the same bits alone, in any batch, in any order and at any thread count.
/// Texts of one call that begin with the same tokens are computed once as far as these go, and so is the prompt, for all calls: BLOOM is causal, so a token's states depend on nothing after it.
/// Disposing lets calls that are running end; the last of them releases the model.
/// A text without tokens (missing or empty, no prompt) gives a zero vector; white space has tokens and is encoded.
/// </remarks>
/// <example><code>
/// using LacosModel model = LacosModel.LoadDefault();
/// using SentenceEncoder encoder = SentenceEncoder.Create(model);
/// float[] vector = encoder.Encode("Un homme joue de la guitare.");
/// </code></example>
public sealed partial class SentenceEncoder : ITextEncoder
{
    private const int LeastBatchTokens = 4096;

    /// <summary>With fewer, the parts of a batch seldom end at the same time on many threads.</summary>
    private const int BatchTokensAThread = 512;

    private readonly BloomTokenizer _tokenizer;
    private readonly IBloomEncoder _encoder;
    private readonly PromptedEncoder _prompted;
    private readonly PoolingOptions _pooling;
    private readonly string _prompt;
    private readonly int[] _promptIds;
    private readonly int _poolFrom;
    private readonly int _batchTokens;
    private readonly UseCount _uses;

    private SentenceEncoder(LacosModel model, SentenceEncoderOptions options, BloomTokenizer tokenizer, IBloomEncoder encoder, IDisposable weights)
    {
        Model = model;
        Options = options;
        _tokenizer = tokenizer;
        _encoder = encoder;
        PoolingModes pooling = options.Pooling ?? model.Settings.Pooling;
        int fullDimension = Bloom.Pooling.FullDimension(encoder.Config.HiddenSize, pooling);
        if (options.Dimension > fullDimension)
        {
            throw new ArgumentOutOfRangeException(nameof(options.Dimension), options.Dimension, $"Dimension is {options.Dimension}; it must be at most {fullDimension}, the length of this model's {pooling} vector.");
        }
        Dimension = options.Dimension == 0 ? fullDimension : options.Dimension;
        IsNormalized = options.Normalize ?? model.Settings.Normalize;
        MaximumTokenCount = options.MaximumTokenCount == 0 ? model.Settings.MaximumTokenCount : options.MaximumTokenCount;
        _batchTokens = options.BatchTokens == 0 ? Math.Max(LeastBatchTokens, BatchTokensAThread * EncoderThreads.Resolve(options.ThreadCount)) : options.BatchTokens;
        _pooling = new PoolingOptions(pooling, Dimension, IsNormalized);
        (_prompt, _promptIds, _poolFrom) = AppliedPrompt.Of(model.Settings, tokenizer, options.Prompt, options.PromptName, options.MaximumTokenCount);
        _prompted = new PromptedEncoder(encoder, _promptIds);
        _uses = new UseCount(() =>
        {
            _prompted.Dispose();
            encoder.Dispose();
            weights.Dispose();
        });
    }

    private SentenceEncoder(SentenceEncoder other, SentenceEncoderOptions options)
    {
        (Model, Options, _tokenizer, _encoder, _pooling, _batchTokens) = (other.Model, options, other._tokenizer, other._encoder, other._pooling, other._batchTokens);
        (Dimension, IsNormalized, MaximumTokenCount) = (other.Dimension, other.IsNormalized, other.MaximumTokenCount);
        (_prompt, _promptIds, _poolFrom) = AppliedPrompt.Of(Model.Settings, _tokenizer, options.Prompt, options.PromptName, options.MaximumTokenCount);
        _prompted = new PromptedEncoder(_encoder, _promptIds);
        other.BeginUse();
        _uses = new UseCount(() =>
        {
            _prompted.Dispose();
            other.EndUse();
        });
    }

    /// <summary>The model.</summary>
    public LacosModel Model { get; }

    /// <summary>The options given.</summary>
    public SentenceEncoderOptions Options { get; }

    /// <summary>Elements of a vector.</summary>
    public int Dimension { get; }

    /// <summary>Whether every vector has norm 1 (0 for a text without tokens).</summary>
    public bool IsNormalized { get; }

    /// <summary>Tokens a text may have, prompt included.</summary>
    public int MaximumTokenCount { get; }

    /// <summary>Text put before every sentence; empty for none.</summary>
    public string Prompt => _prompt;

    /// <summary>Pooling in force.</summary>
    public PoolingModes Pooling => _pooling.Pooling;

    /// <summary>What runs the model: for example <c>native avx512vnni, 2 threads</c>.</summary>
    public string Description => _encoder.Description;

    /// <summary>Prepares a model for encoding.</summary>
    /// <param name="model">The model; its weights stay in memory until both it and the encoder are disposed.</param>
    /// <param name="options">Options; <see langword="null"/> for the model's own settings.</param>
    /// <exception cref="ArgumentException">An option does not fit the model (the message names it and its value), or <c>LACOS_FORCE_ISA</c> names no kernels.</exception>
    /// <exception cref="InvalidDataException">The tokenizer cannot be used, or the model's own prompt leaves no room within its own token limit.</exception>
    /// <exception cref="NotSupportedException">The tokenizer has parts this library does not know.</exception>
    /// <exception cref="PlatformNotSupportedException"><c>LACOS_FORCE_ISA</c> names kernels that cannot run here.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public static SentenceEncoder Create(LacosModel model, SentenceEncoderOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        options ??= new SentenceEncoderOptions();
        options.Validate();

        // Before the weights are read: the model may be disposed meanwhile.
        IDisposable lease = model.Lease();
        IBloomEncoder? encoder = null;
        try
        {
            BloomTokenizer tokenizer = BloomTokenizer.FromJson(model.TokenizerJson.Span);
            encoder = BloomEncoders.Create(model.LeasedWeights, options.Compute, options.OutlierThreshold, options.ThreadCount);
            return new SentenceEncoder(model, options, tokenizer, encoder, lease);
        }
        catch
        {
            encoder?.Dispose();
            lease.Dispose();
            throw;
        }
    }

    /// <summary>Encodes one text.</summary>
    /// <param name="text">The text.</param>
    /// <returns>A vector of <see cref="Dimension"/> elements.</returns>
    /// <exception cref="ArgumentException">The text has more than <see cref="MaximumTokenCount"/> tokens and the options say <see cref="LongText.Throw"/>.</exception>
    /// <exception cref="InvalidDataException">The vector holds NaN or infinity: the model's weights are damaged, or too large for the arithmetic.</exception>
    /// <exception cref="ObjectDisposedException">The encoder has been disposed.</exception>
    public float[] Encode(string? text)
    {
        var vector = new float[Dimension];
        Encode([text], vector, [], CancellationToken.None);
        return vector;
    }

    /// <summary>Gives an encoder that puts another prompt before every sentence, over the same weights: one for queries and one for documents, say, in the memory of one.</summary>
    /// <remarks>Each is disposed for itself; the weights are released with the last.</remarks>
    /// <param name="prompt">The text; <see langword="null"/> for the model's default prompt, empty for none.</param>
    /// <param name="promptName">Name of one of the model's prompts (<see cref="SentenceSettings.Prompts"/>), in place of <paramref name="prompt"/>.</param>
    /// <exception cref="ArgumentException">Both are given, there is no prompt of that name, or the prompt leaves no token for a text.</exception>
    /// <exception cref="ObjectDisposedException">The encoder has been disposed.</exception>
    public SentenceEncoder WithPrompt(string? prompt, string? promptName = null)
    {
        SentenceEncoderOptions options = Options with { Prompt = prompt, PromptName = promptName };
        options.Validate();
        return new SentenceEncoder(this, options);
    }

    /// <summary>Gives the encoder as .NET's own abstraction, for dependency injection, vector stores and caching.</summary>
    /// <remarks>
    /// As the generator of <see cref="SentenceEmbeddingTransformer.AsEmbeddingGenerator"/>, without ML.NET and without a memory of vectors.
    /// The generator keeps the model open until it is disposed itself, also where this encoder is disposed before; it does not dispose the encoder.
    /// </remarks>
    /// <exception cref="ObjectDisposedException">The encoder has been disposed.</exception>
    public IEmbeddingGenerator<string, Embedding<float>> AsEmbeddingGenerator() => new EmbeddingGenerator(new EncoderGeneratorModel(this));

    /// <inheritdoc/>
    public void Dispose() => _uses.Close();
}
