using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Holds the memory of all matrices of a model for an encoder: until the encoder is disposed and its last call has ended.</summary>
internal sealed class HeldWeights : IDisposable
{
    private readonly HashSet<IHeldMemory> _memory = new(ReferenceEqualityComparer.Instance);
    private readonly UseCount _calls;

    /// <summary>Begins to hold.</summary>
    /// <exception cref="ObjectDisposedException">Memory of a matrix has been given back.</exception>
    public HeldWeights(BloomWeights weights)
    {
        _calls = new UseCount(Release);
        try
        {
            Hold(weights.WordEmbeddings);
            foreach (LinearWeights linear in weights.Blocks.SelectMany(block => block.Linears))
            {
                Hold(linear.Weight);
            }
        }
        catch
        {
            Release();
            throw;
        }
    }

    /// <summary>Begins a call of the encoder, which ends with <see cref="EndCall"/>.</summary>
    /// <exception cref="ObjectDisposedException">The encoder has been disposed.</exception>
    public void BeginCall(IBloomEncoder encoder) => _calls.Enter(encoder);

    /// <summary>Ends a call.</summary>
    public void EndCall() => _calls.Leave();

    /// <inheritdoc/>
    public void Dispose() => _calls.Close();

    private void Hold(WeightMatrix matrix)
    {
        if (matrix.Owner is IHeldMemory memory && !_memory.Contains(memory))
        {
            matrix.Hold();
            _memory.Add(memory);
        }
    }

    private void Release()
    {
        foreach (IHeldMemory memory in _memory)
        {
            memory.EndHold();
        }
    }
}
