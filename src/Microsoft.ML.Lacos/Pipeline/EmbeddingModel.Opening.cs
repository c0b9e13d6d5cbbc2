using Microsoft.ML.Lacos.Hub;

namespace Microsoft.ML.Lacos.Pipeline;

internal sealed partial class EmbeddingModel
{
    /// <summary>Name of a model for messages.</summary>
    public static string NameOf(LacosModel model) => model.Provenance.TryGetValue("name", out string? name) ? name : "unnamed model";

    /// <summary>Opens the model that options name.</summary>
    public static EmbeddingModel Open(SentenceEmbeddingEstimator.Options options) => Create(LacosModel.OpenForEncoding(options.Model, options.Compute, options.Adapter), options);

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
                Name = NameOf(model),
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
