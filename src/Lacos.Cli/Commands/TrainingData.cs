using Lacos.Cli.Input;
using Lacos.Cli.Terminal;
using Microsoft.ML;
using Microsoft.ML.Lacos;

namespace Lacos.Cli.Commands;

/// <summary>Makes the data sets of a run from what <c>--data</c> and <c>--eval</c> name.</summary>
internal sealed class TrainingData(MLContext ml, LacosBloomTrainer.Options options, ToolStreams streams)
{
    private const string TeacherColumn = "Teacher";

    /// <summary>Puts the data sets into the options.</summary>
    /// <param name="arguments">Values of <c>--data</c>.</param>
    /// <param name="columns">Value of <c>--columns</c>, for data sets that name none themselves.</param>
    /// <returns>The first data set.</returns>
    /// <exception cref="UsageException">A setting or the columns of a file do not fit the loss.</exception>
    public IDataView Load(IReadOnlyList<DataArgument> arguments, string? columns)
    {
        int weighted = arguments.Count(argument => argument.Number("weight") is not null);
        if (weighted > 0 && weighted < arguments.Count)
        {
            throw new UsageException($"weight= is given in {weighted} of {arguments.Count} --data. Give it in all of them, or in none, to go by size.");
        }
        List<TrainingDataset> datasets = [.. arguments.Select(argument => ToDataset(argument, columns))];

        // The trainer's own columns are those of its first data set: two, where any data set has two.
        TrainingDataset first = datasets.Find(HasTwoSentences) ?? datasets[0];
        datasets.Remove(first);
        options.Loss = first.Loss!.Value;
        options.Sentence1ColumnName = nameof(TrainingPair.Sentence1);
        options.NegativeColumnNames = first.NegativeColumnNames!;
        options.LabelColumnName = first.LabelColumnName;
        options.Weight = first.Weight;
        options.BalanceColumnName = first.BalanceColumnName;
        options.BalancePower = first.BalancePower ?? options.BalancePower;
        options.Scale = first.Scale ?? options.Scale;
        options.BothDirections = first.BothDirections ?? options.BothDirections;
        options.Margin = first.Margin ?? options.Margin;
        options.BatchSize = first.BatchSize ?? options.BatchSize;
        options.Sentence2ColumnName = nameof(TrainingPair.Sentence2);
        options.TextColumnName = HasTwoSentences(first) ? null : nameof(TrainingPair.Sentence1);
        options.DataName = first.Name!;
        options.LossWeight = first.LossWeight;
        options.Datasets = datasets;
        return first.Data;
    }

    /// <summary>Reads scored pairs, each file a set of its own.</summary>
    /// <param name="paths">Values of <c>--eval</c>.</param>
    public IDataView LoadScored(IReadOnlyList<string> paths)
    {
        var pairs = new List<TrainingPair>();
        foreach (string path in paths)
        {
            var file = new TrainingFile(path, streams, options.CancellationToken);
            foreach (TrainingPair pair in file.Pairs)
            {
                pair.Group = path;
                pairs.Add(pair);
            }
        }
        options.ValidationGroupColumnName = nameof(TrainingPair.Group);
        return ml.Data.LoadFromEnumerable(pairs);
    }

    private static bool HasTwoSentences(TrainingDataset dataset) => dataset.Sentence2ColumnName!.Length > 0;

    private TrainingDataset ToDataset(DataArgument argument, string? columns)
    {
        TrainingLoss loss = argument.Loss ?? options.Loss;
        if (loss == TrainingLoss.MeanSquaredError != (argument.Teacher is not null))
        {
            throw new UsageException($"--data '{argument.Path}' has the loss {DataArgument.Losses.First(entry => entry.Loss == loss).Name} and {(argument.Teacher is null ? "no teacher" : $"the teacher '{argument.Teacher}'")}. The loss mse needs teacher=MODEL ('base' for the model that is trained), and no other loss does.");
        }
        PairNeeds needs = loss switch
        {
            TrainingLoss.MultipleNegativesRanking => PairNeeds.Sentences,
            TrainingLoss.MeanSquaredError => PairNeeds.OneSentence,
            _ => PairNeeds.Label,
        };
        string[]? names = argument.Columns ?? columns?.Split(',', StringSplitOptions.TrimEntries);
        var file = new TrainingFile(argument.Path, names, argument.Balance, needs, argument.WholeNumber("rows") ?? 0, options.Seed, streams, options.CancellationToken) { Loss = loss };
        IDataView data = ml.Data.LoadFromEnumerable(file.Pairs);
        return new TrainingDataset(argument.Teacher is string teacher ? WithTeacher(data, teacher) : data)
        {
            Name = Path.GetFileName(argument.Path),
            Loss = loss,
            Weight = argument.Number("weight"),
            LossWeight = argument.Number("loss-weight") ?? 1,
            Scale = argument.Number("scale"),
            Margin = argument.Number("margin"),
            BothDirections = argument.BothDirections,
            BatchSize = argument.WholeNumber("batch-size"),
            Sentence2ColumnName = file.Columns.Second is null ? "" : nameof(TrainingPair.Sentence2),
            NegativeColumnNames = [.. Enumerable.Range(0, file.Columns.Negatives.Count).Select(TrainingPair.NegativeColumn)],
            LabelColumnName = loss == TrainingLoss.MeanSquaredError ? TeacherColumn : nameof(TrainingPair.Label),
            BalanceColumnName = argument.Balance is null ? null : nameof(TrainingPair.Group),
            BalancePower = argument.Number("balance-power"),
        };
    }

    private IDataView WithTeacher(IDataView data, string teacher) => ml.Transforms.Text.ApplySentenceEmbedding(new SentenceEmbeddingEstimator.Options
    {
        Model = teacher == "base" ? options.Model : teacher,
        Pooling = teacher == "base" ? options.Pooling : null,
        Columns = [new(TeacherColumn, nameof(TrainingPair.Sentence1))],
        MaximumTokenCount = options.MaximumTokenCount,
    }).Fit(data).Transform(data);
}
