using Microsoft.Extensions.AI;
using Microsoft.ML.Data;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Pipeline;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Lacos;

/// <summary>Adds columns of sentence vectors to data with text columns.</summary>
/// <remarks>
/// Lazy: nothing is encoded before a vector is read, and then rows are read ahead and encoded together. Thread-safe.
/// Vectors already computed are remembered, within <see cref="SentenceEmbeddingEstimator.Options.CacheBytes"/>, across passes, views and
/// <see cref="PredictionEngine{TSrc, TDst}"/>.
///
/// Disposing ends the use of this object. The model is shared with the estimator's other transformers, with those made by <see cref="ForColumn(string, string)"/>,
/// with views, prediction engines and generators; these keep working, and the last releases it. Note that a
/// <see cref="PredictionEngine{TSrc, TDst}"/> disposes its transformer unless <see cref="PredictionEngineOptions.OwnsTransformer"/> is <see langword="false"/>.
/// </remarks>
public sealed partial class SentenceEmbeddingTransformer : ITransformer, IDisposable
{
    private readonly EmbeddingContext _context;

    internal SentenceEmbeddingTransformer(IHostEnvironment env, SentenceEmbeddingEstimator.Options options, ModelLease lease)
        : this(new EmbeddingContext(env.Register(nameof(SentenceEmbeddingTransformer)), options, lease))
    {
    }

    private SentenceEmbeddingTransformer(EmbeddingContext context)
    {
        _context = context;
    }

    /// <summary>The model.</summary>
    /// <remarks>Shared with every transformer that has it, which cannot be saved any more once it is disposed: leave that to them, or take one of your own with <see cref="LacosModel.With"/>.</remarks>
    /// <exception cref="ObjectDisposedException">The transformer has been disposed.</exception>
    public LacosModel Model => Open.Model.Model ?? throw new InvalidOperationException($"The encoder of '{Open.Model.Name}' is not made of a model file, so there is no model to give.");

    /// <summary>sha256 of the model as a <c>.lacos</c> file, in hexadecimal; also the annotation <c>LacosModelFingerprint</c> of each vector column.</summary>
    /// <exception cref="ObjectDisposedException">The transformer has been disposed.</exception>
    public string Fingerprint => Open.Model.Fingerprint;

    /// <summary>What runs the model: for example <c>native avx512vnni, 2 threads</c>.</summary>
    /// <exception cref="ObjectDisposedException">The transformer has been disposed.</exception>
    public string Description => Open.Model.Description;

    /// <summary>Dimensions of a vector; a <see cref="EmbeddingPrecision.Binary"/> column has an eighth as many elements.</summary>
    /// <exception cref="ObjectDisposedException">The transformer has been disposed.</exception>
    public int Dimension => Open.Vectors.Dimension;

    /// <summary>The text columns and the vector columns made of them.</summary>
    public IReadOnlyList<SentenceEmbeddingEstimator.ColumnOptions> Columns => _context.Options.Columns;

    /// <summary>Number format of the vectors.</summary>
    public EmbeddingPrecision Precision => _context.Options.Precision;

    /// <summary>Always: each row is mapped by itself.</summary>
    public bool IsRowToRowMapper => true;

    private EmbeddingContext Open
    {
        get
        {
            return !_context.Lease.IsReleased ? _context : throw new ObjectDisposedException(
                nameof(SentenceEmbeddingTransformer),
                "The transformer has been disposed. A PredictionEngine disposes its transformer unless PredictionEngineOptions.OwnsTransformer is false: set it, or use the transformer before the engine is disposed.");
        }
    }

    /// <summary>Tells the schema of <see cref="Transform"/>'s result: the input's columns, then each text's vector and token count, then the score.</summary>
    /// <param name="inputSchema">Schema of the input.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or is not a text.</exception>
    /// <exception cref="ObjectDisposedException">The transformer has been disposed.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return Open.Bind(inputSchema).OutputSchema;
    }

    /// <summary>Gives a view of the input with the new columns; rows are read and encoded as the view is.</summary>
    /// <param name="input">Data with the text columns.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or is not a text.</exception>
    /// <exception cref="ObjectDisposedException">The transformer has been disposed.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new EmbeddingView(Open.Another(this), input);
    }

    /// <summary>Gives a mapper of single rows, with the same vectors as <see cref="Transform"/>, bit by bit.</summary>
    /// <param name="inputSchema">Schema of the rows.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or is not a text.</exception>
    /// <exception cref="ObjectDisposedException">The transformer has been disposed.</exception>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new EmbeddingRowMapper(Open.Another(this), inputSchema);
    }

    /// <summary>Gives a transformer of one column over the same weights and the same memory of vectors.</summary>
    /// <param name="outputColumnName">Name of the vector column.</param>
    /// <param name="inputColumnName">Name of the text column; <see langword="null"/> takes <paramref name="outputColumnName"/>.</param>
    /// <exception cref="ArgumentException">A name is empty.</exception>
    /// <exception cref="ObjectDisposedException">The transformer has been disposed.</exception>
    public SentenceEmbeddingTransformer ForColumn(string outputColumnName, string? inputColumnName = null) =>
        ForColumn(new SentenceEmbeddingEstimator.ColumnOptions(outputColumnName, inputColumnName));

    /// <summary>Gives a transformer of one column over the same weights and the same memory of vectors, with a prompt of its own where the column has one.</summary>
    /// <param name="column">The column.</param>
    /// <exception cref="ArgumentException">The model has no prompt of the column's name for it, or the prompt leaves no token for a text.</exception>
    /// <exception cref="ObjectDisposedException">The transformer has been disposed.</exception>
    public SentenceEmbeddingTransformer ForColumn(SentenceEmbeddingEstimator.ColumnOptions column)
    {
        ArgumentNullException.ThrowIfNull(column);
        SentenceEmbeddingEstimator.Options options = Open.Options.Copy();
        options.Columns = [column];
        options.ScoreColumnName = null;
        return new SentenceEmbeddingTransformer(Open.Another(this, OptionsValidation.Checked(options)));
    }

    /// <summary>Gives the model as .NET's own abstraction, for dependency injection, vector stores and caching.</summary>
    /// <remarks>
    /// Vectors are fp32 whatever <see cref="Precision"/> says, and the same bits as in a column. <see cref="EmbeddingGenerationOptions.Dimensions"/> cuts them
    /// and normalises again. The prompt is that of the columns where all have the same, else that of the options. <c>Usage</c> counts the tokens of the texts. A call runs on the thread pool and stops between batches when cancelled. The generator keeps the model open until it is disposed itself.
    /// </remarks>
    /// <exception cref="ObjectDisposedException">The transformer has been disposed.</exception>
    public IEmbeddingGenerator<string, Embedding<float>> AsEmbeddingGenerator() => new EmbeddingGenerator(Open.Another(this));

    /// <summary>Ends the use of this object; the model is released with its last user.</summary>
    public void Dispose() => _context.Dispose();
}
