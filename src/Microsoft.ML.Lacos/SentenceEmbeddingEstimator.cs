using Microsoft.ML.Lacos.Pipeline;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Lacos;

/// <summary>Turns text columns into columns of sentence vectors with an 8-bit BLOOM.</summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
/// | | |
/// | -- | -- |
/// | Does this estimator need to look at the data to train its parameters? | No |
/// | Input column data type | [Text](xref:Microsoft.ML.Data.TextDataViewType) |
/// | Output column data type | Known-sized vector of [Single](xref:System.Single), [SByte](xref:System.SByte) or [Byte](xref:System.Byte), as `Options.Precision` says |
/// | Is normalization required? | No |
/// | Is caching required? | No: vectors already computed are remembered within `Options.CacheBytes` |
/// | Required NuGet in addition to Microsoft.ML | This one |
/// | Exportable to ONNX | No |
/// ]]></format>
/// A missing or empty text has no tokens and gives a zero vector (with a prompt, the prompt's vector); white space has tokens and is encoded. Unpaired surrogates are encoded as U+FFFD.
/// A text's vector is the same bits whatever stands beside it, in cursors and in <see cref="PredictionEngine{TSrc, TDst}"/>.
///
/// Transformers fitted by one estimator share the weights and the memory of vectors while one of them is in use, so that cross-validation loads a model once.
/// The model is released when the last of them, and of the views made by them, is gone. Thread-safe.
/// Each vector column has slot names, the annotation <c>LacosModelFingerprint</c>, and <c>IsNormalized</c> where its vectors are of norm 1.
/// </remarks>
public sealed partial class SentenceEmbeddingEstimator : IEstimator<SentenceEmbeddingTransformer>
{
    private readonly IHost _host;
    private readonly Options _options;
    private readonly Func<Options, EmbeddingModel> _open;
    private readonly object _opening = new();
    private readonly WeakReference<SharedModel?> _lastModel = new(null);

    internal SentenceEmbeddingEstimator(IHostEnvironment env, Options options)
        : this(env, options, EmbeddingModel.Open)
    {
    }

    internal SentenceEmbeddingEstimator(IHostEnvironment env, Options options, Func<Options, EmbeddingModel> open)
    {
        ArgumentNullException.ThrowIfNull(env);
        _options = OptionsValidation.Checked(options);
        _host = env.Register(nameof(SentenceEmbeddingEstimator));
        _open = open;
    }

    /// <summary>Opens the model. The data is not read; only its schema is checked.</summary>
    /// <param name="input">Data with the text columns.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or is not a text.</exception>
    /// <exception cref="IOException">The model cannot be read.</exception>
    /// <exception cref="InvalidDataException">The model's files are damaged or of another kind.</exception>
    /// <exception cref="ArgumentException">An option does not fit the model, or <c>LACOS_FORCE_ISA</c> names no kernels.</exception>
    /// <exception cref="NotSupportedException">The model is no BLOOM or has parts this library does not know, or was written by a newer version.</exception>
    /// <exception cref="PlatformNotSupportedException"><c>LACOS_FORCE_ISA</c> names kernels that cannot run here.</exception>
    public SentenceEmbeddingTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        foreach (ColumnOptions column in _options.Columns)
        {
            ColumnErrors.RequireText(_host, input.Schema, column.InputColumnName);
        }
        return new SentenceEmbeddingTransformer(_host, _options, LeaseModel());
    }

    /// <summary>Tells what columns the transformer will add.</summary>
    /// <param name="inputSchema">Shape of the input.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or is not a text.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        var columns = inputSchema.ToDictionary(column => column.Name, StringComparer.Ordinal);
        foreach (ColumnOptions column in _options.Columns)
        {
            ColumnErrors.RequireText(_host, inputSchema, column.InputColumnName);
        }
        foreach (SchemaShape.Column column in OutputShape.Columns(_options))
        {
            columns[column.Name] = column;
        }
        return new SchemaShape(columns.Values);
    }

    private ModelLease LeaseModel()
    {
        lock (_opening)
        {
            // A model that somebody has disposed serves those who have it, but cannot be saved.
            if (_lastModel.TryGetTarget(out SharedModel? shared) && shared.Model.Model?.IsDisposed != true && shared.TryLease() is ModelLease another)
            {
                return another;
            }
            EmbeddingModel model = _open(_options);
            ModelLease lease = SharedModel.Start(model, _options.CacheBytes);
            ModelMessages.Opened(_host, model);
            _lastModel.SetTarget(lease.Shared);
            return lease;
        }
    }
}
