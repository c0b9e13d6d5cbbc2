using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.OnnxRuntime;

namespace Microsoft.ML.Lacos.Benchmarks.Peers;

/// <summary>
/// The same BLOOM in ONNX Runtime, int8 the way its own tools make it: weights int8 by column, activations quantised as they come
/// (DynamicQuantizeMatMul), fused attention with an additive ALiBi and causal bias, fused bias-GELU; mean pooling in the graph.
/// </summary>
internal sealed class OnnxBloom : IDisposable
{
    private readonly InferenceSession _session;
    private readonly BloomConfig _config;

    public OnnxBloom(BloomWeights weights, int threads)
    {
        _config = weights.Config;
        using var options = new SessionOptions
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
        };
        _session = new InferenceSession(Export(weights), options);
    }

    /// <summary>Encodes a right-padded batch; with causal attention the padding after a sentence cannot reach its tokens.</summary>
    /// <param name="ids">[rows, length].</param>
    /// <param name="mask">[rows, length], 1 for a real token.</param>
    /// <param name="rows">Sentences.</param>
    /// <param name="length">Tokens of the longest.</param>
    /// <returns>Mean-pooled vectors, [rows, hidden].</returns>
    public float[] Encode(long[] ids, float[] mask, int rows, int length)
    {
        using OrtValue idValue = OrtValue.CreateTensorValueFromMemory(ids, [rows, length]);
        using OrtValue maskValue = OrtValue.CreateTensorValueFromMemory(mask, [rows, length, 1]);
        using OrtValue biasValue = OrtValue.CreateTensorValueFromMemory(AttentionBias(length), [1, _config.HeadCount, length, length]);
        using var runOptions = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> outputs = _session.Run(runOptions, ["ids", "mask", "attention_bias"], [idValue, maskValue, biasValue], ["pooled"]);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }

    public void Dispose() => _session.Dispose();

    private float[] AttentionBias(int length)
    {
        float[] slopes = Alibi.Slopes(_config.HeadCount);
        var bias = new float[_config.HeadCount * length * length];
        for (int head = 0; head < slopes.Length; head++)
        {
            for (int query = 0; query < length; query++)
            {
                for (int key = 0; key < length; key++)
                {
                    bias[(((head * length) + query) * length) + key] = key <= query ? slopes[head] * key : -1e30f;
                }
            }
        }
        return bias;
    }

    private static byte[] Export(BloomWeights weights)
    {
        BloomConfig config = weights.Config;
        int hidden = config.HiddenSize;
        using var onnx = new OnnxWriter();
        onnx.Int64Input("ids", "rows", "length");
        onnx.FloatInput("mask", "rows", "length", 1);
        onnx.FloatInput("attention_bias", 1, config.HeadCount, "length", "length");

        string x = onnx.Node("Gather", [onnx.Constant(Dequantize(weights.WordEmbeddings), config.VocabularySize, hidden), "ids"]);
        x = Norm(onnx, x, weights.WordEmbeddingsLayerNorm, config);
        string third = onnx.Constant([(long)hidden, hidden, hidden], 3);
        foreach (BloomBlockWeights block in weights.Blocks)
        {
            string normalized = Norm(onnx, x, block.InputLayerNorm, config);
            string qkv = Linear(onnx, normalized, block.QueryKeyValue, HeadOrder.PartsFirst(config), withBias: true);
            string[] parts = onnx.Nodes("Split", [qkv, third], 3, "", OnnxWriter.Attribute("axis", -1L));
            string attention = onnx.MicrosoftNode("MultiHeadAttention", [parts[0], parts[1], parts[2], "", "", "attention_bias"], OnnxWriter.Attribute("num_heads", (long)config.HeadCount));
            string residual = config.ResidualPostLayerNorm ? normalized : x;
            x = onnx.Node("Add", [residual, Linear(onnx, attention, block.Dense, null, withBias: true)]);
            normalized = Norm(onnx, x, block.PostAttentionLayerNorm, config);
            string inner = Linear(onnx, normalized, block.DenseHTo4H, null, withBias: false);
            inner = onnx.MicrosoftNode("FastGelu", [inner, onnx.Constant(block.DenseHTo4H.Bias, block.DenseHTo4H.Bias.Length)]);
            residual = config.ResidualPostLayerNorm ? normalized : x;
            x = onnx.Node("Add", [residual, Linear(onnx, inner, block.Dense4HToH, null, withBias: true)]);
        }
        x = Norm(onnx, x, weights.FinalLayerNorm, config);
        string axis = onnx.Constant([1L], 1);
        string sum = onnx.Node("ReduceSum", [onnx.Node("Mul", [x, "mask"]), axis], OnnxWriter.Attribute("keepdims", 0L));
        string count = onnx.Node("ReduceSum", ["mask", axis], OnnxWriter.Attribute("keepdims", 0L));
        onnx.NamedNode("pooled", "Div", [sum, count]);
        onnx.FloatOutput("pooled", "rows", hidden);
        return onnx.ToModel();
    }

    private static string Norm(OnnxWriter onnx, string x, LayerNormWeights norm, BloomConfig config) => onnx.Node(
        "LayerNormalization",
        [x, onnx.Constant(norm.Weight, norm.Weight.Length), onnx.Constant(norm.Bias, norm.Bias.Length)],
        OnnxWriter.Attribute("axis", -1L),
        OnnxWriter.Attribute("epsilon", config.LayerNormEpsilon));

    private static string Linear(OnnxWriter onnx, string x, LinearWeights linear, int[]? rowOrder, bool withBias)
    {
        WeightMatrix matrix = linear.Weight;
        var codes = new sbyte[matrix.Columns * matrix.Rows];
        var scales = new float[matrix.Rows];
        var bias = new float[matrix.Rows];
        var row = new float[matrix.Columns];
        for (int output = 0; output < matrix.Rows; output++)
        {
            int source = rowOrder?[output] ?? output;
            matrix.DequantizeRow(source, row);
            float absmax = row.Max(Math.Abs);
            scales[output] = absmax / 127f;
            bias[output] = linear.Bias[source];
            float inverse = absmax > 0 ? 127f / absmax : 0f;
            for (int input = 0; input < row.Length; input++)
            {
                codes[((long)input * matrix.Rows) + output] = (sbyte)MathF.Round(row[input] * inverse);
            }
        }
        string product = onnx.Constant(codes, matrix.Columns, matrix.Rows);
        string[] inputs = [x, product, onnx.Constant(scales, matrix.Rows), onnx.Constant(new sbyte[matrix.Rows], matrix.Rows)];
        return onnx.MicrosoftNode("DynamicQuantizeMatMul", withBias ? [.. inputs, onnx.Constant(bias, matrix.Rows)] : inputs);
    }

    private static float[] Dequantize(WeightMatrix matrix)
    {
        var values = new float[matrix.Rows * matrix.Columns];
        for (int row = 0; row < matrix.Rows; row++)
        {
            matrix.DequantizeRow(row, values.AsSpan(row * matrix.Columns, matrix.Columns));
        }
        return values;
    }
}
