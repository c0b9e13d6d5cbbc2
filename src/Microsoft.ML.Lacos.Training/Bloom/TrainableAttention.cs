using Microsoft.ML.Lacos.Bloom;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Bloom;

/// <summary>BLOOM's causal attention with linear biases, on torch tensors, for one batch.</summary>
/// <remarks>
/// Rows stand at the left of the grid, and a token looks at itself and those before it only: no token ever sees a place beyond its row's end, and what is computed there is thrown away.
/// </remarks>
internal sealed class TrainableAttention : IDisposable
{
    private readonly BloomConfig _config;
    private readonly TokenRows _rows;
    private readonly torch.Tensor _bias;
    private readonly torch.Tensor? _gridToToken;
    private readonly torch.Tensor? _tokenToGrid;

    public TrainableAttention(BloomConfig config, TokenRows rows, torch.Device device)
    {
        _config = config;
        _rows = rows;
        int length = rows.Longest;
        _bias = DeviceTensors.Of(Bias(Alibi.Slopes(config.HeadCount), length), [config.HeadCount, length, length], device);
        if (!rows.IsGrid)
        {
            _gridToToken = torch.tensor(rows.GridToToken(), device: device);
            _tokenToGrid = torch.tensor(rows.TokenToGrid(), device: device);
        }
    }

    /// <summary>Mixes the tokens of each row.</summary>
    /// <param name="queryKeyValue">[tokens, 3 * hidden], by head as (query, key, value).</param>
    /// <returns>[tokens, hidden].</returns>
    public torch.Tensor Forward(torch.Tensor queryKeyValue)
    {
        torch.Tensor grid = _gridToToken is null ? queryKeyValue : queryKeyValue.index_select(0, _gridToToken);
        torch.Tensor heads = grid.view(_rows.Count, _rows.Longest, _config.HeadCount, 3, _config.HeadSize).permute(3, 0, 2, 1, 4);
        torch.Tensor scores = heads[0].matmul(heads[1].transpose(2, 3)).Times(1 / MathF.Sqrt(_config.HeadSize));
        torch.Tensor context = scores.Plus(_bias).softmax(3).matmul(heads[2]);
        torch.Tensor tokens = context.permute(0, 2, 1, 3).reshape(-1, _config.HiddenSize);
        return _tokenToGrid is null ? tokens : tokens.index_select(0, _tokenToGrid);
    }

    public void Dispose()
    {
        _bias.Dispose();
        _gridToToken?.Dispose();
        _tokenToGrid?.Dispose();
    }

    // [head, query, key]: the slope times the key's position, and minus infinity for keys after the query.
    private static float[] Bias(float[] slopes, int length)
    {
        var bias = new float[checked(slopes.Length * length * length)];
        int i = 0;
        foreach (float slope in slopes)
        {
            for (int query = 0; query < length; query++)
            {
                for (int key = 0; key < length; key++, i++)
                {
                    bias[i] = key <= query ? slope * key : float.NegativeInfinity;
                }
            }
        }
        return bias;
    }
}
