using System.Globalization;
using Microsoft.ML.Lacos.Training.Loop;
using Microsoft.ML.Lacos.Training.Losses;

namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>What a run does with one of its data sets: its own settings, and the run's where it has none.</summary>
internal sealed record DatasetSettings
{
    /// <summary>What messages call it.</summary>
    public required string Name { get; init; }

    /// <summary>What is minimised.</summary>
    public required TrainingLoss Loss { get; init; }

    /// <summary>Factor of the loss.</summary>
    public required double LossWeight { get; init; }

    /// <summary>Factor of the similarities.</summary>
    public required double Scale { get; init; }

    /// <summary>Whether the second sentence must find the first, too.</summary>
    public required bool BothDirections { get; init; }

    /// <summary>Distance that is far enough.</summary>
    public required double Margin { get; init; }

    /// <summary>Columns of sentences in the order of the loss.</summary>
    public required IReadOnlyList<string> SentenceColumns { get; init; }

    /// <summary>Whether the one column of sentences holds texts under classes, of which pairs are made.</summary>
    public bool HasClasses { get; init; }

    /// <summary>Column of labels or classes; null where the loss needs none.</summary>
    public required string? LabelColumn { get; init; }

    /// <summary>Rows of a step.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Share of the steps; null to go by size.</summary>
    public required double? Weight { get; init; }

    /// <summary>Column whose values are balanced; null for none.</summary>
    public required string? BalanceColumn { get; init; }

    /// <summary>All columns that must hold text.</summary>
    public IReadOnlyList<string> TextColumns => BalanceColumn is string balance ? [.. SentenceColumns, balance] : SentenceColumns;

    /// <summary>Exponent of a value's rows in its share.</summary>
    public required double BalancePower { get; init; }

    /// <summary>Whether no text may stand twice in a batch, because two equal texts would be each other's false negatives.</summary>
    public bool IsDistinct => Loss == TrainingLoss.MultipleNegativesRanking;

    /// <summary>Fewest rows from which the loss learns something.</summary>
    public int SmallestBatch => Loss switch
    {
        TrainingLoss.MultipleNegativesRanking when SentenceColumns.Count <= 2 => 2,
        TrainingLoss.CoSent or TrainingLoss.Angle => 2,
        _ => 1,
    };

    /// <summary>Settings of all data sets of a run, that of <c>Fit</c> first. Those of one name are told apart by a number behind it.</summary>
    public static IReadOnlyList<DatasetSettings> All(LacosBloomTrainer.Options options)
    {
        DatasetSettings[] all = [OfInput(options), .. options.Datasets.Select((dataset, number) => Of(dataset, number, options))];
        return [.. all.Select((settings, i) => all.Take(i).Count(other => other.Name == settings.Name) is int before and > 0
            ? settings with { Name = string.Create(CultureInfo.InvariantCulture, $"{settings.Name} ({before + 1})") }
            : settings)];
    }

    /// <summary>Settings of the data that <c>Fit</c> is given.</summary>
    public static DatasetSettings OfInput(LacosBloomTrainer.Options options) => new()
    {
        Name = options.DataName,
        Loss = options.Loss,
        LossWeight = options.LossWeight,
        Scale = options.Scale,
        BothDirections = options.BothDirections,
        Margin = options.Margin,
        SentenceColumns = options.SentenceColumns,
        HasClasses = HasClassesIn(options),
        LabelColumn = HasClassesIn(options) ? options.LabelColumnName ?? "Label" : LabelOf(options.Loss, options.LabelColumnName),
        BatchSize = options.BatchSize,
        Weight = options.Weight,
        BalanceColumn = NameOrNone(options.BalanceColumnName),
        BalancePower = options.BalancePower,
    };

    private static DatasetSettings Of(TrainingDataset dataset, int number, LacosBloomTrainer.Options options)
    {
        TrainingLoss loss = dataset.Loss ?? options.Loss;
        string second = dataset.Sentence2ColumnName ?? options.Sentence2ColumnName;
        IReadOnlyList<string> negatives = dataset.NegativeColumnNames ?? (loss == TrainingLoss.MultipleNegativesRanking ? options.NegativeColumnNames : []);
        return new()
        {
            Name = dataset.Name ?? $"data set {number + 2}",
            Loss = loss,
            LossWeight = dataset.LossWeight,
            Scale = dataset.Scale ?? options.Scale,
            BothDirections = dataset.BothDirections ?? options.BothDirections,
            Margin = dataset.Margin ?? options.Margin,
            SentenceColumns = [dataset.Sentence1ColumnName ?? options.Sentence1ColumnName, .. second.Length == 0 ? Array.Empty<string>() : [second], .. negatives],
            LabelColumn = LabelOf(loss, dataset.LabelColumnName ?? options.LabelColumnName),
            BatchSize = dataset.BatchSize ?? options.BatchSize,
            Weight = dataset.Weight,
            BalanceColumn = NameOrNone(dataset.BalanceColumnName ?? options.BalanceColumnName),
            BalancePower = dataset.BalancePower ?? options.BalancePower,
        };
    }

    // A teacher's vector needs no partner, so that its loss learns from the texts as they are.
    private static bool HasClassesIn(LacosBloomTrainer.Options options) => options.TextColumnName is not null && options.Loss != TrainingLoss.MeanSquaredError;

    private static string? NameOrNone(string? column) => column is { Length: > 0 } ? column : null;

    private static string? LabelOf(TrainingLoss loss, string? column) => LossOfDataset.LabelOf(loss) == LossLabel.None ? null : column ?? "Label";
}
