using Microsoft.ML.Runtime;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>What views, rows and generators need of the transformer that made them; it holds its own lease of the model.</summary>
internal sealed class EmbeddingContext : IGeneratorModel
{
    private readonly TextVectors[] _sources;

    /// <param name="host">Where messages go.</param>
    /// <param name="options">Checked options.</param>
    /// <param name="lease">Owned from here on, also when this throws.</param>
    /// <exception cref="ArgumentException">A column's prompt is not one of the model's, or leaves no token for a text.</exception>
    public EmbeddingContext(IHost host, SentenceEmbeddingEstimator.Options options, ModelLease lease)
    {
        (Host, Options, Lease) = (host, options, lease);
        try
        {
            _sources = [.. options.Columns.Select(lease.VectorsOf)];
            Vectors = _sources.All(source => source == _sources[0]) ? _sources[0] : lease.Shared.Vectors;
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    public IHost Host { get; }

    /// <summary>Checked options; not to be changed.</summary>
    public SentenceEmbeddingEstimator.Options Options { get; }

    public ModelLease Lease { get; }

    public EmbeddingModel Model => Lease.Shared.Model;

    /// <summary>Vectors behind the prompt of the columns where they have one in common, else behind that of the options.</summary>
    public TextVectors Vectors { get; }

    public string ModelName => Model.Name;

    public int TextsPerCall => Options.LookAheadRows;

    public CancellationToken Cancellation => Options.CancellationToken;

    public VectorFormat Format => new(Options.Precision, Vectors.Dimension, Vectors.IsNormalized);

    /// <summary>Vectors of a text column, by its position in the options.</summary>
    public TextVectors VectorsOf(int source) => _sources[source];

    /// <summary>A context for another holder, who is named in the error when this one was disposed.</summary>
    public EmbeddingContext Another(object holder, SentenceEmbeddingEstimator.Options? options = null) => new(Host, options ?? Options, Lease.Another(holder));

    public IDisposable Enter(object generator) => Another(generator);

    public ColumnBindings Bind(DataViewSchema inputSchema) => new(Host, Options, inputSchema, Format, Model.Fingerprint);

    public void ReportLongTexts(int count) => ModelMessages.LongTexts(Host, Lease.Shared, Options.LongText, count);

    public void Dispose() => Lease.Dispose();
}
