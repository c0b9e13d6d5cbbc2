using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Pipeline;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Training.Bloom;
using Microsoft.ML.Lacos.Training.Data;
using Microsoft.ML.Lacos.Training.Distributed;
using Microsoft.ML.Lacos.Training.Loading;
using Microsoft.ML.Lacos.Training.Loop;
using Microsoft.ML.Runtime;
using TorchSharp;

namespace Microsoft.ML.Lacos;

/// <summary>Fine-tunes an 8-bit BLOOM on pairs of sentences, or on texts and their classes, with LoRA and an 8-bit Adam (LACoS-BLOOM, arXiv 2305.06404).</summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
/// | | |
/// | -- | -- |
/// | Does this estimator need to look at the data to train its parameters? | Yes |
/// | Input column data type | [Text](xref:Microsoft.ML.Data.TextDataViewType), two columns or more; a label of the kind the loss needs. Or one column of texts and their classes |
/// | Output column data type | Two known-sized vectors of [Single](xref:System.Single) and their cosine, a [Single](xref:System.Single). Or one vector |
/// | Is normalization required? | No |
/// | Is caching required? | No: the data is read once and kept as token ids, beyond a budget in a temporary file |
/// | Required NuGet in addition to Microsoft.ML | Microsoft.ML.Lacos.Training and one libtorch package; the fitted model needs Microsoft.ML.Lacos only |
/// | Exportable to ONNX | No |
/// ]]></format>
/// Where <see cref="Options.TextColumnName"/> is given, each text has a class instead of a partner (a key, text, a Boolean or whole numbers in the label column), the trainer makes the pairs
/// itself, and the transformer adds one vector column, to stand before a classifier in one pipeline. It is the same trainer with the same options, so it keeps its place among the regression
/// trainers: among those of multiclass classification it would seem to predict a label, and among the text transforms to leave the label alone.
/// Any loss of pairs will do; of those tried, <see cref="TrainingLoss.MultipleNegativesRanking"/> gained most from as many sentences. In a batch, only texts of other classes are its negatives, and each class has as many rows as another.
/// Rows without a label and texts that stand under several classes are left out with a warning; an empty text is refused; a class of one text is only told from the others.
/// With the loss <see cref="TrainingLoss.MeanSquaredError"/> the text has a teacher's vector instead of a class.
///
/// The base model's weights stay as they are while small adapters beside them are trained; afterwards the adapters are merged in.
/// <see cref="MLContext.GpuDeviceId"/> and <see cref="MLContext.FallbackToCpu"/> are honoured as they are when the trainer is created: the graph then runs on that CUDA device,
/// evaluations and the fitted transformer on the CPU.
/// With the same options, data and machine a run on the CPU gives the same bits, also when it was stopped and resumed.
/// </remarks>
public sealed partial class LacosBloomTrainer : IEstimator<SentenceEmbeddingTransformer>
{
    private readonly IHost _host;
    private readonly Options _options;

    internal LacosBloomTrainer(IHostEnvironment env, Options options)
    {
        ArgumentNullException.ThrowIfNull(env);
        _options = TrainerOptionsValidation.Checked(options);
        _host = env.Register(nameof(LacosBloomTrainer));
    }

    /// <summary>Trains on pairs of sentences.</summary>
    /// <param name="input">The training data.</param>
    /// <returns>A transformer over the base model with the trained adapter merged in: it adds both vectors and their cosine.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing, or one of sentences is not of texts.</exception>
    /// <exception cref="ArgumentException">The label column is of another type than the loss needs, or <see cref="Options.MatryoshkaDimensions"/> has more dimensions than the model's vectors, or the prompt leaves no token for the text, or the model has none of the name given.</exception>
    /// <exception cref="FileNotFoundException">The model or the adapter to start from does not exist.</exception>
    /// <exception cref="DllNotFoundException">There is no libtorch that can be loaded; the message says which package to add.</exception>
    /// <exception cref="InvalidDataException">A text is empty, a label unfit for the loss, there are too few different pairs or classes, or a checkpoint is of another configuration, or all are damaged.</exception>
    /// <exception cref="NotSupportedException">The GPU asked for cannot be had and the CPU is not allowed, or the base cannot be given the scheme.</exception>
    /// <exception cref="InvalidOperationException">
    /// The loss became NaN (the message names step and rows), or the output folder holds an earlier run that <see cref="Options.Resume"/> does not continue, or an adapter that is of no run, or another run is writing into it.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled; a checkpoint was written where there is an output folder.</exception>
    public SentenceEmbeddingTransformer Fit(IDataView input) => Fit(input, _options.ValidationSet);

