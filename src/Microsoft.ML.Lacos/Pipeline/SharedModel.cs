using Microsoft.ML.Lacos.Hub;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>One opened model and its memory of vectors, in use by any number of transformers, views and generators; disposed with the last.</summary>
internal sealed class SharedModel
{
    private readonly UseCount _leases;

    private SharedModel(EmbeddingModel model, long cacheBytes)
    {
        Model = model;
        _leases = new UseCount(model.Dispose);
        Vectors = new TextVectors(model.Encoder, new VectorMemory(cacheBytes));
    }

    public EmbeddingModel Model { get; }

    public TextVectors Vectors { get; }

    /// <summary>Set by the first message about long texts, so that there is one.</summary>
    public int LongTextsReported;

    /// <summary>Takes ownership of a model and gives the first lease.</summary>
    public static ModelLease Start(EmbeddingModel model, long cacheBytes) => new(new SharedModel(model, cacheBytes));

    /// <summary>Gives another lease, or <see langword="null"/> where the model has been disposed.</summary>
    public ModelLease? TryLease() => _leases.TryEnter() ? new ModelLease(this) : null;

    // From a finalizer everything below is unreachable too, and its own safe handles free it.
    public void Release(bool disposing) => _leases.Leave(mayRelease: disposing);
}

/// <summary>One holder's share in a <see cref="SharedModel"/>. Views have no Dispose of their own: their lease ends when they are collected.</summary>
internal sealed class ModelLease(SharedModel shared) : IDisposable
{
    private int _released;

    ~ModelLease() => Shared.Release(disposing: false);

    public SharedModel Shared { get; } = shared;

    public bool IsReleased => Volatile.Read(ref _released) != 0;

    /// <summary>A lease for another holder.</summary>
    public ModelLease Another(object holder)
    {
        ObjectDisposedException.ThrowIf(IsReleased, holder);
        ModelLease? lease = Shared.TryLease();
        ObjectDisposedException.ThrowIf(lease is null, holder);
        return lease;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _released, 1) == 0)
        {
            GC.SuppressFinalize(this);
            Shared.Release(disposing: true);
        }
    }
}
