using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Native;

namespace Microsoft.ML.Lacos;

/// <summary>An encoder of rows that begin with a prompt: where it can, it computes the prompt once, with the first rows, and not again.</summary>
/// <remarks>Thread-safe. Does not own the encoder.</remarks>
internal sealed class PromptedEncoder : IDisposable
{
    private readonly IBloomEncoder _encoder;
    private readonly NativeBloomEncoder? _native;
    // Two first calls at once may both compute it; one is kept. An error is not kept.
    private readonly Lazy<NativePromptHandle> _prompt;

    /// <param name="encoder">Runs the model.</param>
    /// <param name="promptIds">Token ids of the prompt by itself, none for no prompt. Rows need not begin with all of them: the last ones may have become other tokens with the text.</param>
    public PromptedEncoder(IBloomEncoder encoder, int[] promptIds)
    {
        _encoder = encoder;
        _native = promptIds.Length > 0 && encoder is NativeBloomEncoder { TakesPrompts: true } native ? native : null;
        _prompt = new Lazy<NativePromptHandle>(() => _native!.Prepare(promptIds), LazyThreadSafetyMode.PublicationOnly);
    }

    /// <inheritdoc cref="IBloomEncoder.Encode"/>
    public void Encode(ReadOnlySpan<int> tokenIds, ReadOnlySpan<int> rowOffsets, ReadOnlySpan<int> poolFrom, PoolingOptions options, Span<float> vectors)
    {
        if (_native is null)
        {
            _encoder.Encode(tokenIds, rowOffsets, poolFrom, options, vectors);
        }
        else
        {
            _native.Encode(tokenIds, rowOffsets, poolFrom, _prompt.Value, options, vectors);
        }
    }

    /// <summary>Not while it encodes.</summary>
    public void Dispose()
    {
        if (_prompt.IsValueCreated)
        {
            _prompt.Value.Dispose();
        }
    }
}
