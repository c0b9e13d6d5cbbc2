using System.Globalization;
using System.Text.Json;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>The tensors of a <c>.lacos</c> file: codes where they lie, scales and vectors copied and checked.</summary>
internal sealed unsafe class LacosTensorSource : IBloomTensorSource, IDisposable
{
    private readonly SafetensorsFile _file;
    private readonly List<NativeBuffer> _memory = [];
    private readonly (QuantizationScheme Scheme, int BlockSize) _linear;
    private readonly (QuantizationScheme Scheme, int BlockSize) _embedding;
    private readonly WeightPanels? _panels;

    /// <summary>Reads the description of the quantisation.</summary>
    /// <param name="file">Open file, disposed with this object.</param>
    /// <param name="quantization">JSON of the metadata.</param>
    public LacosTensorSource(SafetensorsFile file, byte[] quantization)
    {
        _file = file;
        string where = $"{file.Source}: {LacosFormat.Quantization}";
        using JsonDocument json = JsonFile.Parse(quantization, where);
        _linear = (Scheme(json.RootElement, "scheme", where), JsonFile.Integer(json.RootElement, "block_size", where) ?? 0);
        _panels = Panels(json.RootElement, where);
        _embedding = (Scheme(json.RootElement, "embedding_scheme", where), JsonFile.Integer(json.RootElement, "embedding_block_size", where) ?? 0);
    }

    /// <inheritdoc/>
    public float[] Vector(string name, int length) => Floats(name, length);

    /// <inheritdoc/>
    public WeightMatrix Matrix(string name, int rows, int columns)
    {
        bool isTable = name == BloomTensorNames.WordEmbeddings;
        (QuantizationScheme scheme, int blockSize) = isTable ? _embedding : _linear;
        WeightPanels? panels = isTable ? null : _panels;
        name += ".weight";
        SafetensorsDType type = scheme switch
        {
            QuantizationScheme.None => SafetensorsDType.F32,
            QuantizationScheme.Rowwise when panels is null => SafetensorsDType.I8,
            _ => SafetensorsDType.U8,
        };
        SafetensorsEntry entry = _file.Require(name);
        long[] shape = panels?.Shape(rows, columns) ?? [rows, columns];
        if (entry.Type != type || !entry.Shape.AsSpan().SequenceEqual(shape))
        {
            throw new InvalidDataException($"Tensor '{name}' of '{_file.Source}' is {entry.Describe()}, expected {type} [{string.Join(", ", shape)}]. Convert the model again.");
        }
        return scheme switch
        {
            QuantizationScheme.None => FloatMatrix(entry, rows, columns),
            QuantizationScheme.Rowwise => new WeightMatrix(scheme, rows, columns, _file.Pointer(entry), Maxima(name + LacosFormat.RowScales, rows), [], 0, _file, panels),
            _ => BlockMatrix(entry, scheme, blockSize, rows, columns),
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _memory.ForEach(buffer => buffer.Dispose());
        _file.Dispose();
    }

    private static QuantizationScheme Scheme(JsonElement root, string key, string where)
    {
        string name = JsonFile.String(root, key, where) ?? throw new InvalidDataException($"'{where}' has no '{key}'. Convert the model again.");
        foreach (QuantizationScheme scheme in Enum.GetValues<QuantizationScheme>())
        {
            if (QuantizationNames.Of(scheme) == name)
            {
                return scheme;
            }
        }
        throw new NotSupportedException($"'{where}' names the unknown scheme '{TextInMessage.Of(name)}'. Update the library, or convert the model with this one.");
    }

    private WeightPanels? Panels(JsonElement root, string where)
    {
        if (!root.TryGetProperty(LacosFormat.Panels, out JsonElement json))
        {
            return null;
        }
        where += $": {LacosFormat.Panels}";
        var panels = new WeightPanels(Number("width"), Number("group"), Number("flip"));
        return _linear.Scheme == QuantizationScheme.Rowwise && panels.IsValid
            ? panels
            : throw new InvalidDataException($"'{where}' describes {panels} of {_linear.Scheme} weights, which cannot be. Pack the model again.");

        int Number(string key) => JsonFile.Integer(json, key, where) ?? throw new InvalidDataException($"'{where}' has no '{key}'. Pack the model again.");
    }

    private WeightMatrix FloatMatrix(SafetensorsEntry entry, int rows, int columns)
    {
        byte* data = _file.Pointer(entry);
        if ((nuint)data % sizeof(float) != 0)
        {
            WeightMatrix copy = WeightMatrixBuilder.Build(_file.Floats(entry), rows, columns, null, entry.Name, out NativeBuffer memory);
            _memory.Add(memory);
            return copy;
        }
        WeightMatrixBuilder.CheckFinite(_file.Floats(entry), columns, entry.Name);
        return new WeightMatrix(QuantizationScheme.None, rows, columns, data, [], [], 0, _file);
    }

    private WeightMatrix BlockMatrix(SafetensorsEntry entry, QuantizationScheme scheme, int blockSize, int rows, int columns)
    {
        if (blockSize <= 0)
        {
            throw new InvalidDataException($"'{_file.Source}' gives {scheme} weights a block size of {blockSize}, expected at least 1. Convert the model again.");
        }
        float[] maxima = Maxima(entry.Name + LacosFormat.BlockScales, (entry.Count + blockSize - 1) / blockSize);
        float[] book = Floats(entry.Name + LacosFormat.CodeBook, CodeBooks.Size);
        return new WeightMatrix(scheme, rows, columns, _file.Pointer(entry), maxima, book, blockSize, _file);
    }

    private float[] Maxima(string name, long length)
    {
        float[] values = Floats(name, length);
        int bad = values.AsSpan().IndexOfAnyExceptInRange(0f, float.MaxValue);
        return bad < 0
            ? values
            : throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"Tensor '{name}' of '{_file.Source}' holds {values[bad]} at element {bad}; a largest magnitude is never negative. Convert the model again."));
    }

    private float[] Floats(string name, long length)
    {
        SafetensorsEntry entry = _file.Require(name);
        return entry.Shape.Length == 1 && entry.Shape[0] == length
            ? _file.ReadFloats(name)
            : throw new InvalidDataException($"Tensor '{name}' of '{_file.Source}' is {entry.Describe()}, expected [{length}]. Convert the model again.");
    }
}
