using System.Text;
using System.Text.Json;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>Writes a model as a <c>.lacos</c> file; the same model always gives the same bytes.</summary>
internal static unsafe class LacosWriter
{
    /// <summary>Prepares a file; nothing is copied until it is written.</summary>
    public static SafetensorsWriter Prepare(BloomWeights weights, ReadOnlyMemory<byte> tokenizerJson, SentenceSettings settings, IReadOnlyDictionary<string, string> provenance)
    {
        var writer = new SafetensorsWriter();
        writer.SetMetadata(LacosFormat.Version, LacosFormat.CurrentVersion);
        writer.SetMetadata(LacosFormat.Config, BloomConfigJson.Write(weights.Config));
        writer.SetMetadata(LacosFormat.Settings, SentenceSettingsJson.Write(settings));
        writer.SetMetadata(LacosFormat.Quantization, QuantizationJson(weights));
        writer.SetMetadata(LacosFormat.Provenance, StringsJson(provenance));
        AddMatrix(writer, BloomTensorNames.WordEmbeddings, weights.WordEmbeddings);
        AddNorm(writer, BloomTensorNames.WordEmbeddingsLayerNorm, weights.WordEmbeddingsLayerNorm);
        for (int layer = 0; layer < weights.Blocks.Count; layer++)
        {
            BloomBlockWeights block = weights.Blocks[layer];
            AddNorm(writer, BloomTensorNames.InputLayerNorm(layer), block.InputLayerNorm);
            AddLinear(writer, BloomTensorNames.QueryKeyValue(layer), block.QueryKeyValue);
            AddLinear(writer, BloomTensorNames.Dense(layer), block.Dense);
            AddNorm(writer, BloomTensorNames.PostAttentionLayerNorm(layer), block.PostAttentionLayerNorm);
            AddLinear(writer, BloomTensorNames.DenseHTo4H(layer), block.DenseHTo4H);
            AddLinear(writer, BloomTensorNames.Dense4HToH(layer), block.Dense4HToH);
        }
        AddNorm(writer, BloomTensorNames.FinalLayerNorm, weights.FinalLayerNorm);
        writer.Add(LacosFormat.Tokenizer, SafetensorsDType.U8, tokenizerJson.ToArray(), tokenizerJson.Length);
        return writer;
    }

    private static void AddMatrix(SafetensorsWriter writer, string name, WeightMatrix matrix)
    {
        name += ".weight";
        switch (matrix.Scheme)
        {
            case QuantizationScheme.None:
                writer.Add(name, SafetensorsDType.F32, matrix.Data, matrix, matrix.Rows, matrix.Columns);
                break;
            case QuantizationScheme.Rowwise:
                writer.Add(name, SafetensorsDType.I8, matrix.Data, matrix, matrix.Rows, matrix.Columns);
                AddVector(writer, name + LacosFormat.RowScales, matrix.Scales);
                break;
            default:
                writer.Add(name, SafetensorsDType.U8, matrix.Data, matrix, matrix.Rows, matrix.Columns);
                AddVector(writer, name + LacosFormat.BlockScales, matrix.Scales);
                AddVector(writer, name + LacosFormat.CodeBook, matrix.CodeBook);
                break;
        }
    }

    private static void AddLinear(SafetensorsWriter writer, string name, LinearWeights linear)
    {
        AddMatrix(writer, name, linear.Weight);
        AddVector(writer, name + ".bias", linear.Bias);
    }

    private static void AddNorm(SafetensorsWriter writer, string name, LayerNormWeights norm)
    {
        AddVector(writer, name + ".weight", norm.Weight);
        AddVector(writer, name + ".bias", norm.Bias);
    }

    private static void AddVector(SafetensorsWriter writer, string name, float[] values) => writer.Add(name, SafetensorsDType.F32, values, values.Length);

    private static string QuantizationJson(BloomWeights weights)
    {
        WeightMatrix linear = weights.Blocks[0].QueryKeyValue.Weight;
        return Json(json =>
        {
            json.WriteString("scheme", QuantizationNames.Of(linear.Scheme));
            json.WriteNumber("block_size", linear.BlockSize);
            json.WriteString("embedding_scheme", QuantizationNames.Of(weights.WordEmbeddings.Scheme));
            json.WriteNumber("embedding_block_size", weights.WordEmbeddings.BlockSize);
        });
    }

    private static string StringsJson(IReadOnlyDictionary<string, string> strings) => Json(json =>
    {
        foreach ((string key, string value) in strings.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            json.WriteString(key, value);
        }
    });

    private static string Json(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
