using System.Globalization;
using System.Security.Cryptography;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Training.Data;

namespace Microsoft.ML.Lacos.Training.Checkpoints;

/// <summary>What decides the bits of a run, by name: a checkpoint of other settings is not continued.</summary>
internal static class RunSettings
{
    public static IReadOnlyDictionary<string, string> Of(LacosModel model, IReadOnlyList<LoadedDataset> datasets, LacosBloomTrainer.Options options, long totalSteps)
    {
        var settings = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["model"] = model.Fingerprint + options.Device?.Settings,
            ["data"] = string.Join(' ', datasets.Select(dataset => dataset.Rows.Fingerprint)),
            ["loss"] = Text($"{string.Join("; ", datasets.Select(dataset => Loss(dataset)))} [{string.Join(' ', options.MatryoshkaDimensions)}]"),
            ["adapters"] = Text($"r {options.LoraRank} alpha {options.LoraAlpha:R} dropout {options.LoraDropout:R} rslora {options.RankStabilized} [{string.Join(' ', options.LoraTargets)}]") + Start(options),
            ["optimizer"] = Text($"{options.Optimizer} decay {options.WeightDecay:R} clip {options.MaximumGradientNorm:R}"),
            ["learning_rate"] = Text($"{options.LearningRate:R} {options.Schedule} warmup {options.WarmupShare:R}"),
            ["steps"] = Text($"{totalSteps}"),
            ["batch_size"] = Text($"{string.Join(' ', datasets.Select(dataset => dataset.Settings.BatchSize))} in chunks of {options.MiniBatchSize}{(options.BucketByLength ? " by length" : "")}"),
            ["shares"] = Text($"{string.Join("; ", datasets.Select(dataset => Share(dataset.Settings)))}"),
            ["pooling"] = Text($"{options.Pooling ?? model.Settings.Pooling}"),
            ["seed"] = Text($"{options.Seed}"),
        };

        // Left out where it is the model's own, which the model's fingerprint tells: such runs are those of versions that knew no other.
        string prompt = model.Settings.PromptText(options.Prompt, options.PromptName);
        if (prompt != model.Settings.PromptText(null, null))
        {
            settings["prompt"] = prompt;
        }
        if (options.HasSentence2Prompt && model.Settings.PromptText(options.Sentence2Prompt, options.Sentence2PromptName, AppliedPrompt.SecondPrefix) is string second && second != prompt)
        {
            settings["second_prompt"] = second;
        }
        return settings;
    }

    /// <summary>What ranks that train together must have in common: a run's settings, and what else decides which step does what.</summary>
    /// <param name="settings">Those of the run.</param>
    /// <param name="options">Of this rank.</param>
    /// <param name="validation">Fingerprint of the validation data.</param>
    /// <param name="state">Where this rank begins; null for the first step.</param>
    public static IReadOnlyDictionary<string, string> OfRanks(IReadOnlyDictionary<string, string> settings, LacosBloomTrainer.Options options, string? validation, CheckpointState? state) =>
        new SortedDictionary<string, string>(settings.ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal)
        {
            ["validation"] = Text($"{validation ?? "none"} every {options.EvaluateEvery} patience {options.Patience}"),
            ["checkpoints"] = options.OutputFolder is null ? "none" : Text($"every {options.CheckpointEvery}"),
            ["first step"] = Text($"{(state?.Step ?? 0) + 1}"),
            ["last step"] = Text($"{options.StopAtStep}"),
        };

    private static string Start(LacosBloomTrainer.Options options) => options.Adapter is string folder
        ? " from " + string.Join(' ', new[] { PeftAdapter.ConfigFileName, PeftAdapter.WeightsFileName }.Select(name => Hash(Path.Combine(folder, name))))
        : "";

    private static string Hash(string path) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path))).ToLowerInvariant();

    private static string Loss(LoadedDataset dataset)
    {
        DatasetSettings settings = dataset.Settings;
        return Text($"{settings.Loss} x {settings.LossWeight:R} {settings.Scale:R} {settings.BothDirections} {settings.Margin:R}{(dataset.Rows.Classes is null ? "" : " by class")}");
    }

    private static string Share(DatasetSettings settings) =>
        Text($"{(settings.Weight is double weight ? Text($"{weight:R}") : "by size")}{(settings.BalanceColumn is null ? "" : Text($" balanced {settings.BalancePower:R}"))}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
