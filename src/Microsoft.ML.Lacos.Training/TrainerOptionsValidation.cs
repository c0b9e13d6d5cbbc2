using System.Globalization;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Lacos.Training.Data;

namespace Microsoft.ML.Lacos;

/// <summary>Refuses options that no run can use; what depends on model and data is checked when they are opened.</summary>
internal static class TrainerOptionsValidation
{
    private const double MostStrength = 1000;
    private const int MostLoraRank = 4096;

    private static readonly string[] Targets = ["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"];

    /// <summary>Checks options and gives a copy.</summary>
    public static LacosBloomTrainer.Options Checked(LacosBloomTrainer.Options options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options = options.Copy();
        CheckNames(options);
        Require(Enum.IsDefined(options.Loss), nameof(options.Loss), options.Loss, "a loss that exists");
        Require(Enum.IsDefined(options.Optimizer), nameof(options.Optimizer), options.Optimizer, "an optimiser that exists");
        Require(Enum.IsDefined(options.Schedule), nameof(options.Schedule), options.Schedule, "a schedule that exists");
        Require(options.Compute is BloomCompute.Int8 or BloomCompute.Float32, nameof(options.Compute), options.Compute, "Int8 or Float32");
        CheckBase(options);
        Require(options.LoraRank is > 0 and <= MostLoraRank, nameof(options.LoraRank), options.LoraRank, $"from 1 to {MostLoraRank}");
        Positive(options.LoraAlpha, nameof(options.LoraAlpha));
        Require(options.LoraDropout is >= 0 and < 1, nameof(options.LoraDropout), options.LoraDropout, "from 0 to below 1");
        Positive(options.LearningRate, nameof(options.LearningRate));
        Require(options.Strength is > 0 and <= MostStrength, nameof(options.Strength), options.Strength, $"above 0 and at most {MostStrength}; 1 takes the adapter as it is");
        Require(double.IsFinite(options.WeightDecay) && options.WeightDecay >= 0, nameof(options.WeightDecay), options.WeightDecay, "at least 0");
        Require(options.WarmupShare is >= 0 and <= 1, nameof(options.WarmupShare), options.WarmupShare, "from 0 to 1");
        Require(double.IsFinite(options.MaximumGradientNorm) && options.MaximumGradientNorm >= 0, nameof(options.MaximumGradientNorm), options.MaximumGradientNorm, "at least 0; 0 is no limit");
        Require(options.Steps >= 0, nameof(options.Steps), options.Steps, "at least 0; 0 goes by Epochs");
        Require(options.Epochs > 0 || options.Steps > 0, nameof(options.Epochs), options.Epochs, "at least 1");
        Require(options.MiniBatchSize > 0, nameof(options.MiniBatchSize), options.MiniBatchSize, "at least 1");
        Require(options.ActivationMemory >= 0, nameof(options.ActivationMemory), options.ActivationMemory, "at least 0; 0 takes half of the free memory");
        Require(options.MaximumTokenCount >= 0, nameof(options.MaximumTokenCount), options.MaximumTokenCount, "at least 0; 0 takes the model's own limit");
        Require(options.EvaluateEvery > 0, nameof(options.EvaluateEvery), options.EvaluateEvery, "at least 1");
        Require(options.Patience >= 0, nameof(options.Patience), options.Patience, "at least 0; 0 never stops early");
        Require(options.CheckpointEvery > 0, nameof(options.CheckpointEvery), options.CheckpointEvery, "at least 1");
        Require(options.KeepCheckpoints > 0, nameof(options.KeepCheckpoints), options.KeepCheckpoints, "at least 1");
        Require(options.StopAtStep >= 0, nameof(options.StopAtStep), options.StopAtStep, "at least 0; 0 is no stop");
        Require(options.TokenMemoryBytes >= 0, nameof(options.TokenMemoryBytes), options.TokenMemoryBytes, "at least 0");
        CheckCombinations(options);
        CheckDatasets(options);

        // Refuses what the transformer at the end would, before the training and not after it.
        _ = LacosBloomTrainer.EmbeddingOptionsOf(options);
        return options;
    }

