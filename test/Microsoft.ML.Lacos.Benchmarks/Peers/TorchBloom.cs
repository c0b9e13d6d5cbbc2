using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Lacos.Benchmarks.Peers;

/// <summary>The same BLOOM in TorchSharp, fp32 or bf16, the way a .NET user would write it: padded batches, fused attention, mean pooling.</summary>
internal sealed class TorchBloom : IDisposable
{
    private readonly BloomConfig _config;
    private readonly ScalarType _type;
    private readonly List<Tensor> _parameters = [];
    private readonly Tensor _embeddings;
    private readonly Norm _embeddingNorm;
    private readonly Norm _finalNorm;
    private readonly List<Block> _blocks;
    private readonly Tensor _slopes;

    public TorchBloom(BloomWeights weights, ScalarType type, int threads)
    {
        set_num_threads(threads);
        _config = weights.Config;
        _type = type;
        _embeddings = Matrix(weights.WordEmbeddings);
        _embeddingNorm = LayerNorm(weights.WordEmbeddingsLayerNorm);
        _finalNorm = LayerNorm(weights.FinalLayerNorm);
        _slopes = Keep(tensor(Alibi.Slopes(_config.HeadCount)).view(1, -1, 1, 1));
        _blocks = [.. weights.Blocks.Select(block => new Block(
            LayerNorm(block.InputLayerNorm), Layer(block.QueryKeyValue), Layer(block.Dense),
            LayerNorm(block.PostAttentionLayerNorm), Layer(block.DenseHTo4H), Layer(block.Dense4HToH)))];
    }

    /// <summary>Whether products in bf16 keep up with fp32; on CPUs without instructions for it they take many times as long.</summary>
    public static bool HasFastBfloat16()
    {
        double[] medians = Interleaved.Medians([.. new[] { float32, bfloat16 }.Select(Product)], seconds: 0, leastTurns: 3);
        return medians[1] < 3 * medians[0];

        static Action<int> Product(ScalarType type) => _ =>
        {
            using DisposeScope scope = NewDisposeScope();
            matmul(ones(64, 1024, dtype: type), ones(1024, 1024, dtype: type));
        };
    }

    /// <summary>Encodes a right-padded batch; with causal attention the padding after a sentence cannot reach its tokens.</summary>
    public float[] Encode(long[] ids, float[] mask, int rows, int length)
    {
        using IDisposable inference = inference_mode();
        using DisposeScope scope = NewDisposeScope();
        Tensor x = Normalize(_embeddings.index_select(0, tensor(ids)).view(rows, length, _config.HiddenSize), _embeddingNorm);
        Tensor positions = arange(length, dtype: float32);
        Tensor future = full(length, length, float.NegativeInfinity).triu(1);
        Tensor bias = ((_slopes * positions.view(1, 1, 1, -1)) + future.view(1, 1, length, length)).to(_type);
        foreach (Block block in _blocks)
        {
            Tensor normalized = Normalize(x, block.InputNorm);
            Tensor qkv = Apply(normalized, block.QueryKeyValue).view(rows, length, _config.HeadCount, 3, _config.HeadSize).permute(3, 0, 2, 1, 4);
            Tensor attention = nn.functional.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], bias);
            attention = attention.transpose(1, 2).reshape(rows, length, _config.HiddenSize);
            x = (_config.ResidualPostLayerNorm ? normalized : x) + Apply(attention, block.Dense);
            normalized = Normalize(x, block.PostNorm);
            Tensor inner = Gelu(Apply(normalized, block.Up));
            x = (_config.ResidualPostLayerNorm ? normalized : x) + Apply(inner, block.Down);
        }
        x = Normalize(x, _finalNorm).to(float32);
        Tensor real = tensor(mask).view(rows, length, 1);
        return (x * real).sum(1).div(real.sum(1)).data<float>().ToArray();
    }

    public void Dispose() => _parameters.ForEach(parameter => parameter.Dispose());

    // libtorch's erf GELU is the faster one: the peer gets the benefit of the doubt, its values differ by less than 1e-3.
    private static Tensor Gelu(Tensor x) => nn.functional.gelu(x);

    private static Tensor Apply(Tensor x, Linear linear) => nn.functional.linear(x, linear.Weight, linear.Bias);

    private Tensor Normalize(Tensor x, Norm norm) => nn.functional.layer_norm(x, [_config.HiddenSize], norm.Weight, norm.Bias, _config.LayerNormEpsilon);

    private Norm LayerNorm(LayerNormWeights norm) => new(Keep(tensor(norm.Weight).to(_type)), Keep(tensor(norm.Bias).to(_type)));

    private Linear Layer(LinearWeights linear) => new(Matrix(linear.Weight), Keep(tensor(linear.Bias).to(_type)));

    private Tensor Matrix(WeightMatrix matrix)
    {
        Tensor result = empty(matrix.Rows, matrix.Columns, _type);
        var row = new float[matrix.Columns];
        for (int index = 0; index < matrix.Rows; index++)
        {
            matrix.DequantizeRow(index, row);
            using Tensor line = tensor(row);
            using Tensor target = result[index];
            target.copy_(line);
        }
        return Keep(result);
    }

    private Tensor Keep(Tensor parameter)
    {
        _parameters.Add(parameter);
        return parameter;
    }

    private sealed record Norm(Tensor Weight, Tensor Bias);

    private sealed record Linear(Tensor Weight, Tensor Bias);

    private sealed record Block(Norm InputNorm, Linear QueryKeyValue, Linear Dense, Norm PostNorm, Linear Up, Linear Down);
}
