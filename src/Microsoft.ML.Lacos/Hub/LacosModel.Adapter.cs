using Microsoft.ML.Lacos.Lora;

namespace Microsoft.ML.Lacos.Hub;

/// <content>Adapters.</content>
public sealed partial class LacosModel
{
    /// <summary>Merges a LoRA adapter into the weights.</summary>
    /// <param name="adapter">The adapter, trained on this model or its full-precision original.</param>
    /// <returns>A new model; a matrix that is not adapted is shared with this one, an adapted one is quantised again in the scheme it had, which rounds once more.</returns>
    /// <remarks>
    /// Name, licence, origin and the hash of the base stay in the provenance; <see cref="ModelProvenance.Scores"/> do not, because they were measured with other weights.
    /// From a checkpoint folder, naming the adapter in <see cref="LacosModelLoadOptions.Adapter"/> is more exact: it merges before quantising, a matrix at a time, where a small update of codes is lost in rounding.
    /// </remarks>
    /// <exception cref="InvalidDataException">The adapter was made for another shape, or a merged weight is not finite.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public LacosModel WithAdapter(PeftAdapter adapter)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        IDisposable lease = Lease();
        MergedBloomWeights? merged = null;
        try
        {
            merged = adapter.Merge(_weights);
            return new LacosModel(merged.Weights, TokenizerJson.ToArray(), Settings, ProvenanceWithoutScores(), new MergedMemory(merged, lease)) { PanelsInMemoryOnly = PanelsInMemoryOnly };
        }
        catch
        {
            merged?.Dispose();
            lease.Dispose();
            throw;
        }
    }

    // What was measured of these weights says nothing of those that an adapter has changed.
    private Dictionary<string, string> ProvenanceWithoutScores()
    {
        var provenance = new Dictionary<string, string>(Provenance, StringComparer.Ordinal);
        provenance.Remove(ModelProvenance.Scores);
        return provenance;
    }

    private static LacosModel Adapted(LacosModel model, PeftAdapter? adapter)
    {
        if (adapter is null)
        {
            return model;
        }
        using LacosModel unadapted = model;
        return unadapted.WithAdapter(adapter);
    }

    private sealed class MergedMemory(MergedBloomWeights merged, IDisposable baseModel) : IDisposable
    {
        public void Dispose()
        {
            merged.Dispose();
            baseModel.Dispose();
        }
    }
}
