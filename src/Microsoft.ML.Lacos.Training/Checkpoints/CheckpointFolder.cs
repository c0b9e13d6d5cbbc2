using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Lacos.Training.Data;

namespace Microsoft.ML.Lacos.Training.Checkpoints;

/// <summary>The checkpoints of a run: folders <c>step-N</c>, each of which appears whole or not at all.</summary>
/// <remarks>
/// A checkpoint is written under a temporary name, each file flushed to the disk, the manifest with everybody's sha256 last; then the folder is renamed.
/// One whose files do not have the hashes of its manifest counts as not there.
/// </remarks>
internal sealed class CheckpointFolder
{
    private const int Format = 2;
    private const string Manifest = "manifest.json";
    private const string Adapter = "adapter";
    private const string Best = "best";
    private const string State = "training-state.safetensors";
    private const string Prefix = "step-";
    private const string TemporaryPrefix = ".writing-";

    private readonly string _path;
    private readonly IReadOnlyDictionary<string, string> _settings;
    private readonly int _keep;

    /// <param name="path">Folder of the checkpoints; made where it does not exist.</param>
    /// <param name="settings">What decides the run's bits, by name.</param>
    /// <param name="keep">Checkpoints to keep.</param>
    public CheckpointFolder(string path, IReadOnlyDictionary<string, string> settings, int keep)
    {
        (_path, _settings, _keep) = (path, settings, keep);
        Directory.CreateDirectory(path);
        foreach (string left in Directory.EnumerateDirectories(path, TemporaryPrefix + "*").ToArray())
        {
            Directory.Delete(left, recursive: true);
        }
    }

    /// <summary>Folders of checkpoints, the newest first, whole or not.</summary>
    public IReadOnlyList<string> Folders =>
        [.. Directory.EnumerateDirectories(_path, Prefix + "*").Where(folder => StepOf(folder) >= 0).OrderByDescending(StepOf)];

    /// <summary>Writes a checkpoint and removes the oldest ones above the number to keep.</summary>
    public void Write(CheckpointState state)
    {
        string temporary = Path.Combine(_path, $"{TemporaryPrefix}{Guid.NewGuid():N}");
        try
        {
            Directory.CreateDirectory(temporary);
            state.Adapter.Save(Path.Combine(temporary, Adapter));
            state.Best?.Adapter.Save(Path.Combine(temporary, Best));
            StateArrays.Write(Path.Combine(temporary, State), state.Arrays);
            byte[] manifest = Encoding.UTF8.GetBytes(Describe(state, temporary).ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
            AtomicFile.Write(Path.Combine(temporary, Manifest), stream => stream.Write(manifest));
            string target = Path.Combine(_path, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{state.Step:D8}"));
            if (Directory.Exists(target))
            {
                Directory.Delete(target, recursive: true);
            }
            Directory.Move(temporary, target);
        }
        catch (Exception error)
        {
            if (Directory.Exists(temporary))
            {
                Directory.Delete(temporary, recursive: true);
            }
            if (error is IOException)
            {
                string kept = Folders.Count > 0 ? $"That of step {StepOf(Folders[0]).ToString(CultureInfo.InvariantCulture)} is kept" : "There is no earlier one";
                throw new IOException($"The checkpoint of step {state.Step.ToString(CultureInfo.InvariantCulture)} cannot be written: {error.Message} {kept}. Make room or mend what is wrong, and resume.", error);
            }
            throw;
        }
        foreach (string old in Folders.Skip(_keep))
        {
            Directory.Delete(old, recursive: true);
        }
    }

    /// <summary>Reads the newest whole checkpoint.</summary>
    /// <param name="inform">Told of checkpoints that are damaged.</param>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="InvalidDataException">It is of another configuration or version.</exception>
    public CheckpointState? ReadNewest(Action<string> inform)
    {
        foreach (string folder in Folders)
        {
            try
            {
                JsonNode manifest = JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder, Manifest))) ?? throw new JsonException("The manifest is null.");
                int format = manifest["format"]!.GetValue<int>();
                if (format != Format)
                {
                    throw new NotSupportedException($"The checkpoint '{folder}' is of format {format}; this version reads {Format}. Continue with the version that wrote it, or start anew in another folder.");
                }
                CheckHashes(folder, manifest["files"]!.AsObject());
                CheckSettings(folder, manifest["settings"]!.AsObject());
                return Read(folder, manifest);
            }
            catch (Exception error) when (error is JsonException or IOException or InvalidOperationException or NullReferenceException or FormatException)
            {
                inform($"The checkpoint '{folder}' is not whole and is passed over: {error.Message}");
            }
        }
        return null;
    }

    private static CheckpointState Read(string folder, JsonNode manifest) => new()
    {
        Step = manifest["step"]!.GetValue<long>(),
        Samplers = [.. manifest["samplers"]!.AsArray().Select(sampler => new SamplerPosition(sampler!["epoch"]!.GetValue<int>(), sampler["batch"]!.GetValue<int>()))],
        Adapter = PeftAdapter.Load(Path.Combine(folder, Adapter)),
        Arrays = StateArrays.Read(Path.Combine(folder, State)),
        EvaluationsWithoutGain = manifest["evaluations_without_gain"]!.GetValue<int>(),
        Best = manifest["best_step"] is JsonNode step
            ? new BestAdapter(PeftAdapter.Load(Path.Combine(folder, Best)), manifest["best_spearman"]!.GetValue<double>(), step.GetValue<long>())
            : null,
    };

    private JsonObject Describe(CheckpointState state, string folder)
    {
        var files = new JsonObject();
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            files[Path.GetRelativePath(folder, file).Replace('\\', '/')] = Hash(file);
        }
        return new JsonObject
        {
            ["format"] = Format,
            ["step"] = state.Step,
            ["samplers"] = new JsonArray([.. state.Samplers.Select(sampler => new JsonObject { ["epoch"] = sampler.Epoch, ["batch"] = sampler.Batch })]),
            ["evaluations_without_gain"] = state.EvaluationsWithoutGain,
            ["best_step"] = state.Best?.Step,
            ["best_spearman"] = state.Best?.Spearman,
            ["settings"] = new JsonObject(_settings.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
            ["files"] = files,
        };
    }

    private static void CheckHashes(string folder, JsonObject files)
    {
        foreach ((string name, JsonNode? hash) in files)
        {
            string path = Path.GetFullPath(Path.Combine(folder, name));
            if (!path.StartsWith(Path.GetFullPath(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal) || Hash(path) != hash!.GetValue<string>())
            {
                throw new IOException($"'{name}' is not what the manifest says.");
            }
        }
        foreach (string needed in new[] { State, $"{Adapter}/{PeftAdapter.WeightsFileName}" })
        {
            if (!files.ContainsKey(needed))
            {
                throw new IOException($"The manifest does not name '{needed}'.");
            }
        }
    }

    private void CheckSettings(string folder, JsonObject settings)
    {
        foreach ((string name, string value) in _settings)
        {
            string? stored = settings[name]?.GetValue<string>();
            if (stored != value)
            {
                throw new InvalidDataException(
                    $"The checkpoint '{folder}' is of another configuration: its {name} is '{stored ?? "unknown"}', this run's is '{value}'. Continue with the same configuration and data, or start anew in another folder.");
            }
        }
    }

    private static string Hash(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexString(SHA256.HashData(stream)).ToLowerInvariant();
    }

    private static long StepOf(string folder) =>
        long.TryParse(Path.GetFileName(folder)[Prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out long step) ? step : -1;
}
