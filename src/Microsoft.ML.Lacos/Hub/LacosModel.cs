using System.Text;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>A sentence-embedding model in memory: BLOOM weights, tokenizer, settings and provenance.</summary>
/// <remarks>
/// Immutable after loading and safe to use from many threads. The weights may lie in a mapped file, which stays mapped until the object
/// and every encoder made from it are disposed, and which must not be shortened meanwhile.
/// </remarks>
public sealed partial class LacosModel : IDisposable
{
    /// <summary>Elements a block of the block-wise schemes unless said otherwise.</summary>
    public const int DefaultBlockSize = 4096;

    private readonly BloomWeights _weights;
    private readonly Lazy<string> _fingerprint;
    private readonly UseCount _uses;

    internal LacosModel(BloomWeights weights, byte[] tokenizerJson, SentenceSettings settings, IReadOnlyDictionary<string, string> provenance, IDisposable? memory)
    {
        _weights = weights;
        TokenizerJson = tokenizerJson;
        Settings = settings;
        Provenance = provenance;
        _uses = new UseCount(() => memory?.Dispose());
        _fingerprint = new Lazy<string>(ComputeFingerprint);
    }

    /// <summary>Weights of the encoder.</summary>
    /// <remarks>
    /// Their memory goes with the model. Matrices that are kept may still be read while an encoder made from it is open; after that their reads throw <see cref="ObjectDisposedException"/>.
    /// <see cref="Quantization.WeightMatrix.Pin"/> holds the memory for longer.
    /// </remarks>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public BloomWeights Weights
    {
        get
        {
            ObjectDisposedException.ThrowIf(_uses.IsClosed, this);
            return _weights;
        }
    }

    /// <summary>Weights for whoever holds a <see cref="Lease"/>, also where somebody has disposed the model meanwhile.</summary>
    internal BloomWeights LeasedWeights => _weights;

    /// <summary>Whether somebody has disposed the model; its weights may still be in use.</summary>
    internal bool IsDisposed => _uses.IsClosed;

    /// <summary>The bytes of the model's <c>tokenizer.json</c>.</summary>
    public ReadOnlyMemory<byte> TokenizerJson { get; }

    /// <summary>Pooling, normalisation, prompts, token limit.</summary>
    public SentenceSettings Settings { get; }

    /// <summary>Name, licence, origin and whatever else the model's makers wrote down, by the keys of <see cref="ModelProvenance"/>.</summary>
    public IReadOnlyDictionary<string, string> Provenance { get; }

    /// <summary>SHA-256 of the model's <c>.lacos</c> file, of the one it was read from or the one that <see cref="Save(string)"/> would write; lower-case hexadecimal.</summary>
    /// <remarks>Computed when first asked for, over all the weights.</remarks>
    /// <exception cref="ObjectDisposedException">The model was disposed before anybody asked.</exception>
    public string Fingerprint => _fingerprint.Value;

    /// <summary>Gives the same weights and tokenizer other settings or another provenance.</summary>
    /// <param name="settings">New settings; <see langword="null"/> for this model's.</param>
    /// <param name="provenance">New provenance, copied, in place of all of the old; <see langword="null"/> for this model's.</param>
    /// <returns>A model that shares the weights; they stay in memory until both are disposed.</returns>
    /// <exception cref="ArgumentException">A value of the provenance is <see langword="null"/>.</exception>
    /// <exception cref="InvalidDataException">The settings make no sense, or the provenance could not be read from a file: it has too many keys, or two that are the same once what is not Unicode in them has become U+FFFD.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public LacosModel With(SentenceSettings? settings = null, IReadOnlyDictionary<string, string>? provenance = null)
    {
        if (provenance?.FirstOrDefault(pair => pair.Value is null) is { Key: string missing })
        {
            throw new ArgumentException($"The provenance has no text for '{TextInMessage.Of(missing)}', which is null. Give one, or leave the key out.", nameof(provenance));
        }

        // Through the file's form and back: what could not be read from a file is refused here, not when somebody opens the file.
        settings = settings is null ? Settings : SentenceSettingsJson.ThroughFile(settings);
        provenance = provenance is null ? Provenance : JsonFile.Strings(Encoding.UTF8.GetBytes(LacosWriter.StringsJson(provenance)), nameof(provenance));
        return new LacosModel(_weights, TokenizerJson.ToArray(), settings, provenance, Lease())
        {
            PanelsInMemoryOnly = PanelsInMemoryOnly,
        };
    }

    /// <summary>Keeps the weights in memory, whoever disposes the model, until the result is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    internal IDisposable Lease()
    {
        _uses.Enter(this);
        return new ModelLease(this);
    }

    /// <inheritdoc/>
    public void Dispose() => _uses.Close();

    private sealed class ModelLease(LacosModel model) : IDisposable
    {
        private LacosModel? _model = model;

        public void Dispose() => Interlocked.Exchange(ref _model, null)?._uses.Leave();
    }
}
