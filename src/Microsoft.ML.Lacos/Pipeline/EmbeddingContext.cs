using Microsoft.ML.Runtime;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>What views, rows and generators need of the transformer that made them; it holds its own lease of the model.</summary>
internal sealed class EmbeddingContext(IHost host, SentenceEmbeddingEstimator.Options options, ModelLease lease) : IGeneratorModel
{
    public IHost Host { get; } = host;

    /// <summary>Checked options; not to be changed.</summary>
    public SentenceEmbeddingEstimator.Options Options { get; } = options;

    public ModelLease Lease { get; } = lease;

    public EmbeddingModel Model => Lease.Shared.Model;

    public TextVectors Vectors => Lease.Shared.Vectors;

    public string ModelName => Model.Name;

    public int TextsPerCall => Options.LookAheadRows;

    public CancellationToken Cancellation => Options.CancellationToken;

    public VectorFormat Format => new(Options.Precision, Vectors.Dimension, Vectors.IsNormalized);

    /// <summary>A context for another holder, who is named in the error when this one was disposed.</summary>
    public EmbeddingContext Another(object holder, SentenceEmbeddingEstimator.Options? options = null) => new(Host, options ?? Options, Lease.Another(holder));

    public IDisposable Enter(object generator) => Another(generator);

    public ColumnBindings Bind(DataViewSchema inputSchema) => new(Host, Options, inputSchema, Format, Model.Fingerprint);

    public void ReportLongTexts(int count) => ModelMessages.LongTexts(Host, Lease.Shared, Options.LongText, count);

    public void Dispose() => Lease.Dispose();
}
