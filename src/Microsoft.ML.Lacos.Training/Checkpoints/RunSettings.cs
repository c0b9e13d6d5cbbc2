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
            ["loss"] = Text($"{string.Join("; ", datasets.Select(dataset => Loss(dataset.Settings)))} [{string.Join(' ', options.MatryoshkaDimensions)}]"),
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
        return settings;
    }

    private static string Start(LacosBloomTrainer.Options options) => options.Adapter is string folder
        ? " from " + string.Join(' ', new[] { PeftAdapter.ConfigFileName, PeftAdapter.WeightsFileName }.Select(name => Hash(Path.Combine(folder, name))))
        : "";

    private static string Hash(string path) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path))).ToLowerInvariant();

    private static string Loss(DatasetSettings settings) => Text($"{settings.Loss} x {settings.LossWeight:R} {settings.Scale:R} {settings.BothDirections} {settings.Margin:R}");

    private static string Share(DatasetSettings settings) =>
        Text($"{(settings.Weight is double weight ? Text($"{weight:R}") : "by size")}{(settings.BalanceColumn is null ? "" : Text($" balanced {settings.BalancePower:R}"))}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
