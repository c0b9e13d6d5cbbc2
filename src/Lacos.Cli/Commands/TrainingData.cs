using Lacos.Cli.Input;
using Lacos.Cli.Terminal;
using Microsoft.ML;
using Microsoft.ML.Lacos;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Pipeline;
using Microsoft.ML.Lacos.Quantization;

namespace Lacos.Cli.Commands;

/// <summary>Makes the data sets of a run from what <c>--data</c> and <c>--eval</c> name.</summary>
/// <param name="ml">Makes the views.</param>
/// <param name="options">Of the trainer; the data sets are put in.</param>
/// <param name="columns">Value of <c>--columns</c>, for data sets that name none themselves.</param>
/// <param name="classes">Value of <c>--class-column</c>.</param>
/// <param name="streams">Takes warnings.</param>
internal sealed class TrainingData(MLContext ml, LacosBloomTrainer.Options options, string? columns, string? classes, ToolStreams streams)
{
    private readonly string[]? _columns = columns?.Split(',', StringSplitOptions.TrimEntries);

    /// <summary>What the name of a column of a teacher's vectors begins with; the teacher follows, so that messages on the column name it.</summary>
    internal const string TeacherPrefix = "teacher=";

    /// <summary>Puts the data sets into the options.</summary>
    /// <param name="arguments">Values of <c>--data</c>.</param>
    /// <returns>The first data set.</returns>
    /// <exception cref="UsageException">A setting or the columns of a file do not fit the loss.</exception>
    public IDataView Load(IReadOnlyList<DataArgument> arguments)
    {
        int weighted = arguments.Count(argument => argument.Number("weight") is not null);
        if (weighted > 0 && weighted < arguments.Count)
        {
            throw new UsageException($"weight= is given in {weighted} of {arguments.Count} --data. Give it in all of them, or in none, to go by size.");
        }
        List<TrainingDataset> datasets = [.. arguments.Select(ToDataset)];
        if (datasets.Count > 1 && datasets.Find(HasClassesIn) is { Name: var name })
        {
            throw new UsageException($"'{name}' has texts and their classes, which are trained on alone, and there are {datasets.Count} --data. Give it without the others.");
        }

        // The trainer's own columns are those of its first data set: two, where any data set has two.
        TrainingDataset first = datasets.Find(HasTwoSentences) ?? datasets[0];
        datasets.Remove(first);
        options.Loss = first.Loss!.Value;
        options.Sentence1ColumnName = first.Sentence1ColumnName!;
        options.NegativeColumnNames = first.NegativeColumnNames!;
        options.LabelColumnName = first.LabelColumnName;
        options.Weight = first.Weight;
        options.BalanceColumnName = first.BalanceColumnName;
        options.BalancePower = first.BalancePower!.Value;
        options.Scale = first.Scale!.Value;
        options.BothDirections = first.BothDirections!.Value;
        options.Margin = first.Margin!.Value;
        options.BatchSize = first.BatchSize!.Value;
        options.Sentence2ColumnName = nameof(TrainingPair.Sentence2);
        options.TextColumnName = HasTwoSentences(first) ? null : first.Sentence1ColumnName;
        options.DataName = first.Name!;
        options.LossWeight = first.LossWeight;
        options.Datasets = datasets;
        HasClasses = HasClassesIn(first);
        return first.Data;
    }

    /// <summary>Whether the training data is texts and their classes.</summary>
    public bool HasClasses { get; private set; }

    /// <summary>Reads what the adapter is judged on: scored pairs, each file a set of its own; or texts and their classes, where these are trained on.</summary>
    /// <param name="paths">Values of <c>--eval</c>.</param>
    /// <exception cref="UsageException">They are of another kind than the training data.</exception>
    public IDataView LoadEvaluation(IReadOnlyList<string> paths)
    {
        List<(string Path, TrainingFile File)> files = [.. paths.Select(path => (path, new TrainingFile(path, _columns, classes, streams, options.CancellationToken)))];
        if (files.Find(entry => entry.File.Columns.HasClasses != HasClasses).Path is string other)
        {
            (string judged, string trained) = HasClasses ? ("pairs", "texts and their classes") : ("texts and their classes", "pairs");
            throw new UsageException($"--eval '{other}' has {judged}, and --data has {trained}. Judge on {trained} too.");
        }
        return !HasClasses ? LoadScored(files)
            : files.Count == 1 ? Texts(files[0].File)
            : throw new UsageException($"There are {files.Count} --eval; texts and their classes are judged on one file. Give one.");
    }

