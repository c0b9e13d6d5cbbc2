namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Attention with linear biases (arXiv 2108.12409): head h adds <c>slope[h] * j</c> to the score of key position j.</summary>
/// <remarks>The bias depends on the key alone; softmax does not see what is added to a whole row, so this equals a bias by distance, and padding cannot change it.</remarks>
internal static class Alibi
{
    /// <summary>The slope of every head.</summary>
    /// <param name="headCount">Attention heads.</param>
    /// <returns>
    /// For c, the largest power of two not above the head count: the powers 1..c of <c>2^(-8/c)</c>. Further heads take the odd powers 1, 3, 5, ... of <c>2^(-4/c)</c>,
    /// the slopes that lie between those. Powers of an fp32 base, as the reference (<c>build_alibi_tensor</c> of transformers).
    /// </returns>
    public static float[] Slopes(int headCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(headCount);
        int closest = 1;
        while (closest <= headCount / 2)
        {
            closest *= 2;
        }
        float main = (float)Math.Pow(2, -8.0 / closest);
        float between = (float)Math.Pow(2, -4.0 / closest);
        var slopes = new float[headCount];
        for (int head = 0; head < headCount; head++)
        {
            slopes[head] = head < closest ? MathF.Pow(main, head + 1) : MathF.Pow(between, (2 * (head - closest)) + 1);
        }
        return slopes;
    }
}
