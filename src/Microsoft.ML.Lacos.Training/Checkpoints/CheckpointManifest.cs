using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
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
        byte[] json = Encoding.UTF8.GetBytes(ToJson().ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        AtomicFile.Write(Path.Combine(folder, Name), stream => stream.Write(json));
        AtomicFile.Write(Path.Combine(folder, HashName), stream => stream.Write(HashLine(json)));
    }

    /// <summary>Reads and checks a manifest.</summary>
    /// <param name="folder">Folder of the checkpoint.</param>
    /// <exception cref="NotSupportedException">It is of another version.</exception>
    /// <exception cref="InvalidDataException">It is damaged; <see cref="JsonException"/> and others of <see cref="JsonNode"/> mean the same.</exception>
    public static CheckpointManifest Read(string folder)
    {
        byte[] bytes = File.ReadAllBytes(Path.Combine(folder, Name));
        string hashPath = Path.Combine(folder, HashName);
        bool hasHash = File.Exists(hashPath);
        if (hasHash && !File.ReadAllBytes(hashPath).AsSpan().SequenceEqual(HashLine(bytes)))
        {
            throw new InvalidDataException($"'{Name}' is not what '{HashName}' says.");
        }
        JsonNode json = JsonNode.Parse(bytes, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }) ?? throw new JsonException("The manifest is null.");
        int format = json["format"]!.GetValue<int>();
        if (format != Format)
        {
            throw new NotSupportedException($"The checkpoint '{folder}' is of format {format}; this version reads {Format}. Continue with the version that wrote it, or start anew in another folder.");
        }
        return hasHash ? FromJson(json) : throw new InvalidDataException($"'{HashName}' is missing.");
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

    private static CheckpointManifest FromJson(JsonNode json) => new()
    {
        Step = json["step"]!.GetValue<long>(),
        Samplers = [.. json["samplers"]!.AsArray().Select(sampler => new SamplerPosition(sampler!["epoch"]!.GetValue<int>(), sampler["batch"]!.GetValue<int>()))],
        EvaluationsWithoutGain = json["evaluations_without_gain"]!.GetValue<int>(),
        BestStep = json["best_step"]?.GetValue<long>(),
        BestSpearman = json["best_spearman"]?.GetValue<double>(),
        IsEvaluationDue = json["evaluation_due"]!.GetValue<bool>(),
        Validation = json["validation"]?.GetValue<string>(),
        Settings = Texts(json["settings"]!),
        Files = Texts(json["files"]!),
    };

    private static JsonObject ToJson(IReadOnlyDictionary<string, string> texts) =>
        new(texts.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));

    private static Dictionary<string, string> Texts(JsonNode json) => json.AsObject().ToDictionary(pair => pair.Key, pair => pair.Value!.GetValue<string>(), StringComparer.Ordinal);
}
