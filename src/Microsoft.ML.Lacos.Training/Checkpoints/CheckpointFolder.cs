using System.Globalization;
using System.Security.Cryptography;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Training.Checkpoints;

/// <summary>The checkpoints of a run: folders <c>step-N</c>, each of which appears whole or not at all.</summary>
/// <remarks>
/// A checkpoint is written under a temporary name, each file flushed to the disk, the manifest with everybody's sha256 and its own last; then the folder is renamed.
/// One whose files do not have these hashes, or that says what cannot be, counts as not there.
/// One of the same step is first renamed to <c>.replaced-step-N</c>, and counts under that name as long as there is no other of its step: whenever the process is killed, one of the two is there.
/// </remarks>
internal sealed class CheckpointFolder
{
    private const string Name = "checkpoints";
    private const string Adapter = "adapter";
    private const string Best = "best";
    private const string State = "training-state.safetensors";
    private const string Prefix = "step-";
    private const string TemporaryPrefix = ".writing-";
    private const string ReplacedPrefix = ".replaced-";

    // Characters of a setting in a message: a prompt may be long.
    private const int LongestSetting = 400;

    private readonly string _path;
    private readonly IReadOnlyDictionary<string, string> _settings;
    private readonly int _keep;
    private readonly HashSet<string> _damaged = [];

    /// <param name="output">The run's folder, in which that of the checkpoints lies.</param>
    /// <param name="settings">What decides the run's bits, by name.</param>
    /// <param name="keep">Checkpoints to keep.</param>
    public CheckpointFolder(string output, IReadOnlyDictionary<string, string> settings, int keep) => (_path, _settings, _keep) = (Path.Combine(output, Name), settings, keep);

    /// <summary>Path of the folder.</summary>
    public string FullName => _path;

    /// <summary>Whether there is a folder of checkpoints, with any in it or not.</summary>
    public bool Exists => Directory.Exists(_path);

    /// <summary>Refuses a file in place of the folder.</summary>
    /// <exception cref="IOException">There is one.</exception>
    public void RequireFolder()
    {
        if (!Exists && CheckpointFiles.Exists(Path.GetDirectoryName(_path)!, Name))
        {
            throw new IOException($"'{_path}' is no folder, where the checkpoints of the run belong. Move it away, or name another folder.");
        }
    }

    /// <summary>Folders of checkpoints, the newest first, whole or not.</summary>
    public IReadOnlyList<string> Folders =>
        Exists ? [.. Directory.EnumerateFileSystemEntries(_path, Prefix + "*").Concat(Replaced.Where(folder => !Directory.Exists(InPlace(folder)))).Where(folder => StepOf(folder) >= 0).OrderByDescending(StepOf)] : [];

    private IEnumerable<string> Replaced => Directory.EnumerateDirectories(_path, ReplacedPrefix + Prefix + "*");

    /// <summary>Makes the folder, removes what a run that was killed has left half-written, and takes back a checkpoint that it was about to replace. For the run that holds the folder's lock.</summary>
    public void Prepare()
    {
        Directory.CreateDirectory(_path);
        foreach (string left in Directory.EnumerateDirectories(_path, TemporaryPrefix + "*").ToArray())
        {
            Directory.Delete(left, recursive: true);
        }
        foreach (string replaced in Replaced.ToArray())
        {
            if (Directory.Exists(InPlace(replaced)))
            {
                Directory.Delete(replaced, recursive: true);
            }
            else
            {
                TakeBack(replaced);
            }
        }
    }

