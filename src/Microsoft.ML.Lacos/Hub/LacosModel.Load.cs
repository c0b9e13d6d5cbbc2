using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Mini;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Hub;

/// <content>Loading.</content>
public sealed partial class LacosModel
{
    /// <summary>Opens the embedded default model.</summary>
    /// <returns>A model over the memory of the assembly; nothing is copied where the runtime maps it.</returns>
    /// <exception cref="InvalidOperationException">The package was built without the model.</exception>
    public static LacosModel LoadDefault() => LoadDefault(new LacosModelLoadOptions());

    /// <summary>Opens the embedded default model.</summary>
    /// <param name="options">How to store the weights, and an adapter for them.</param>
    /// <exception cref="ArgumentException">An option has a value that no model can be loaded with; the message names it and its value.</exception>
    /// <exception cref="FileNotFoundException">The adapter does not exist.</exception>
    /// <exception cref="InvalidDataException">The adapter is damaged, or was made for another model.</exception>
    /// <exception cref="InvalidOperationException">The package was built without the model.</exception>
    /// <exception cref="NotSupportedException">The options ask for another scheme than the model's own, or the adapter uses what is not supported.</exception>
    public static LacosModel LoadDefault(LacosModelLoadOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return LoadDefault(options, AdapterOf(options));
    }

    /// <summary>Loads a <c>.lacos</c> file, a Hugging Face BLOOM folder, or a sentence-transformers folder of one; a folder's weights are quantised row by row.</summary>
    /// <inheritdoc cref="Load(string, LacosModelLoadOptions)"/>
    public static LacosModel Load(string path) => Load(path, new LacosModelLoadOptions());

    /// <summary>Loads a <c>.lacos</c> file, a Hugging Face BLOOM folder, or a sentence-transformers folder of one.</summary>
    /// <param name="path">A file is read as <c>.lacos</c> and stays mapped; a folder with <c>modules.json</c> as sentence-transformers, any other as Hugging Face. Folders are read and closed.</param>
    /// <param name="options">How to store the weights.</param>
    /// <remarks>A Hugging Face folder says nothing of pooling: mean pooling and normalised vectors are taken, and 256 tokens unless its tokenizer names a limit.
    /// A sentence-transformers folder that names no limit cuts no text, as the reference does not.</remarks>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty, or an option has a value that no model can be loaded with; the message names it and its value.</exception>
    /// <exception cref="FileNotFoundException">The path, the adapter, or a file that they need does not exist.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, parts do not belong together, or a weight is NaN or infinite.</exception>
    /// <exception cref="NotSupportedException">The model is no BLOOM, has parts this library does not know, or is already quantised otherwise than asked.</exception>
    public static LacosModel Load(string path, LacosModelLoadOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (!Directory.Exists(path) && !File.Exists(path))
        {
            throw new FileNotFoundException($"'{path}' is neither a file nor a folder. Name a .lacos file or a model folder.", path);
        }
        return Load(path, options, AdapterOf(options));
    }

    /// <summary>Opens a model in the form that an arithmetic needs: a checkpoint folder keeps its floats for <see cref="BloomCompute.Float32"/> and is quantised row by row for the others.</summary>
    /// <param name="path">As for <see cref="Load(string)"/>; <see langword="null"/> for the embedded default model.</param>
    /// <param name="compute">Arithmetic of the linear layers.</param>
    /// <param name="adapter">Folder of a PEFT adapter to merge into the weights; <see langword="null"/> for none.</param>
    /// <param name="scheme">How to store the weights, the embedding table too where it is block-wise; <see langword="null"/> to go by the arithmetic.</param>
    internal static LacosModel Open(string? path, BloomCompute compute, string? adapter = null, QuantizationScheme? scheme = null)
    {
        LacosModelLoadOptions options = OptionsFor(path, compute, scheme) with { Adapter = adapter };
        return path is null ? LoadDefault(options) : Load(path, options);
    }

    /// <summary>As <see cref="Open(string?, BloomCompute, string?, QuantizationScheme?)"/>, for an encoder: where a checkpoint folder is quantised here to run in int8, its linear layers are packed as the
    /// kernels read them, which use them where they lie, instead of being in memory twice. What is saved of the model, and its fingerprint, are the same.</summary>
    internal static LacosModel OpenForEncoding(string? path, BloomCompute compute, string? adapter = null)
    {
        LacosModelLoadOptions options = Packed(OptionsFor(path, compute, null), path, compute) with { Adapter = adapter };
        return path is null ? LoadDefault(options) : Load(path, options);
    }

    /// <inheritdoc cref="OpenForEncoding(string?, BloomCompute, string?)"/>
    internal static LacosModel OpenForEncoding(string? path, BloomCompute compute, PeftAdapter adapter, QuantizationScheme? scheme)
    {
        LacosModelLoadOptions options = Packed(OptionsFor(path, compute, scheme), path, compute);
        return path is null ? LoadDefault(options, adapter) : Load(path, options, adapter);
    }

