using Microsoft.ML.Lacos.Bloom;
using TorchSharp;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Lacos.Training.Bloom;

/// <summary>Makes one vector of each sentence's token vectors, on torch tensors; the same modes as <see cref="Pooling"/>.</summary>
internal static class TrainablePooling
{
    private const double SmallestNorm = 1e-12;

    /// <summary>Pools each row.</summary>
    /// <param name="tokens">[tokens, hidden] after the final layer norm.</param>
    /// <param name="rows">The batch.</param>
    /// <param name="options">Modes, dimension, normalisation.</param>
    /// <returns>[rows, dimension]; zeros for a row with nothing to pool.</returns>
    public static torch.Tensor Forward(torch.Tensor tokens, TokenRows rows, PoolingOptions options)
    {
        int hidden = (int)tokens.shape[1];
        int dimension = Pooling.Dimension(hidden, options);
        var parts = new List<torch.Tensor>();
        for (int bit = 0; bit < 32; bit++)
        {
            var mode = (PoolingModes)(1 << bit);
            if ((options.Pooling & mode) != 0)
            {
                parts.Add(mode == PoolingModes.Max ? Max(tokens, rows) : Weighted(tokens, rows, mode));
            }
        }
        torch.Tensor pooled = parts.Count == 1 ? parts[0] : torch.cat(parts, 1);
        pooled = dimension < pooled.shape[1] ? pooled.narrow(1, 0, dimension) : pooled;
        return options.Normalize ? functional.normalize(pooled, p: 2, dim: 1, eps: SmallestNorm) : pooled;
    }

    // All modes but the maximum are one small matrix of weights [rows, tokens] times the tokens.
    private static torch.Tensor Weighted(torch.Tensor tokens, TokenRows rows, PoolingModes mode)
    {
        int count = rows.Ids.Length;
        var weights = new float[checked(rows.Count * count)];
        for (int row = 0; row < rows.Count; row++)
        {
            int from = rows.PoolFrom[row];
            int length = rows.Length(row);
            Span<float> own = weights.AsSpan((row * count) + rows.Offsets[row], length);
            if (from >= length)
            {
                continue;
            }
            switch (mode)
            {
                case PoolingModes.FirstToken:
                    own[from] = 1;
                    break;
                case PoolingModes.LastToken:
                    own[length - 1] = 1;
                    break;
                case PoolingModes.WeightedMean:
                    float total = (float)((length - from) * (from + 1.0 + length) / 2);
                    for (int position = from; position < length; position++)
                    {
                        own[position] = (position + 1) / total;
                    }
                    break;
                default:
                    own[from..].Fill(mode == PoolingModes.Mean ? 1f / (length - from) : (float)(1 / Math.Sqrt(length - from)));
                    break;
            }
        }
        using torch.Tensor matrix = DeviceTensors.Of(weights, [rows.Count, count], tokens.device);
        return matrix.matmul(tokens);
    }

    private static torch.Tensor Max(torch.Tensor tokens, TokenRows rows)
    {
        var vectors = new List<torch.Tensor>();
        for (int row = 0; row < rows.Count; row++)
        {
            int from = rows.PoolFrom[row];
            vectors.Add(from >= rows.Length(row)
                ? torch.zeros(tokens.shape[1], dtype: tokens.dtype, device: tokens.device)
                : tokens.narrow(0, rows.Offsets[row] + from, rows.Length(row) - from).amax([0]));
        }
        return torch.stack(vectors, 0);
    }
}
