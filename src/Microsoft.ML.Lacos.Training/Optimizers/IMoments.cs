namespace Microsoft.ML.Lacos.Training.Optimizers;

/// <summary>The two moments of one tensor's gradients.</summary>
internal interface IMoments
{
    /// <summary>Bytes they take.</summary>
    long ByteSize { get; }

    /// <summary>The memory that holds them, by the name of its part.</summary>
    IReadOnlyList<(string Part, Array Values)> Arrays { get; }

    /// <summary>Updates them and the weights.</summary>
    void Apply(in AdamStep step, Span<float> weights, ReadOnlySpan<float> gradients);
}