    /// <summary>Trains on pairs of sentences and keeps the adapter that does best on scored pairs.</summary>
    /// <param name="input">The training data.</param>
    /// <param name="validation">Pairs with people's scores, with the same sentence columns; <see langword="null"/> for none.</param>
    /// <inheritdoc cref="Fit(IDataView)"/>
    public SentenceEmbeddingTransformer Fit(IDataView input, IDataView? validation)
    {
        LacosModel model = OpenModel();
        try
        {
            PeftAdapter adapter = Train(model, input, validation);
            using LacosModel unadapted = model;
            return Transformer(Adapted(unadapted, adapter));
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Trains and gives the adapter alone.</summary>
    /// <param name="input">The training data.</param>
    /// <param name="validation">Pairs with people's scores; <see langword="null"/> takes <see cref="Options.ValidationSet"/>.</param>
    /// <returns>The adapter, to be saved as a PEFT folder or merged into a model.</returns>
    /// <inheritdoc cref="Fit(IDataView)"/>
    public PeftAdapter FitAdapter(IDataView input, IDataView? validation = null)
    {
        using LacosModel model = OpenModel();
        return Train(model, input, validation ?? _options.ValidationSet);
    }

    /// <summary>Reads the data and says what training would do, without a step; refuses and warns of what the training would, and writes nothing.</summary>
    /// <param name="input">The training data.</param>
    /// <inheritdoc cref="Fit(IDataView)"/>
    public TrainingPlan Plan(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        TorchSharpLoader.EnsureLoadable();
        using IChannel channel = _host.Start("Training");
        using LacosModel model = OpenModel();
        Options told = OptionsOnDevice(model, channel);
        ValidationSet? judged = _options.ValidationSet is IDataView validation ? ReadValidation(validation) : null;
        using LoadedData data = Read(model, input, judged, channel);
        return PlanOfRun.Of(model, data, judged, told, message => channel.Info(MessageSensitivity.None, "{0}", message));
    }

    /// <summary>Tells what columns the transformer will add.</summary>
    /// <param name="inputSchema">Shape of the input.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing, or one of sentences or of what balances is not of texts, or one of classes cannot name them.</exception>
    /// <exception cref="ArgumentException">The label column is of another type than the loss needs.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        var columns = inputSchema.ToDictionary(column => column.Name, StringComparer.Ordinal);
        foreach (string name in DatasetSettings.OfInput(_options).TextColumns)
        {
            ColumnErrors.RequireText(_host, inputSchema, name);
        }
        if (LabelName is string label)
        {
            RequireLabel(columns.TryGetValue(label, out SchemaShape.Column column) ? column : throw MissingLabel(label, columns.Keys));
        }
        foreach (SchemaShape.Column added in OutputShape.Columns(EmbeddingOptions))
        {
            columns[added.Name] = added;
        }
        return new SchemaShape(columns.Values);
    }

    private void RequireLabel(SchemaShape.Column column)
    {
        if (HasClasses)
        {
            RequireClasses(column);
        }
        else
        {
            TrainingLabels.Require(column, _options.Loss);
        }
    }

    private SentenceEmbeddingEstimator.Options EmbeddingOptions => EmbeddingOptionsOf(_options);

    /// <summary>Options of the transformer that comes of the training.</summary>
    /// <exception cref="ArgumentException">No transformer can have them.</exception>
    internal static SentenceEmbeddingEstimator.Options EmbeddingOptionsOf(Options options) => OptionsValidation.Checked(new SentenceEmbeddingEstimator.Options
    {
        Columns = options.TextColumnName is string text
            ? [new(options.EmbeddingColumnName, text)]
            : [new(options.Embedding1ColumnName, options.Sentence1ColumnName), new(options.Embedding2ColumnName, options.Sentence2ColumnName, prompt: options.Sentence2Prompt, promptName: options.Sentence2PromptName)],
        ScoreColumnName = options.TextColumnName is null ? options.ScoreColumnName : null,
        Pooling = options.Pooling,
        Prompt = options.Prompt,
        PromptName = options.PromptName,
        MaximumTokenCount = options.MaximumTokenCount,
        Compute = options.Compute,
    });

    /// <summary>The base with an adapter merged in: a folder is read again, because its floats take an update that is lost in codes.</summary>
    private LacosModel Adapted(LacosModel model, PeftAdapter adapter) =>
        Directory.Exists(_options.Model) ? LacosModel.OpenForEncoding(_options.Model, _options.Compute, adapter, _options.BaseScheme) : model.WithAdapter(adapter);

    private LacosModel OpenModel() => LacosModel.Open(_options.Model, _options.Compute, scheme: _options.BaseScheme);

    private PeftAdapter Train(LacosModel model, IDataView input, IDataView? validation)
    {
        ArgumentNullException.ThrowIfNull(input);
        TorchSharpLoader.EnsureLoadable();
        TorchThreads.Limit();
        using IChannel channel = _host.Start("Training");
        Options told = OptionsOnDevice(model, channel);
        ValidationSet? judged = validation is null ? null : ReadValidation(validation);
        using LoadedData data = Read(model, input, judged, channel);

        // Of its own name, so that who shows progress itself can tell it from everything else.
        using IChannel steps = _host.Start("Progress");
        told.Progress = new ChannelProgress(steps, _options.Progress);
        using var run = new TrainingRun(model, data, trained => Adapted(model, trained), judged, told, message => channel.Info(MessageSensitivity.None, "{0}", message));
        PeftAdapter adapter = run.Run(_options.CancellationToken).WithStrength(_options.Strength);
        if (_options.OutputFolder is string folder)
        {
            var ranks = new Ranks(_options.ProcessGroup);
            if (ranks.IsFirst)
            {
                adapter.Save(folder);
            }

            // Nobody goes on before the folder is whole.
            ranks.Any(here: false);
        }
        return adapter;
    }

    private Options OptionsOnDevice(LacosModel model, IChannel channel)
    {
        Options options = _options.Copy();
        options.Device ??= Device(message => channel.Warning(MessageSensitivity.None, "{0}", message));
        bool isNative = FrozenLayers.AreNative(model.Weights, options.Device);
        bool isExact = model.Weights.Blocks.All(block => block.Linears.All(linear => linear.Weight.Scheme == QuantizationScheme.None));
        if (options.Precision == TrainingPrecision.BFloat16 && (isNative || isExact))
        {
            channel.Warning(MessageSensitivity.None, "Precision BFloat16 has no effect on this base, whose products are {0}.", isNative ? "int8 in the native kernels" : "in fp32 as its weights are");
        }
        if (options.ActivationMemory > 0 && !isNative)
        {
            channel.Warning(MessageSensitivity.None, "ActivationMemory has no effect without int8 weights in the native kernels, on the CPU.");
        }
        return options;
    }

    private LoadedData Read(LacosModel model, IDataView input, ValidationSet? judged, IChannel channel)
    {
        EvaluationPairs? evaluated = judged switch
        {
            null => null,
            _ when HasClasses => EvaluationPairs.OfTexts(judged.Pairs, _options.LeaveOutValidationPairs),
            _ => new EvaluationPairs(judged.Pairs, _options.LeaveOutValidationPairs),
        };
        LoadedData data = Read(model, input, evaluated);
        if (data.LongTexts > 0)
        {
            channel.Warning(MessageSensitivity.None, "{0} of {1} texts have more tokens than the limit and are truncated. Raise MaximumTokenCount, or shorten them.", data.LongTexts, data.Tokens.Count);
        }
        if (evaluated?.Message is string overlap)
        {
            channel.Warning(MessageSensitivity.UserData, "{0}", overlap);
        }
        return data;
    }

    private LoadedData Read(LacosModel model, IDataView input, EvaluationPairs? evaluated)
    {
        (IDataView Data, DatasetSettings Settings)[] sources = [.. _options.Datasets.Select(dataset => dataset.Data).Prepend(input).Zip(DatasetSettings.All(_options))];
        foreach ((IDataView data, DatasetSettings settings) in sources)
        {
            CheckColumns(data.Schema, settings);
        }
        var tokens = new TokenStore(_options.TokenMemoryBytes, CatalogEnvironment.TemporaryFolder(_host));
        try
        {
            var texts = new TextInterner(model, _options, tokens);
            var reader = new TrainingSetReader(texts, evaluated, _options.CancellationToken);
            int dimension = Pooling.Dimension(model.Weights.Config.HiddenSize, new PoolingOptions(_options.Pooling ?? model.Settings.Pooling));
            CheckMatryoshka(dimension);
            return new LoadedData([.. sources.Select(source => new LoadedDataset(source.Settings, source.Settings.HasClasses ? ReadClasses(source.Data, texts, evaluated) : reader.Read(source.Data, source.Settings, dimension)))], tokens, texts.PoolFrom, texts.SecondPoolFrom, texts.LongTexts);
        }
        catch
        {
            tokens.Dispose();
            throw;
        }
    }

    private void CheckMatryoshka(int dimension)
    {
        if (_options.MatryoshkaDimensions.Any(asked => asked > dimension))
        {
            throw new ArgumentException(
                $"MatryoshkaDimensions is [{string.Join(", ", _options.MatryoshkaDimensions)}]; it must be dimensions of at most {dimension}, the length of this model's vectors.", nameof(Options.MatryoshkaDimensions));
        }
    }

    private void CheckColumns(DataViewSchema schema, DatasetSettings settings)
    {
        foreach (string name in settings.TextColumns)
        {
            ColumnErrors.RequireText(_host, schema, name);
        }
        if (settings.LabelColumn is string label && schema.GetColumnOrNull(label) is null)
        {
            throw MissingLabel(label, schema.Select(column => column.Name));
        }
    }

    private ValidationSet ReadValidation(IDataView validation)
    {
        if (HasClasses)
        {
            return ReadValidationClasses(validation);
        }
        ColumnErrors.RequireText(_host, validation.Schema, _options.Sentence1ColumnName);
        ColumnErrors.RequireText(_host, validation.Schema, _options.Sentence2ColumnName);
        if (_options.ValidationGroupColumnName is string group)
        {
            ColumnErrors.RequireText(_host, validation.Schema, group);
        }
        return validation.Schema.GetColumnOrNull(_options.ValidationLabelColumnName) is null
            ? throw MissingLabel(_options.ValidationLabelColumnName, validation.Schema.Select(column => column.Name))
            : ValidationSet.Read(validation, _options.Sentence1ColumnName, _options.Sentence2ColumnName, _options.ValidationLabelColumnName, _options.ValidationGroupColumnName);
    }

    private SentenceEmbeddingTransformer Transformer(LacosModel model)
    {
        SentenceEmbeddingEstimator.Options options = EmbeddingOptions;
        return new SentenceEmbeddingTransformer(_host, options, SharedModel.Start(EmbeddingModel.Create(model, options), options.CacheBytes));
    }

    private GraphDevice Device(Action<string> warn)
    {
        (int? gpu, bool fallback) = CatalogEnvironment.Device(_host);
        torch.ScalarType product = _options.Precision == TrainingPrecision.BFloat16 ? torch.ScalarType.BFloat16 : torch.ScalarType.Float32;
        return GraphDevice.Choose(gpu, fallback, product, torch.cuda.device_count, warn);
    }

    private ArgumentOutOfRangeException MissingLabel(string name, IEnumerable<string> others) => _host.Process(new ArgumentOutOfRangeException(
        "inputSchema", $"Could not find label column '{name}'. The columns are: {string.Join(", ", others.Distinct(StringComparer.Ordinal).Take(32))}. Name one of them."));
}
