using System.Security.Cryptography;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Hub;

/// <content>Saving and the fingerprint.</content>
public sealed partial class LacosModel
{
    /// <summary>For <see cref="Save(string, string)"/>: the kernels that run on this machine.</summary>
    public const string ThisMachine = "this-machine";

    /// <summary>For <see cref="Save(string, string)"/>: weights that are not packed.</summary>
    public const string NotPacked = "none";

    private readonly SafetensorsFile? _file;

    internal LacosModel(
        SafetensorsFile file, BloomWeights weights, byte[] tokenizerJson, SentenceSettings settings, IReadOnlyDictionary<string, string> provenance, IDisposable memory)
        : this(weights, tokenizerJson, settings, provenance, memory)
    {
        _file = file;
    }

    /// <summary>Whether a file that is written has rows although the linear layers are packed.</summary>
    internal bool PanelsInMemoryOnly { private get; init; }

    /// <summary>Writes the model as a <c>.lacos</c> file. A model loaded from one gives the same bytes; any model gives the same bytes each time.</summary>
    /// <param name="path">The file appears, or is replaced, only when it is complete.</param>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty.</exception>
    /// <exception cref="DirectoryNotFoundException">The folder to write into does not exist.</exception>
    /// <exception cref="IOException">The file cannot be written or replaced, or the disk is full.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using IDisposable lease = Lease();
        AtomicFile.Write(path, WriteTo);
    }

    /// <summary>Writes the model as a <c>.lacos</c> file whose linear layers are packed for a kernel set, or not packed.</summary>
    /// <param name="path">The file appears, or is replaced, only when it is complete.</param>
    /// <param name="kernels">
    /// A kernel set by name, for example <c>avx512vnni</c>, which this machine need not be able to run; <see cref="ThisMachine"/> for the one that runs here;
    /// <see cref="NotPacked"/> for row-major weights, the form in which <c>lacos quantize</c> writes them.
    /// </param>
    /// <remarks>
    /// An encoder whose kernels fit uses the packed weights where they lie in the mapped file: nothing is packed at start, and processes that open the same file share its memory.
    /// Every other machine opens the file too and packs the weights for itself, as it does with those that are not packed. The vectors are the same bits.
    /// </remarks>
    /// <exception cref="ArgumentException">There are no such kernels, or <paramref name="path"/> is empty.</exception>
    /// <exception cref="DirectoryNotFoundException">The folder to write into does not exist.</exception>
    /// <exception cref="IOException">The file cannot be written or replaced, or the disk is full.</exception>
    /// <exception cref="InvalidOperationException">The linear layers are not row-wise int8, the only kind that is packed.</exception>
    /// <exception cref="PlatformNotSupportedException">The native library, which knows how its kernels read weights, is not available.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public void Save(string path, string kernels) => Save(path, kernels, CancellationToken.None);

    /// <inheritdoc cref="Save(string, string)"/>
    internal void Save(string path, string kernels, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        WeightPanels? panels = PackedLayout.For(kernels);
        using IDisposable lease = Lease();
        PackedLayout.Check(_weights, panels);
        AtomicFile.Write(path, stream => LacosWriter.Prepare(_weights, TokenizerJson, Settings, Provenance, panels).WriteTo(stream, cancellationToken));
    }

    /// <summary>Writes the model as a <c>.lacos</c> file.</summary>
    /// <param name="stream">Written from its position on; not disposed.</param>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public void Save(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using IDisposable lease = Lease();
        WriteTo(stream);
    }

    private void WriteTo(Stream stream)
    {
        if (_file is not null)
        {
            _file.WriteTo(stream);
        }
        else
        {
            WeightPanels? panels = PanelsInMemoryOnly ? null : _weights.Blocks[0].QueryKeyValue.Weight.Panels;
            LacosWriter.Prepare(_weights, TokenizerJson, Settings, Provenance, panels).WriteTo(stream);
        }
    }

    private string ComputeFingerprint()
    {
        using IDisposable lease = Lease();
        using var stream = new HashingStream(HashAlgorithmName.SHA256);
        WriteTo(stream);
        return Convert.ToHexString(stream.CurrentHash()).ToLowerInvariant();
    }
}
