namespace Microsoft.ML.Lacos;

/// <summary>One data set among several that a run learns from, with its own loss and its own share of the steps.</summary>
/// <remarks>
/// A step takes its rows from one data set. Which one is decided by the weights alone, spread as evenly as they allow, so that a run of any length keeps the proportions;
/// within a data set each row comes once before any comes again, unless a column balances them. A field left <see langword="null"/> takes the value of the same name in
/// <see cref="LacosBloomTrainer.Options"/>.
/// </remarks>
public sealed class TrainingDataset
{
    /// <summary>Names the rows to learn from.</summary>
    /// <param name="data">The rows; read once, when training begins.</param>
    public TrainingDataset(IDataView data)
    {
        ArgumentNullException.ThrowIfNull(data);
        Data = data;
    }

    /// <summary>The rows.</summary>
    public IDataView Data { get; }

    /// <summary>What messages and the log call it, with a number behind it where an earlier data set has the same name; <see langword="null"/> for its number.</summary>
    public string? Name;

    /// <summary>Share of the steps in proportion to the other data sets' weights; <see langword="null"/> in all of them shares by size, so that a pass sees each row once.</summary>
    public double? Weight;

    /// <summary>What is minimised.</summary>
    public TrainingLoss? Loss;

    /// <summary>Factor of the loss, and so of its gradients; positive.</summary>
    public double LossWeight = 1;

    /// <summary>Factor of the similarities, the inverse of the temperature, for the losses that have one; positive.</summary>
    public double? Scale;

    /// <summary>Whether <see cref="TrainingLoss.MultipleNegativesRanking"/> also makes the second sentence find the first.</summary>
    public bool? BothDirections;

    /// <summary>Cosine distance from which on pairs labelled 0 are far enough apart, for <see cref="TrainingLoss.Contrastive"/>; above 0 and at most 2.</summary>
    public double? Margin;

    /// <summary>Column of the first sentences (text).</summary>
    public string? Sentence1ColumnName;

    /// <summary>Column of the second sentences (text); an empty name for none, which only <see cref="TrainingLoss.MeanSquaredError"/> can do without.</summary>
    public string? Sentence2ColumnName;

    /// <summary>Columns of hard negatives (text). Only for <see cref="TrainingLoss.MultipleNegativesRanking"/>.</summary>
    public IReadOnlyList<string>? NegativeColumnNames;

    /// <summary>Column of labels, of the kind that the loss needs.</summary>
    public string? LabelColumnName;

    /// <summary>Rows of a step, at least 1.</summary>
    public int? BatchSize;

    /// <summary>Column of languages (text) or of anything else whose values shall come in other proportions than the data has them; <see langword="null"/> for the run's, where there is one, and an empty name for none.</summary>
    public string? BalanceColumnName;

    /// <summary>Exponent of a value's number of rows in its share, from 0 to 1: 1 as in the data, 0 each value as often as any other.</summary>
    public double? BalancePower;

    internal TrainingDataset Copy()
    {
        var copy = (TrainingDataset)MemberwiseClone();
        copy.NegativeColumnNames = NegativeColumnNames is null ? null : [.. NegativeColumnNames];
        return copy;
    }
}
