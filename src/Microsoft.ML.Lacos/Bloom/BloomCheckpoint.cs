using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>A BLOOM read from a Hugging Face folder: <c>config.json</c> and safetensors weights, one file or shards, fp32, fp16 or bf16.</summary>
/// <remarks>
/// Names with and without the <c>transformer.</c> prefix; <c>lm_head</c> and other tensors the encoder does not need are ignored.
/// The weights are copied into memory of their own, quantised tensor by tensor when asked for, and what has been read of a file leaves this process, so that a large checkpoint needs little more than its quantised size;
/// the files are closed when <see cref="Load"/> returns.
/// </remarks>
internal sealed class BloomCheckpoint : IDisposable
{
    private readonly List<NativeBuffer> _memory;

    private BloomCheckpoint(BloomWeights weights, IReadOnlyList<string> files, List<NativeBuffer> memory)
    {
        Weights = weights;
        Files = files;
        _memory = memory;
    }

    /// <summary>The weights; valid until disposed.</summary>
    public BloomWeights Weights { get; }

    /// <summary>Paths of the files that held the weights.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>Reads a folder.</summary>
    /// <param name="folder">Folder of <c>config.json</c> and the weights.</param>
    /// <param name="scheme">How the linear layers are stored.</param>
    /// <param name="blockSize">Elements a block of a block-wise scheme.</param>
    /// <param name="embeddingScheme">How the embedding table is stored; <see langword="null"/> for <paramref name="scheme"/>.</param>
    /// <param name="updateOf">Gives what is to be added to the matrix of a name, with so many rows and columns, before it is quantised; <see langword="null"/> for nothing.</param>
    /// <param name="panels">How linear layers are packed, which must be row-wise then; <see langword="null"/> to leave them row-major.</param>
    /// <param name="progress">Told of elements that are read; <see langword="null"/> for nobody.</param>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="NotSupportedException">The model is no BLOOM, or its weights are in another format.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, a tensor is missing, has another shape, or holds NaN or infinity.</exception>
    public static BloomCheckpoint Load(
        string folder,
        QuantizationScheme scheme = QuantizationScheme.None,
        int blockSize = BlockwiseQuantizer.DefaultBlockSize,
        QuantizationScheme? embeddingScheme = null,
        Func<string, int, int, WeightUpdate?>? updateOf = null,
        WeightPanels? panels = null,
        WeightProgress? progress = null)
    {
        IWeightQuantizer? quantizer = WeightMatrixBuilder.QuantizerOf(scheme, blockSize);
        IWeightQuantizer? embeddingQuantizer = WeightMatrixBuilder.QuantizerOf(embeddingScheme ?? scheme, blockSize);
        BloomConfig config = CheckpointTensors.ReadConfig(folder);
        using var files = new CheckpointTensors(folder);
        files.RequireAll(config);
        progress?.Begin(BloomTensorNames.MatrixElements(config));
        var source = new Source(files, quantizer, embeddingQuantizer, updateOf, panels, progress);
        try
        {
            return new BloomCheckpoint(BloomAssembly.Assemble(config, source), files.Files, source.Memory);
        }
        catch
        {
            source.Memory.ForEach(buffer => buffer.Dispose());
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.ForEach(buffer => buffer.Dispose());

    private sealed class Source(
        CheckpointTensors files,
        IWeightQuantizer? quantizer,
        IWeightQuantizer? embeddingQuantizer,
        Func<string, int, int, WeightUpdate?>? updateOf,
        WeightPanels? panels,
        WeightProgress? progress) : IBloomTensorSource
    {
        public List<NativeBuffer> Memory { get; } = [];

        public float[] Vector(string name, int length) => files.Vector(name, length);

        public WeightMatrix Matrix(string name, int rows, int columns)
        {
            (SafetensorsFile file, SafetensorsEntry entry) = files.Find(name + ".weight", rows, columns);
            bool isTable = name == BloomTensorNames.WordEmbeddings;
            WeightUpdate? update = updateOf?.Invoke(name, rows, columns);
            string described = update is null ? entry.Name : entry.Name + " with the adapter";
            WeightMatrix matrix = WeightMatrixBuilder.Build(
                file.Floats(entry), rows, columns, isTable ? embeddingQuantizer : quantizer, described, out NativeBuffer memory, update, isTable ? null : panels, progress);
            Memory.Add(memory);
            return matrix;
        }
    }
}
