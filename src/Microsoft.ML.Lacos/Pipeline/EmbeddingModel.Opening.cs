using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Pipeline;

internal sealed partial class EmbeddingModel
{
    /// <summary>Opens the model that options name.</summary>
    public static EmbeddingModel Open(SentenceEmbeddingEstimator.Options options)
    {
        var loading = new LacosModelLoadOptions { Adapter = options.Adapter };
        if (options.Compute == BloomCompute.Float32 && Directory.Exists(options.Model))
        {
            loading = loading with { Scheme = QuantizationScheme.None };
        }
        return Create(options.Model is null ? LacosModel.LoadDefault(loading) : LacosModel.Load(options.Model, loading), options);
    }

    /// <summary>Reads a model from a <c>.lacos</c> stream.</summary>
    public static EmbeddingModel Read(Stream stream, SentenceEmbeddingEstimator.Options options) => Create(LacosModel.Load(stream), options);

    /// <summary>Prepares a model for encoding and takes ownership of it, also when that fails.</summary>
    public static EmbeddingModel Create(LacosModel model, SentenceEmbeddingEstimator.Options options)
    {
        try
        {
            SentenceEncoder encoder = SentenceEncoder.Create(model, options.ToEncoderOptions());
            return new EmbeddingModel
            {
                Encoder = encoder,
                Name = model.Provenance.TryGetValue("name", out string? name) ? name : "unnamed model",
                Fingerprint = model.Fingerprint,
                Description = encoder.Description,
                MaximumTokenCount = encoder.MaximumTokenCount,
                Save = model.Save,
                Model = model,
            };
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}