    private static void CheckBase(LacosBloomTrainer.Options options)
    {
        Require(options.BaseScheme is null || Enum.IsDefined(options.BaseScheme.Value), nameof(options.BaseScheme), options.BaseScheme, "a scheme that exists, or null");
        Require(
            options.Compute != BloomCompute.Float32 || options.BaseScheme is null or QuantizationScheme.None,
            nameof(options.BaseScheme), $"{options.BaseScheme} with Compute Float32", "None or null, or Compute Int8");
        Require(Enum.IsDefined(options.Precision), nameof(options.Precision), options.Precision, "Float32 or BFloat16");
        NullOrNamed(options.Adapter, nameof(options.Adapter), "the folder of a PEFT adapter; null starts from the base model");
        if (options.BaseScheme == QuantizationScheme.None)
        {
            options.Compute = BloomCompute.Float32;
        }
    }

    private static void CheckNames(LacosBloomTrainer.Options options)
    {
        if (options.TextColumnName is null)
        {
            Named(options.Sentence1ColumnName, nameof(options.Sentence1ColumnName));
            Named(options.Sentence2ColumnName, nameof(options.Sentence2ColumnName));
            Require(!options.NegativeColumnNames.Any(string.IsNullOrWhiteSpace), nameof(options.NegativeColumnNames), $"[{string.Join(", ", options.NegativeColumnNames)}]", "names of columns");
        }
        NullOrNamed(options.TextColumnName, nameof(options.TextColumnName), "the name of a column; null trains on pairs of sentences");
        Named(options.Embedding1ColumnName, nameof(options.Embedding1ColumnName));
        Named(options.Embedding2ColumnName, nameof(options.Embedding2ColumnName));
        Named(options.ScoreColumnName, nameof(options.ScoreColumnName));
        Named(options.EmbeddingColumnName, nameof(options.EmbeddingColumnName));
        Named(options.ValidationLabelColumnName, nameof(options.ValidationLabelColumnName));
        NullOrNamed(options.ValidationGroupColumnName, nameof(options.ValidationGroupColumnName), "the name of a column; null where all of the validation set is one set");
        NullOrNamed(options.LabelColumnName, nameof(options.LabelColumnName), "the name of a column; null takes Label where the loss needs one");
        NullOrNamed(options.Model, nameof(options.Model), "a .lacos file or a model folder; null takes the embedded default model");
        NullOrNamed(options.OutputFolder, nameof(options.OutputFolder), "a folder; null writes nothing");
        Require(options.LoraTargets.Count > 0 && options.LoraTargets.All(Targets.Contains) && options.LoraTargets.Distinct(StringComparer.Ordinal).Count() == options.LoraTargets.Count, nameof(options.LoraTargets), $"[{string.Join(", ", options.LoraTargets)}]", $"one or more of {string.Join(", ", Targets)}, each once");
    }

    private static void CheckCombinations(LacosBloomTrainer.Options options)
    {
        Require(
            options.MatryoshkaDimensions.All(dimension => dimension > 0) && options.MatryoshkaDimensions.Distinct().Count() == options.MatryoshkaDimensions.Count,
            nameof(options.MatryoshkaDimensions), Dimensions(options), "different positive numbers");
        Require(
            options.NegativeColumnNames.Count == 0 || options.TextColumnName is null,
            nameof(options.NegativeColumnNames), $"[{string.Join(", ", options.NegativeColumnNames)}] with TextColumnName '{options.TextColumnName}'", "empty: a single column of texts has no hard negatives");
        Require(
            DatasetSettings.OfInput(options) is { BalanceColumn: null } or { HasClasses: false },
            nameof(options.BalanceColumnName), $"'{options.BalanceColumnName}' with TextColumnName '{options.TextColumnName}'", "null or empty: pairs are balanced by their classes already. Name the column in the data set of Datasets that has it");
        Require(
            options.ValidationGroupColumnName is null || !DatasetSettings.OfInput(options).HasClasses,
            nameof(options.ValidationGroupColumnName), $"'{options.ValidationGroupColumnName}' with TextColumnName '{options.TextColumnName}'", "null: the validation texts are one set");
        AppliedPrompt.RefuseBoth(options.Sentence2Prompt, options.Sentence2PromptName, AppliedPrompt.SecondPrefix);
        Require(
            !options.HasSentence2Prompt || options.TextColumnName is null,
            options.Sentence2PromptName is null ? nameof(options.Sentence2Prompt) : nameof(options.Sentence2PromptName),
            $"'{TextInMessage.Of(options.Sentence2PromptName ?? options.Sentence2Prompt ?? "")}' with TextColumnName '{options.TextColumnName}'", "null: a single column of texts has no second sentences. Put it into Prompt, for all texts");
        Require(options.PairsPerText > 0, nameof(options.PairsPerText), options.PairsPerText, "at least 1");
        Require(!options.Resume || options.OutputFolder is not null, nameof(options.OutputFolder), options.OutputFolder, "the folder of the run that Resume is to continue");
    }

