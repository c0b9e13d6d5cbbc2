using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>Writes a model as a <c>.lacos</c> file; the same model always gives the same bytes.</summary>
internal static unsafe class LacosWriter
{
    /// <summary>Prepares a file; nothing is copied until it is written.</summary>
    /// <param name="weights">Weights, in any layout.</param>
    /// <param name="tokenizerJson">The tokenizer.</param>
    /// <param name="settings">Settings.</param>
    /// <param name="provenance">Provenance.</param>
    /// <param name="panels">How to pack the linear layers, which must be row-wise then; <see langword="null"/> for row-major.</param>
    public static SafetensorsWriter Prepare(BloomWeights weights, ReadOnlyMemory<byte> tokenizerJson, SentenceSettings settings, IReadOnlyDictionary<string, string> provenance, WeightPanels? panels)
    {
        var writer = new SafetensorsWriter();
        writer.SetMetadata(LacosFormat.Version, panels is null ? LacosFormat.RowsVersion : LacosFormat.PanelsVersion);
        writer.SetMetadata(LacosFormat.Config, BloomConfigJson.Write(weights.Config));
        writer.SetMetadata(LacosFormat.Settings, SentenceSettingsJson.Write(settings));
        writer.SetMetadata(LacosFormat.Quantization, QuantizationJson(weights, panels));
        writer.SetMetadata(LacosFormat.Provenance, StringsJson(provenance));
        AddMatrix(writer, BloomTensorNames.WordEmbeddings, weights.WordEmbeddings, null);
        AddNorm(writer, BloomTensorNames.WordEmbeddingsLayerNorm, weights.WordEmbeddingsLayerNorm);
        for (int layer = 0; layer < weights.Blocks.Count; layer++)
        {
            BloomBlockWeights block = weights.Blocks[layer];
            AddNorm(writer, BloomTensorNames.InputLayerNorm(layer), block.InputLayerNorm);
            AddLinear(writer, BloomTensorNames.QueryKeyValue(layer), block.QueryKeyValue, panels);
            AddLinear(writer, BloomTensorNames.Dense(layer), block.Dense, panels);
            AddNorm(writer, BloomTensorNames.PostAttentionLayerNorm(layer), block.PostAttentionLayerNorm);
            AddLinear(writer, BloomTensorNames.DenseHTo4H(layer), block.DenseHTo4H, panels);
            AddLinear(writer, BloomTensorNames.Dense4HToH(layer), block.Dense4HToH, panels);
        }
        AddNorm(writer, BloomTensorNames.FinalLayerNorm, weights.FinalLayerNorm);
        writer.Add(LacosFormat.Tokenizer, SafetensorsDType.U8, tokenizerJson.ToArray(), tokenizerJson.Length);
        return writer;
    }

    private static void AddMatrix(SafetensorsWriter writer, string name, WeightMatrix matrix, WeightPanels? panels)
    {
        name += ".weight";
        switch (matrix.Scheme)
        {
            case QuantizationScheme.None:
                writer.Add(name, SafetensorsDType.F32, matrix.Address, matrix, matrix.Rows, matrix.Columns);
                break;
            case QuantizationScheme.Rowwise:
                AddCodes(writer, name, matrix, panels);
                AddVector(writer, name + LacosFormat.RowScales, matrix.Scales);
                break;
            default:
                writer.Add(name, SafetensorsDType.U8, matrix.Address, matrix, matrix.Rows, matrix.Columns);
                AddVector(writer, name + LacosFormat.BlockScales, matrix.Scales);
                AddVector(writer, name + LacosFormat.CodeBook, matrix.CodeBook);
                break;
        }
    }

    private static void AddCodes(SafetensorsWriter writer, string name, WeightMatrix matrix, WeightPanels? panels)
    {
        if (panels is { } layout)
        {
            writer.AddAligned(name, SafetensorsDType.U8, stream => WritePanels(stream, matrix, layout), layout.Shape(matrix.Rows, matrix.Columns));
        }
        else if (matrix.Panels is null)
        {
            writer.Add(name, SafetensorsDType.I8, matrix.Address, matrix, matrix.Rows, matrix.Columns);
        }
        else
        {
            writer.Add(name, SafetensorsDType.I8, stream => WriteRows(stream, matrix), matrix.Rows, matrix.Columns);
        }
    }

    private static void WritePanels(Stream stream, WeightMatrix matrix, WeightPanels panels)
    {
        var panel = new byte[panels.PanelLength(matrix.Columns)];
        var codes = new sbyte[matrix.Columns];
        for (int first = 0; first < matrix.Rows; first += panels.Width)
        {
            // Codes of 0 in the padding.
            panel.AsSpan().Fill((byte)panels.Flip);
            for (int row = first; row < Math.Min(matrix.Rows, first + panels.Width); row++)
            {
                matrix.CopyCodes(row, codes);
                panels.WriteRow(codes, row - first, panel);
            }
            stream.Write(panel);
        }
    }

    private static void WriteRows(Stream stream, WeightMatrix matrix)
    {
        var codes = new sbyte[matrix.Columns];
        for (int row = 0; row < matrix.Rows; row++)
        {
            matrix.CopyCodes(row, codes);
            stream.Write(MemoryMarshal.AsBytes<sbyte>(codes));
        }
    }

    private static void AddLinear(SafetensorsWriter writer, string name, LinearWeights linear, WeightPanels? panels)
    {
        AddMatrix(writer, name, linear.Weight, panels);
        AddVector(writer, name + ".bias", linear.Bias);
    }

    private static void AddNorm(SafetensorsWriter writer, string name, LayerNormWeights norm)
    {
        AddVector(writer, name + ".weight", norm.Weight);
        AddVector(writer, name + ".bias", norm.Bias);
    }

    private static void AddVector(SafetensorsWriter writer, string name, float[] values) => writer.Add(name, SafetensorsDType.F32, values, values.Length);

    private static string QuantizationJson(BloomWeights weights, WeightPanels? panels)
    {
        WeightMatrix linear = weights.Blocks[0].QueryKeyValue.Weight;
        return Json(json =>
        {
            json.WriteString("scheme", QuantizationNames.Of(linear.Scheme));
            json.WriteNumber("block_size", linear.BlockSize);
            json.WriteString("embedding_scheme", QuantizationNames.Of(weights.WordEmbeddings.Scheme));
            json.WriteNumber("embedding_block_size", weights.WordEmbeddings.BlockSize);
            if (panels is { } layout)
            {
                json.WriteStartObject(LacosFormat.Panels);
                json.WriteNumber("width", layout.Width);
                json.WriteNumber("group", layout.Group);
                json.WriteNumber("flip", layout.Flip);
                json.WriteEndObject();
            }
        });
    }

    /// <summary>Strings by key as they stand in the metadata, sorted.</summary>
    public static string StringsJson(IReadOnlyDictionary<string, string> strings) => Json(json =>
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
