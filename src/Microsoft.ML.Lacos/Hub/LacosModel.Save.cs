using System.Security.Cryptography;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Hub;

/// <content>Saving and the fingerprint.</content>
public sealed partial class LacosModel
{
    private readonly SafetensorsFile? _file;

    internal LacosModel(
        SafetensorsFile file, BloomWeights weights, byte[] tokenizerJson, SentenceSettings settings, IReadOnlyDictionary<string, string> provenance, IDisposable memory)
        : this(weights, tokenizerJson, settings, provenance, memory)
    {
        _file = file;
    }

    /// <summary>Writes the model as a <c>.lacos</c> file. A model loaded from one gives the same bytes; any model gives the same bytes each time.</summary>
    /// <param name="path">The file appears, or is replaced, only when it is complete.</param>
    /// <exception cref="DirectoryNotFoundException">The folder to write into does not exist.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using IDisposable lease = Lease();
        AtomicFile.Write(path, WriteTo);
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

    private unsafe void WriteTo(Stream stream)
    {
        if (_file is not null)
        {
            SafetensorsWriter.WriteBytes(stream, _file.FilePointer, _file.ByteLength);
        }
        else
        {
            LacosWriter.Prepare(_weights, TokenizerJson, Settings, Provenance).WriteTo(stream);
        }
    }

    private string ComputeFingerprint()
    {
        using IDisposable lease = Lease();
        using SHA256 hash = SHA256.Create();
        using (var stream = new CryptoStream(Stream.Null, hash, CryptoStreamMode.Write))
        {
            WriteTo(stream);
        }
        return Convert.ToHexString(hash.Hash!).ToLowerInvariant();
    }
}