    private static void CheckDatasets(LacosBloomTrainer.Options options)
    {
        IReadOnlyList<DatasetSettings> all = DatasetSettings.All(options);
        foreach (DatasetSettings settings in all)
        {
            string name = settings.Name;
            Require(!string.IsNullOrWhiteSpace(name), "the name of a data set", name is null ? null : $"'{name}'", "not empty");
            Require(Enum.IsDefined(settings.Loss), $"Loss of {name}", settings.Loss, "a loss that exists");
            Positive(settings.LossWeight, $"LossWeight of {name}");
            Positive(settings.Scale, $"Scale of {name}");
            Require(settings.Margin is > 0 and <= 2, $"Margin of {name}", settings.Margin, "above 0 and at most 2");
            Require(settings.BatchSize > 0, $"BatchSize of {name}", settings.BatchSize, "at least 1");
            Require(settings.Weight is null || (double.IsFinite(settings.Weight.Value) && settings.Weight > 0), $"Weight of {name}", settings.Weight, "a positive number; null shares by size");
            Require(settings.BalancePower is >= 0 and <= 1, $"BalancePower of {name}", settings.BalancePower, "from 0, each value as often as any other, to 1, as in the data");
            Require(settings.BalanceColumn is null || !string.IsNullOrWhiteSpace(settings.BalanceColumn), $"BalanceColumnName of {name}", $"'{settings.BalanceColumn}'", "a column; an empty name balances nothing");
            Require(settings.SentenceColumns.Count > 1 || settings.HasClasses || settings.Loss == TrainingLoss.MeanSquaredError, $"Sentence2ColumnName of {name}", "''", $"a column; only the loss {nameof(TrainingLoss.MeanSquaredError)} does without");
            Require(
                settings.SentenceColumns.Count <= 2 || settings.Loss == TrainingLoss.MultipleNegativesRanking,
                $"NegativeColumnNames of {name}", $"[{string.Join(", ", settings.SentenceColumns.Skip(2))}] with the loss {settings.Loss}", "empty, or the loss MultipleNegativesRanking");
            Require(
                !settings.SentenceColumns.Any(string.IsNullOrWhiteSpace) && settings.SentenceColumns.Distinct(StringComparer.Ordinal).Count() == settings.SentenceColumns.Count,
                $"sentence columns of {name}", $"[{string.Join(", ", settings.SentenceColumns)}]", "different columns with names");
        }
        Require(
            options.MatryoshkaDimensions.All(dimension => dimension % 2 == 0) || all.FirstOrDefault(settings => settings.Loss == TrainingLoss.Angle) is null,
            nameof(options.MatryoshkaDimensions), $"{Dimensions(options)} with the loss {TrainingLoss.Angle}", "even numbers, because that loss takes the halves of a vector for real and imaginary parts");
        int weighted = all.Count(settings => settings.Weight is not null);
        Require(weighted == 0 || weighted == all.Count, nameof(options.Weight), $"given for {weighted} of {all.Count} data sets", "given for all of them or for none");
    }

    private static string Dimensions(LacosBloomTrainer.Options options) => $"[{string.Join(", ", options.MatryoshkaDimensions.Select(dimension => dimension.ToString(CultureInfo.InvariantCulture)))}]";

    private static void Named(string? value, string name) => Require(!string.IsNullOrWhiteSpace(value), name, value is null ? null : $"'{value}'", "the name of a column");

    private static void NullOrNamed(string? value, string name, string expected) => Require(value is null || !string.IsNullOrWhiteSpace(value), name, $"'{value}'", expected);

    private static void Positive(double value, string name) => Require(double.IsFinite(value) && value > 0, name, value, "a positive number");

    private static void Require(bool holds, string name, object? value, string expected)
    {
        if (!holds)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{name} is {value ?? "null"}; it must be {expected}."), name);
        }
    }
}
