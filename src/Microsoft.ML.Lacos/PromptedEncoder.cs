using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Native;

namespace Microsoft.ML.Lacos;

/// <summary>An encoder of rows that begin with a prompt: where it can, it computes the prompt once, with the first rows, and not again.</summary>
/// <remarks>Thread-safe. Does not own the encoder.</remarks>
internal sealed class PromptedEncoder : IDisposable
{
    private readonly IBloomEncoder _encoder;
    private readonly NativeBloomEncoder? _native;
    private readonly Func<NativePromptHandle>? _prepare;
    private object? _preparing;
    private NativePromptHandle? _prompt;

    /// <param name="encoder">Runs the model.</param>
    /// <param name="promptIds">Token ids of the prompt by itself, none for no prompt. Rows need not begin with all of them: the last ones may have become other tokens with the text.</param>
    public PromptedEncoder(IBloomEncoder encoder, int[] promptIds)
    {
        _encoder = encoder;
        if (promptIds.Length > 0 && encoder is NativeBloomEncoder { TakesPrompts: true } native)
        {
            _native = native;
            _prepare = () => native.Prepare(promptIds);
        }
    }

    /// <param name="encoder">Runs the model.</param>
    /// <param name="prepare">Computes the prompt.</param>
    internal PromptedEncoder(NativeBloomEncoder encoder, Func<NativePromptHandle> prepare) => (_encoder, _native, _prepare) = (encoder, encoder, prepare);

    /// <inheritdoc cref="IBloomEncoder.Encode"/>
    public void Encode(ReadOnlySpan<int> tokenIds, ReadOnlySpan<int> rowOffsets, ReadOnlySpan<int> poolFrom, PoolingOptions options, Span<float> vectors)
    {
        if (_native is null)
        {
            _encoder.Encode(tokenIds, rowOffsets, poolFrom, options, vectors);
        }
        else
        {
            _native.Encode(tokenIds, rowOffsets, poolFrom, Prompt(), options, vectors);
        }
    }

    /// <summary>Not while it encodes.</summary>
    public void Dispose() => _prompt?.Dispose();

    // Of first calls at once one computes it and the others wait: each copy would take as long, and as much memory. An error is not kept.
    private NativePromptHandle Prompt() => LazyInitializer.EnsureInitialized(ref _prompt, ref _preparing, _prepare!);
}
