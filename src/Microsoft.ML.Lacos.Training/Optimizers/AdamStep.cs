using System.Numerics;

namespace Microsoft.ML.Lacos.Training.Optimizers;

/// <summary>The constants of one Adam step, and the step itself on plain numbers.</summary>
/// <remarks>
/// <para><c>p *= 1 - lr * decay; m = β1 m + (1 - β1) g; v = β2 v + (1 - β2) g²; p -= lr * c2 / c1 * m / (√v + c2 ε)</c> with <c>c1 = 1 - β1^t</c> and <c>c2 = √(1 - β2^t)</c>:
/// Adam with both bias corrections, in the form of bitsandbytes (csrc/kernels.cu, kOptimizerStatic8bit2StateBlockwise). Weights decay before the step, as in PyTorch's AdamW.</para>
/// <para>fp32 throughout; each operation is rounded by itself and elements do not meet, so the result has the same bits at any vector width.
/// Where a gradient is NaN or infinite, the moments become 0 and the weight stays as it is, as in bitsandbytes.</para>
/// </remarks>
internal readonly struct AdamStep
{
    private readonly float _beta1;
    private readonly float _beta2;
    private readonly float _newShare1;
    private readonly float _newShare2;
    private readonly float _rate;
    private readonly float _epsilon;
    private readonly float _keep;

    /// <param name="options">Settings.</param>
    /// <param name="learningRate">In force now.</param>
    /// <param name="step">Number of this step, from 1.</param>
    public AdamStep(AdamOptions options, double learningRate, long step)
    {
        double correction1 = 1 - Math.Pow(options.Beta1, step);
        double correction2 = Math.Sqrt(1 - Math.Pow(options.Beta2, step));
        _beta1 = (float)options.Beta1;
        _beta2 = (float)options.Beta2;
        _newShare1 = (float)(1 - options.Beta1);
        _newShare2 = (float)(1 - options.Beta2);
        _rate = (float)(learningRate * correction2 / correction1);
        _epsilon = (float)(correction2 * options.Epsilon);
        _keep = (float)(1 - (learningRate * options.WeightDecay));
    }

    /// <summary>Updates weights and moments in place; all of one length.</summary>
    public void Apply(Span<float> weights, ReadOnlySpan<float> gradients, Span<float> first, Span<float> second)
    {
        int i = 0;
        for (; i <= weights.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var g = new Vector<float>(gradients[i..]);
            Vector<float> p = new(weights[i..]);
            Vector<float> m = (new Vector<float>(first[i..]) * _beta1) + (g * _newShare1);
            Vector<float> v = (new Vector<float>(second[i..]) * _beta2) + (g * g * _newShare2);
            Vector<float> moved = (p * _keep) - (m / (Vector.SquareRoot(v) + new Vector<float>(_epsilon)) * _rate);
            // Zero times a number is zero unless the number is NaN or infinite.
            Vector<int> finite = Vector.Equals(g * Vector<float>.Zero, Vector<float>.Zero);
            Vector.ConditionalSelect(finite, m, Vector<float>.Zero).CopyTo(first[i..]);
            Vector.ConditionalSelect(finite, v, Vector<float>.Zero).CopyTo(second[i..]);
            Vector.ConditionalSelect(finite, moved, p).CopyTo(weights[i..]);
        }
        for (; i < weights.Length; i++)
        {
            float g = gradients[i];
            if (!float.IsFinite(g))
            {
                (first[i], second[i]) = (0, 0);
                continue;
            }
            first[i] = (first[i] * _beta1) + (g * _newShare1);
            second[i] = (second[i] * _beta2) + (g * g * _newShare2);
            weights[i] = (weights[i] * _keep) - (first[i] / (MathF.Sqrt(second[i]) + _epsilon) * _rate);
        }
    }
}