    private IDataView LoadScored(List<(string Path, TrainingFile File)> files)
    {
        var pairs = new List<TrainingPair>();
        foreach ((string path, TrainingFile file) in files)
        {
            foreach (TrainingPair pair in file.Pairs)
            {
                pair.Group = path;
                pairs.Add(pair);
            }
        }
        options.ValidationGroupColumnName = nameof(TrainingPair.Group);
        return ml.Data.LoadFromEnumerable(pairs);
    }

    private IDataView Texts(TrainingFile file) => ml.Data.LoadFromEnumerable(file.Pairs.Select(pair => new LabelledText { Text = pair.Sentence1, Label = pair.Group }));

    private static bool HasClassesIn(TrainingDataset dataset) => !HasTwoSentences(dataset) && dataset.Loss != TrainingLoss.MeanSquaredError;

    private static bool HasTwoSentences(TrainingDataset dataset) => dataset.Sentence2ColumnName!.Length > 0;

    private TrainingDataset ToDataset(DataArgument argument)
    {
        TrainingLoss loss = argument.Loss ?? options.Loss;
        if (loss == TrainingLoss.MeanSquaredError != (argument.Teacher is not null))
        {
            throw new UsageException($"--data '{argument.Path}' has the loss {DataArgument.Losses.First(entry => entry.Loss == loss).Name} and {(argument.Teacher is null ? "no teacher" : $"the teacher '{argument.Teacher}'")}. The loss mse needs teacher=MODEL ('base' for the base as --base-scheme holds it, without any --adapter), and no other loss does.");
        }
        PairNeeds needs = loss switch
        {
            TrainingLoss.MultipleNegativesRanking => PairNeeds.Sentences,
            TrainingLoss.MeanSquaredError => PairNeeds.OneSentence,
            _ => PairNeeds.Label,
        };
        if (needs == PairNeeds.OneSentence && classes is not null)
        {
            throw new UsageException($"--data '{argument.Path}' has the loss mse, which learns from a teacher and not from classes, and --class-column is '{classes}'. Leave one of them out.");
        }
        var file = new TrainingFile(argument.Path, argument.Columns ?? _columns, classes, argument.Balance, needs, argument.WholeNumber("rows") ?? 0, options.Seed, streams, options.CancellationToken) { Loss = loss };
        bool hasClasses = file.Columns.HasClasses;
        if (hasClasses && argument.Balance is string balance)
        {
            throw new UsageException($"--data '{argument.Path}' has texts and their classes and balance '{balance}'; pairs are made alike of all classes. Leave balance= out.");
        }
        IDataView data = hasClasses ? Texts(file) : ml.Data.LoadFromEnumerable(file.Pairs);
        return new TrainingDataset(argument.Teacher is string teacher ? WithTeacher(data, teacher) : data)
        {
            Name = Path.GetFileName(argument.Path),
            Loss = loss,
            Weight = argument.Number("weight"),
            LossWeight = argument.Number("loss-weight") ?? 1,
            // The run's own, not what the trainer takes from its first data set.
            Scale = argument.Number("scale") ?? options.Scale,
            Margin = argument.Number("margin") ?? options.Margin,
            BothDirections = argument.BothDirections ?? options.BothDirections,
            BatchSize = argument.WholeNumber("batch-size") ?? options.BatchSize,
            Sentence1ColumnName = hasClasses ? nameof(LabelledText.Text) : nameof(TrainingPair.Sentence1),
            Sentence2ColumnName = file.Columns.Second is null ? "" : nameof(TrainingPair.Sentence2),
            NegativeColumnNames = [.. Enumerable.Range(0, file.Columns.Negatives.Count).Select(TrainingPair.NegativeColumn)],
            LabelColumnName = loss == TrainingLoss.MeanSquaredError ? TeacherPrefix + argument.Teacher : nameof(TrainingPair.Label),
            BalanceColumnName = argument.Balance is null ? "" : nameof(TrainingPair.Group),
            BalancePower = argument.Number("balance-power") ?? options.BalancePower,
        };
    }

    private IDataView WithTeacher(IDataView data, string teacher)
    {
        bool isBase = teacher == "base";
        var teaching = new SentenceEmbeddingEstimator.Options
        {
            Model = isBase ? options.Model : teacher,
            Pooling = isBase ? options.Pooling : null,
            Prompt = isBase ? options.Prompt : null,
            PromptName = isBase ? options.PromptName : null,
            Columns = [new(TeacherPrefix + teacher, nameof(TrainingPair.Sentence1))],
            MaximumTokenCount = options.MaximumTokenCount,
        };

        // The base teaches in the scheme in which the run holds it, and of that the options of an estimator say nothing.
        QuantizationScheme? scheme = isBase ? options.BaseScheme : null;
        return new SentenceEmbeddingEstimator(ml, teaching, opened => EmbeddingModel.Create(LacosModel.Open(opened.Model, opened.Compute, scheme: scheme), opened)).Fit(data).Transform(data);
    }
}
