using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Lacos.Training.Data;

namespace Microsoft.ML.Lacos.Training.Checkpoints;

/// <summary><c>manifest.json</c> of a checkpoint: where the run was, what decides its bits, and the sha256 of each other file.</summary>
/// <remarks>Its own sha256 stands beside it in <c>manifest.sha256</c>, as sha256sum writes it; a manifest that does not have it counts as damaged.</remarks>
internal sealed record CheckpointManifest
{
    // 3: the manifest has a hash too.
    private const int Format = 3;
    private const string Name = "manifest.json";
    private const string HashName = "manifest.sha256";

    /// <summary>Steps made.</summary>
    public required long Step { get; init; }

    /// <summary>Where the sampler of each data set is.</summary>
    public required IReadOnlyList<SamplerPosition> Samplers { get; init; }

    /// <summary>Evaluations since the best one.</summary>
    public required int EvaluationsWithoutGain { get; init; }

    /// <summary>Step of the best adapter; null before the first evaluation.</summary>
    public required long? BestStep { get; init; }

    /// <summary>What it reached.</summary>
    public required double? BestSpearman { get; init; }

    /// <summary>Whether the evaluation of this step was interrupted.</summary>
    public required bool IsEvaluationDue { get; init; }

    /// <summary>sha256 of the validation set; null without one.</summary>
    public required string? Validation { get; init; }

    /// <summary>What decides the run's bits, by name.</summary>
    public required IReadOnlyDictionary<string, string> Settings { get; init; }

    /// <summary>sha256 of the files, by path in the folder.</summary>
    public required IReadOnlyDictionary<string, string> Files { get; init; }

    /// <summary>Writes the manifest and its hash, each flushed to the disk.</summary>
    public void Write(string folder)
    {
        byte[] json = Encoding.UTF8.GetBytes(ToJson().ToJsonString(new JsonSerializerOptions { WriteIndented = true, NewLine = "\n" }));
        AtomicFile.Write(Path.Combine(folder, Name), stream => stream.Write(json));
        AtomicFile.Write(Path.Combine(folder, HashName), stream => stream.Write(HashLine(json)));
    }

    /// <summary>Reads and checks a manifest.</summary>
    /// <param name="folder">Folder of the checkpoint.</param>
    /// <exception cref="NotSupportedException">It is of another version.</exception>
    /// <exception cref="InvalidDataException">It is damaged, or no file.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static CheckpointManifest Read(string folder)
    {
        byte[] bytes = CheckpointFiles.Read(folder, Name);
        byte[]? hash = CheckpointFiles.Exists(folder, HashName) ? CheckpointFiles.Read(folder, HashName) : null;
        if (hash is not null && !hash.AsSpan().SequenceEqual(HashLine(bytes)))
        {
            throw new InvalidDataException($"'{Name}' is not what '{HashName}' says.");
        }
        using JsonDocument json = JsonFile.Parse(bytes, Name);
        var manifest = new ManifestObject(json.RootElement, Name);
        long format = manifest.Whole("format");
        if (format != Format)
        {
            throw new NotSupportedException($"The checkpoint '{folder}' is of format {format}; this version reads {Format}. Continue with the version that wrote it, or start anew in another folder.");
        }
        return hash is not null ? FromJson(manifest) : throw new InvalidDataException($"'{HashName}' is missing.");
    }

    private static byte[] HashLine(byte[] json) => Encoding.UTF8.GetBytes($"{Convert.ToHexString(SHA256.HashData(json)).ToLowerInvariant()}  {Name}\n");

    private JsonObject ToJson() => new()
    {
        ["format"] = Format,
        ["step"] = Step,
        ["samplers"] = new JsonArray([.. Samplers.Select(sampler => new JsonObject { ["epoch"] = sampler.Epoch, ["batch"] = sampler.Batch })]),
        ["evaluations_without_gain"] = EvaluationsWithoutGain,
        ["best_step"] = BestStep,
        ["best_spearman"] = BestSpearman,
        ["evaluation_due"] = IsEvaluationDue,
        ["validation"] = Validation,
        ["settings"] = ToJson(Settings),
        ["files"] = ToJson(Files),
    };

    private static CheckpointManifest FromJson(ManifestObject json) => new()
    {
        Step = json.Whole("step"),
        Samplers = [.. json.Objects("samplers").Select(sampler => new SamplerPosition(sampler.Count("epoch"), sampler.Count("batch")))],
        EvaluationsWithoutGain = json.Count("evaluations_without_gain"),
        BestStep = json.Has("best_step") ? json.Whole("best_step") : null,
        BestSpearman = json.Has("best_spearman") ? json.Number("best_spearman") : null,
        IsEvaluationDue = json.Flag("evaluation_due"),
        Validation = json.Has("validation") ? json.Text("validation") : null,
        Settings = json.Texts("settings"),
        Files = json.Texts("files"),
    };

    private static JsonObject ToJson(IReadOnlyDictionary<string, string> texts) =>
        new(texts.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));
}
