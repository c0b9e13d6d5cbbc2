using Microsoft.ML.Lacos.Bloom;

namespace Microsoft.ML.Lacos;

/// <summary>Refuses options that no run can use; what depends on model and data is checked when they are opened.</summary>
internal static class TrainerOptionsValidation
{
    private static readonly string[] Targets = ["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"];

    /// <summary>Checks options and gives a copy.</summary>
    public static LacosBloomTrainer.Options Checked(LacosBloomTrainer.Options options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options = options.Copy();
        CheckNames(options);
        Require(Enum.IsDefined(options.Loss) && Enum.IsDefined(options.Optimizer) && Enum.IsDefined(options.Schedule), nameof(options.Loss), options.Loss, "a loss, optimiser and schedule that exist");
        Require(options.Compute != BloomCompute.Int8WeightOnly, nameof(options.Compute), options.Compute, "Int8 or Float32");
        Positive(options.Scale, nameof(options.Scale));
        Require(options.Margin is > 0 and <= 2, nameof(options.Margin), options.Margin, "above 0 and at most 2");
        Require(options.LoraRank > 0, nameof(options.LoraRank), options.LoraRank, "at least 1");
        Positive(options.LoraAlpha, nameof(options.LoraAlpha));
        Require(options.LoraDropout is >= 0 and < 1, nameof(options.LoraDropout), options.LoraDropout, "from 0 to below 1");
        Positive(options.LearningRate, nameof(options.LearningRate));
        Require(double.IsFinite(options.WeightDecay) && options.WeightDecay >= 0, nameof(options.WeightDecay), options.WeightDecay, "at least 0");
        Require(options.WarmupShare is >= 0 and <= 1, nameof(options.WarmupShare), options.WarmupShare, "from 0 to 1");
        Require(double.IsFinite(options.MaximumGradientNorm) && options.MaximumGradientNorm >= 0, nameof(options.MaximumGradientNorm), options.MaximumGradientNorm, "at least 0; 0 is no limit");
        Require(options.Steps >= 0, nameof(options.Steps), options.Steps, "at least 0; 0 goes by Epochs");
        Require(options.Epochs > 0 || options.Steps > 0, nameof(options.Epochs), options.Epochs, "at least 1");
        Require(options.BatchSize > 0, nameof(options.BatchSize), options.BatchSize, "at least 1");
        Require(options.MiniBatchSize > 0, nameof(options.MiniBatchSize), options.MiniBatchSize, "at least 1");
        Require(options.MaximumTokenCount >= 0, nameof(options.MaximumTokenCount), options.MaximumTokenCount, "at least 0; 0 takes the model's own limit");
        Require(options.EvaluateEvery > 0, nameof(options.EvaluateEvery), options.EvaluateEvery, "at least 1");
        Require(options.Patience >= 0, nameof(options.Patience), options.Patience, "at least 0; 0 never stops early");
        Require(options.CheckpointEvery > 0, nameof(options.CheckpointEvery), options.CheckpointEvery, "at least 1");
        Require(options.KeepCheckpoints > 0, nameof(options.KeepCheckpoints), options.KeepCheckpoints, "at least 1");
        Require(options.StopAtStep >= 0, nameof(options.StopAtStep), options.StopAtStep, "at least 0; 0 is no stop");
        CheckCombinations(options);
        return options;
    }

    private static void CheckNames(LacosBloomTrainer.Options options)
    {
        string?[] names = [.. options.SentenceColumns, options.Embedding1ColumnName, options.Embedding2ColumnName, options.ScoreColumnName, options.EmbeddingColumnName, options.ValidationLabelColumnName];
        Require(!names.Any(string.IsNullOrWhiteSpace), "column names", $"[{string.Join(", ", names)}]", "not empty");
        Require(options.SentenceColumns.Distinct(StringComparer.Ordinal).Count() == options.SentenceColumns.Count, "sentence columns", $"[{string.Join(", ", options.SentenceColumns)}]", "different columns");
        Require(options.Model is null || !string.IsNullOrWhiteSpace(options.Model), nameof(options.Model), options.Model, "a .lacos file or a model folder; null takes the embedded default model");
        Require(options.OutputFolder is null || !string.IsNullOrWhiteSpace(options.OutputFolder), nameof(options.OutputFolder), options.OutputFolder, "a folder; null writes nothing");
        Require(options.LoraTargets.Count > 0 && options.LoraTargets.All(Targets.Contains), nameof(options.LoraTargets), $"[{string.Join(", ", options.LoraTargets)}]", $"one or more of {string.Join(", ", Targets)}");
    }

    private static void CheckCombinations(LacosBloomTrainer.Options options)
    {
        Require(
            options.NegativeColumnNames.Count == 0 || options.Loss == TrainingLoss.MultipleNegativesRanking,
            nameof(options.NegativeColumnNames), $"[{string.Join(", ", options.NegativeColumnNames)}] with the loss {options.Loss}", "empty, or the loss MultipleNegativesRanking");
        Require(
            options.MatryoshkaDimensions.Count == 0 || options.Loss != TrainingLoss.Softmax,
            nameof(options.MatryoshkaDimensions), $"[{string.Join(", ", options.MatryoshkaDimensions)}] with the loss Softmax", "empty, or another loss");
        Require(
            options.NegativeColumnNames.Count == 0 || options.TextColumnName is null,
            nameof(options.NegativeColumnNames), $"[{string.Join(", ", options.NegativeColumnNames)}] with TextColumnName '{options.TextColumnName}'", "empty: classes have no column of hard negatives");
        Require(options.PairsPerText > 0, nameof(options.PairsPerText), options.PairsPerText, "at least 1");
        Require(!options.Resume || options.OutputFolder is not null, nameof(options.OutputFolder), options.OutputFolder, "the folder of the run that Resume is to continue");
    }

    private static void Positive(double value, string name) => Require(double.IsFinite(value) && value > 0, name, value, "a positive number");

    private static void Require(bool holds, string name, object? value, string expected)
    {
        if (!holds)
        {
            throw new ArgumentException($"{name} is {value ?? "null"}; it must be {expected}.", name);
        }
    }
}