    /// <summary>Writes a checkpoint and removes the oldest ones above the number to keep, to which damaged ones do not count.</summary>
    public void Write(CheckpointState state)
    {
        string temporary = Path.Combine(_path, $"{TemporaryPrefix}{Guid.NewGuid():N}");
        string target = Path.Combine(_path, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{state.Step:D8}"));
        string replaced = Path.Combine(_path, ReplacedPrefix + Path.GetFileName(target));
        try
        {
            Directory.CreateDirectory(temporary);
            state.Adapter.Save(Path.Combine(temporary, Adapter));
            state.Best?.Adapter.Save(Path.Combine(temporary, Best));
            StateArrays.Write(Path.Combine(temporary, State), state.Arrays);
            Describe(state, temporary).Write(temporary);
            if (Directory.Exists(target))
            {
                Remove(replaced);
                Directory.Move(target, replaced);
            }
            else
            {
                // No checkpoint, and in its place.
                File.Delete(target);
            }
            Directory.Move(temporary, target);
            _damaged.Remove(target);
        }
        catch (Exception error)
        {
            Remove(temporary);
            if (Directory.Exists(replaced) && !Directory.Exists(target))
            {
                Directory.Move(replaced, target);
            }
            if (error is IOException)
            {
                string kept = Folders.Count > 0 ? $"That of step {StepOf(Folders[0]).ToString(CultureInfo.InvariantCulture)} is kept" : "There is no earlier one";
                throw new IOException($"The checkpoint of step {state.Step.ToString(CultureInfo.InvariantCulture)} cannot be written: {error.Message} {kept}. Make room or mend what is wrong, and resume.", error);
            }
            throw;
        }
        Remove(replaced);
        foreach (string old in Folders.Where(folder => !_damaged.Contains(folder)).Skip(_keep))
        {
            Remove(old);
        }
    }

    /// <summary>Reads the newest whole checkpoint.</summary>
    /// <param name="moveTo">Takes the run to a state, and throws <see cref="InvalidDataException"/>, with nothing changed, where the run cannot have been there: the checkpoint then counts as damaged.</param>
    /// <param name="inform">Told of checkpoints that are damaged.</param>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="InvalidDataException">It is of another configuration.</exception>
    /// <exception cref="NotSupportedException">It is of another version.</exception>
    public CheckpointState? ReadNewest(Action<CheckpointState> moveTo, Action<string> inform)
    {
        foreach (string folder in Folders)
        {
            if (UnlessDamaged(folder, inform, () => ReadManifest(folder)) is not CheckpointManifest manifest)
            {
                continue;
            }
            CheckSettings(folder, manifest.Settings);
            CheckpointState? whole = UnlessDamaged(folder, inform, () =>
            {
                CheckpointState state = Read(folder, manifest);
                moveTo(state);
                return state;
            });
            if (whole is not null)
            {
                return whole;
            }
        }
        return null;
    }

    private static void Remove(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
        else if (Directory.Exists(Path.GetDirectoryName(path)))
        {
            File.Delete(path);
        }
    }

    private void TakeBack(string replaced)
    {
        Directory.Move(replaced, InPlace(replaced));
        if (_damaged.Remove(replaced))
        {
            _damaged.Add(InPlace(replaced));
        }
    }

    private string InPlace(string replaced) => Path.Combine(_path, Path.GetFileName(replaced)[ReplacedPrefix.Length..]);

    // Damage shows in many ways: a cut file, a folder in the place of a file, an adapter of another kind.
    private T? UnlessDamaged<T>(string folder, Action<string> inform, Func<T> read)
        where T : class
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            _damaged.Add(folder);
            inform($"The checkpoint '{folder}' is not whole and is passed over: {error.Message}");
            return null;
        }
    }

    private static CheckpointManifest ReadManifest(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new InvalidDataException("It is no folder.");
        }
        CheckpointManifest manifest = CheckpointManifest.Read(folder);
        if (manifest.Step != StepOf(folder))
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"Its manifest is of step {manifest.Step}."));
        }
        CheckEvaluations(manifest);
        CheckFiles(folder, manifest);
        return manifest;
    }

    private static void CheckEvaluations(CheckpointManifest manifest)
    {
        bool isPossible = manifest is { BestStep: long step, BestSpearman: double spearman, Validation: not null }
            ? step > 0 && step <= manifest.Step && Math.Abs(spearman) <= 1 && manifest.EvaluationsWithoutGain <= manifest.Step - step
            : manifest is { BestStep: null, BestSpearman: null, EvaluationsWithoutGain: 0 };
        if (!isPossible)
        {
            throw new InvalidDataException(string.Create(
                CultureInfo.InvariantCulture, $"Its manifest has the best evaluation at step {Shown(manifest.BestStep)} with Spearman {Shown(manifest.BestSpearman)}, and {manifest.EvaluationsWithoutGain} since."));
        }
        if (manifest.Validation is string fingerprint && (fingerprint.Length != 2 * SHA256.HashSizeInBytes || !fingerprint.All(char.IsAsciiHexDigitLower)))
        {
            throw new InvalidDataException($"Its manifest has '{TextInMessage.Of(fingerprint)}' for the sha256 of the validation data.");
        }

        static string Shown(IFormattable? value) => value?.ToString(null, CultureInfo.InvariantCulture) ?? "none";
    }

    private static CheckpointState Read(string folder, CheckpointManifest manifest)
    {
        try
        {
            return new()
            {
                Step = manifest.Step,
                Samplers = manifest.Samplers,
                Adapter = PeftAdapter.Load(Path.Combine(folder, Adapter)),
                Arrays = StateArrays.Read(Path.Combine(folder, State)),
                EvaluationsWithoutGain = manifest.EvaluationsWithoutGain,
                IsEvaluationDue = manifest.IsEvaluationDue,
                Validation = manifest.Validation,
                Best = manifest is { BestStep: long step, BestSpearman: double spearman } ? new BestAdapter(PeftAdapter.Load(Path.Combine(folder, Best)), spearman, step) : null,
            };
        }
        catch (NotSupportedException error)
        {
            // Adapters and tensors of a kind that no run writes.
            throw new InvalidDataException(error.Message, error);
        }
    }

    private CheckpointManifest Describe(CheckpointState state, string folder) => new()
    {
        Step = state.Step,
        Samplers = state.Samplers,
        EvaluationsWithoutGain = state.EvaluationsWithoutGain,
        BestStep = state.Best?.Step,
        BestSpearman = state.Best?.Spearman,
        IsEvaluationDue = state.IsEvaluationDue,
        Validation = state.Validation,
        Settings = _settings,
        Files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/')).ToDictionary(name => name, name => CheckpointFiles.Hash(folder, name), StringComparer.Ordinal),
    };

    private static void CheckFiles(string folder, CheckpointManifest manifest)
    {
        foreach ((string name, string hash) in manifest.Files)
        {
            if (CheckpointFiles.Hash(folder, name) != hash)
            {
                throw new InvalidDataException($"'{TextInMessage.Of(name)}' is not what the manifest says.");
            }
        }
        string[] adapters = manifest.BestStep is null ? [Adapter] : [Adapter, Best];
        foreach (string needed in adapters.SelectMany(adapter => new[] { $"{adapter}/{PeftAdapter.ConfigFileName}", $"{adapter}/{PeftAdapter.WeightsFileName}" }).Prepend(State))
        {
            if (!manifest.Files.ContainsKey(needed))
            {
                throw new InvalidDataException($"The manifest does not name '{needed}'.");
            }
        }
    }

    private void CheckSettings(string folder, IReadOnlyDictionary<string, string> settings)
    {
        // The data last: they are compared as tokens, which prompt and limit change too.
        foreach (string name in _settings.Keys.Union(settings.Keys, StringComparer.Ordinal).OrderBy(name => name == "data"))
        {
            string? stored = settings.GetValueOrDefault(name), asked = _settings.GetValueOrDefault(name);
            if (stored != asked)
            {
                throw new InvalidDataException(
                    $"The checkpoint '{folder}' is of another configuration: its {TextInMessage.Of(name)} is {Shown(stored)}, this run's is {Shown(asked)}. Continue with the same configuration and data, or start anew in another folder.");
            }
        }

        static string Shown(string? value) => value is null ? "not given" : $"'{TextInMessage.Of(value, LongestSetting)}'";
    }

    private static long StepOf(string folder)
    {
        ReadOnlySpan<char> name = Path.GetFileName(folder.AsSpan());
        name = name.StartsWith(ReplacedPrefix, StringComparison.Ordinal) ? name[ReplacedPrefix.Length..] : name;
        return long.TryParse(name[Prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out long step) ? step : -1;
    }
}