    private static LacosModelLoadOptions Packed(LacosModelLoadOptions options, string? path, BloomCompute compute) =>
        compute == BloomCompute.Int8 && options.Scheme is null or QuantizationScheme.Rowwise && Directory.Exists(path) ? options with { Panels = PackedLayout.OfEncoders() } : options;

    private static LacosModelLoadOptions OptionsFor(string? path, BloomCompute compute, QuantizationScheme? scheme)
    {
        bool keepsFloats = compute == BloomCompute.Float32 && Directory.Exists(path);
        return new LacosModelLoadOptions
        {
            Scheme = scheme ?? (keepsFloats ? QuantizationScheme.None : null),
            EmbeddingScheme = scheme is QuantizationScheme.BlockwiseDynamic or QuantizationScheme.BlockwiseLinear ? scheme : null,
        };
    }

    /// <summary>Loads a <c>.lacos</c> file from a stream.</summary>
    /// <param name="stream">
    /// Read from its position to its end, and not disposed. An <see cref="UnmanagedMemoryStream"/> over an address is used in place and its memory must outlive the model; any other stream, also the view of a mapped file, is copied.
    /// </param>
    /// <exception cref="InvalidDataException">The content is damaged.</exception>
    /// <exception cref="NotSupportedException">The content was written by a newer version of this library.</exception>
    public static LacosModel Load(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return Load(stream, "stream");
    }

    /// <summary>Quantises a model of 32-bit floats.</summary>
    /// <param name="scheme">Scheme of the linear layers, not <see cref="QuantizationScheme.None"/>.</param>
    /// <param name="blockSize">Elements a block of the block-wise schemes.</param>
    /// <param name="embeddingScheme">Scheme of the embedding table; <see langword="null"/> for row-wise.</param>
    /// <returns>A new model with memory of its own; this one stays as it is.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The scheme is <see cref="QuantizationScheme.None"/> or none that exists, or the block size of a block-wise scheme is not positive.</exception>
    /// <exception cref="NotSupportedException">The model is quantised already.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public LacosModel Quantize(QuantizationScheme scheme, int blockSize = DefaultBlockSize, QuantizationScheme? embeddingScheme = null)
    {
        using IDisposable lease = Lease();
        var source = new QuantizingSource(_weights, scheme, blockSize, embeddingScheme ?? QuantizationScheme.Rowwise);
        try
        {
            BloomWeights weights = source.Quantize();
            var provenance = new Dictionary<string, string>(Provenance, StringComparer.Ordinal)
            {
                [ModelProvenance.Quantization] = QuantizationNames.Describe(weights),
            };
            return new LacosModel(weights, TokenizerJson.ToArray(), Settings, provenance, source);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    private static PeftAdapter? AdapterOf(LacosModelLoadOptions options) => options.Adapter is null ? null : PeftAdapter.Load(options.Adapter);

    private static LacosModel LoadDefault(LacosModelLoadOptions options, PeftAdapter? adapter)
    {
        using Stream stream = BloomMini.Open();
        return Adapted(Load(stream, BloomMini.Name), adapter).Stored(options);
    }

    private static LacosModel Load(string path, LacosModelLoadOptions options, PeftAdapter? adapter) =>
        Directory.Exists(path) ? ModelFolder.Load(path, options, adapter) : Adapted(LacosReader.Read(SafetensorsFile.Open(path)), adapter).Stored(options);

    private static LacosModel Load(Stream stream, string source) => LacosReader.Read(SafetensorsFile.Read(stream, source));

    private LacosModel Stored(LacosModelLoadOptions options)
    {
        QuantizationScheme stored = _weights.Blocks[0].QueryKeyValue.Weight.Scheme;
        bool keepsTable = options.Scheme is null || (options.Scheme == QuantizationScheme.None && stored == QuantizationScheme.None);
        if (keepsTable && options.EmbeddingScheme is QuantizationScheme asked && asked != _weights.WordEmbeddings.Scheme)
        {
            using LacosModel refused = this;
            throw new NotSupportedException($"EmbeddingScheme is {asked} and the embedding table is {_weights.WordEmbeddings.Scheme} already, which a .lacos file keeps. Leave the option null, or start from the checkpoint folder.");
        }
        if (options.Scheme is null || options.Scheme == stored)
        {
            return this;
        }
        using LacosModel unquantized = this;
        if (options.Scheme == QuantizationScheme.None)
        {
            throw new NotSupportedException($"The weights are quantised already ({stored}) and have no floats to keep. Start from the checkpoint folder.");
        }
        return unquantized.Quantize(options.Scheme.Value, options.BlockSize, options.EmbeddingScheme);
    }
}
