namespace Microsoft.ML.Lacos.Training.Optimizers;

/// <summary>Moments in fp32: 8 bytes for each weight.</summary>
internal sealed class SinglePrecisionMoments(int count) : IMoments
{
    private readonly float[] _first = new float[count];
    private readonly float[] _second = new float[count];

    public long ByteSize => 2L * sizeof(float) * _first.Length;

    public IReadOnlyList<(string Part, Array Values)> Arrays => [("moment1", _first), ("moment2", _second)];

    public void Apply(in AdamStep step, Span<float> weights, ReadOnlySpan<float> gradients) => step.Apply(weights, gradients, _first, _second);
}
