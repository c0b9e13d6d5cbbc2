using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>One opened model and its memory of vectors, in use by any number of transformers, views and generators; disposed with the last.</summary>
internal sealed class SharedModel
{
    private readonly UseCount _leases;

    private SharedModel(EmbeddingModel model, long cacheBytes)
    {
        Model = model;
        _leases = new UseCount(Dispose);
        var memory = new VectorMemory(cacheBytes);
        Vectors = new TextVectors(model.Encoder, memory);
        Prompts = new PromptPool(model, memory);
    }

    public EmbeddingModel Model { get; }

    /// <summary>Vectors of texts behind the prompt that the options give for all columns.</summary>
    public TextVectors Vectors { get; }

    /// <summary>Vectors of texts behind the prompts of single columns.</summary>
    public PromptPool Prompts { get; }

    /// <summary>Set by the first message about long texts, so that there is one.</summary>
    public int LongTextsReported;

    /// <summary>Takes ownership of a model and gives the first lease.</summary>
    public static ModelLease Start(EmbeddingModel model, long cacheBytes) => new(new SharedModel(model, cacheBytes));

    /// <summary>Gives another lease, or <see langword="null"/> where the model has been disposed.</summary>
    public ModelLease? TryLease() => _leases.TryEnter() ? new ModelLease(this) : null;

    // From a finalizer everything below is unreachable too, and its own safe handles free it.
    public void Release(bool disposing) => _leases.Leave(mayRelease: disposing);

    private void Dispose()
    {
        Prompts.Dispose();
        Model.Dispose();
    }
}

/// <summary>One holder's share in a <see cref="SharedModel"/>. Views have no Dispose of their own: their lease ends when they are collected.</summary>
internal sealed class ModelLease(SharedModel shared) : IDisposable
{
    private readonly List<string> _prompts = [];
    private int _released;

    ~ModelLease()
    {
        _prompts.ForEach(Shared.Prompts.Leave);
        Shared.Release(disposing: false);
    }

    public SharedModel Shared { get; } = shared;

    public bool IsReleased => Volatile.Read(ref _released) != 0;

    /// <summary>Vectors of a column's texts, behind its own prompt where it has one, for as long as the lease is held. For the one thread that prepares the holder.</summary>
    /// <exception cref="ArgumentException">The model has no prompt of that name, or the prompt leaves no token for a text.</exception>
    public TextVectors VectorsOf(SentenceEmbeddingEstimator.ColumnOptions column)
    {
        if (column.Prompt is null && column.PromptName is null)
        {
            return Shared.Vectors;
        }
        string prompt = Shared.Model.PromptText(column.Prompt, column.PromptName);
        if (Shared.Model.Has(prompt))
        {
            return Shared.Vectors;
        }
        TextVectors vectors = Shared.Prompts.Enter(prompt);
        _prompts.Add(prompt);
        return vectors;
    }

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
            _prompts.ForEach(Shared.Prompts.Leave);
            Shared.Release(disposing: true);
        }
    }
}
