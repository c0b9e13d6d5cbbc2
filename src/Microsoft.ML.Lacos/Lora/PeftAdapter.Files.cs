using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Lora;

public sealed partial class PeftAdapter
{
    private const string Prefix = "base_model.model.";
    private const string SuffixA = ".lora_A.weight";
    private const string SuffixB = ".lora_B.weight";

    /// <summary>Reads an adapter.</summary>
    /// <param name="folder">Folder of the two files.</param>
    /// <exception cref="ArgumentException"><paramref name="folder"/> is empty.</exception>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="NotSupportedException">The adapter uses what is not supported; the message names it.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or the two do not belong together.</exception>
    public static PeftAdapter Load(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string configPath = Existing(folder, ConfigFileName), weightsPath = Existing(folder, WeightsFileName);
        LoraConfig config = LoraConfigJson.Read(JsonLimits.ReadFile(configPath, JsonLimits.LargestConfig), configPath);
        using SafetensorsFile file = SafetensorsFile.Open(weightsPath);
        Dictionary<string, LoraMatrices> modules = ReadModules(file, out bool hasLanguageModelHead);
        return Disagreement(config, modules) is { } disagreement
            ? throw new InvalidDataException($"'{folder}': {disagreement}")
            : new PeftAdapter(config, modules) { HasLanguageModelHead = hasLanguageModelHead };
    }

    /// <summary>Writes the adapter as PEFT does, in fp32; each file appears when it is complete, the configuration last.</summary>
    /// <param name="folder">Folder to write into; made where it does not exist.</param>
    /// <exception cref="ArgumentException"><paramref name="folder"/> is empty.</exception>
    /// <exception cref="IOException">A file cannot be written or replaced, or the disk is full.</exception>
    public void Save(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        Directory.CreateDirectory(folder);
        var writer = new SafetensorsWriter();
        writer.SetMetadata("format", "pt");
        foreach ((string module, LoraMatrices matrices) in Modules.OrderBy(pair => ModuleNames.Block(pair.Key)).ThenBy(pair => pair.Key, StringComparer.Ordinal))
        {
            string name = Prefix + (HasLanguageModelHead ? BloomTensorNames.OptionalPrefix : "") + module;
            writer.Add(name + SuffixA, SafetensorsDType.F32, matrices.A, matrices.Rank, matrices.InFeatures);
            writer.Add(name + SuffixB, SafetensorsDType.F32, matrices.B, matrices.OutFeatures, matrices.Rank);
        }
        AtomicFile.Write(Path.Combine(folder, WeightsFileName), writer.WriteTo);
        AtomicFile.Write(Path.Combine(folder, ConfigFileName), stream => LoraConfigJson.Write(stream, Config, HasLanguageModelHead));
    }

    private static string Existing(string folder, string name)
    {
        string path = Path.Combine(folder, name);
        return File.Exists(path)
            ? path
            : throw new FileNotFoundException($"'{folder}' holds no '{name}'. Name the folder of a PEFT adapter; one saved as adapter_model.bin must be saved again with safe_serialization.", path);
    }

    private static Dictionary<string, LoraMatrices> ReadModules(SafetensorsFile file, out bool hasLanguageModelHead)
    {
        hasLanguageModelHead = false;
        var modules = new Dictionary<string, LoraMatrices>(StringComparer.Ordinal);
        foreach (SafetensorsEntry entry in file.Entries.Values)
        {
            string? module = ModuleOf(entry.Name, file.Source, out bool isB, out bool isPrefixed);
            hasLanguageModelHead |= isPrefixed;
            if (module is null)
            {
                continue;
            }
            string stem = entry.Name[..^SuffixA.Length];
            SafetensorsEntry a = file.Require(stem + SuffixA), b = file.Require(stem + SuffixB);
            if (isB)
            {
                continue;
            }
            if (a.Shape.Length != 2 || b.Shape.Length != 2 || a.Shape[0] != b.Shape[1] || a.Count == 0 || b.Count == 0 || a.Shape[0] > int.MaxValue)
            {
                throw new InvalidDataException($"The matrices of '{module}' in '{file.Source}' are {a.Describe()} and {b.Describe()}, expected [rank, in] and [out, rank]. Fetch or save the adapter again.");
            }
            if (!modules.TryAdd(module, new LoraMatrices((int)a.Shape[0], file.ReadFloats(a.Name), file.ReadFloats(b.Name))))
            {
                throw new InvalidDataException($"'{file.Source}' holds two pairs of matrices for '{module}', with and without '{BloomTensorNames.OptionalPrefix}'. Save the adapter again.");
            }
        }
        return modules;
    }

    /// <summary>Module that a tensor belongs to; <see langword="null"/> for the language-model head, which an encoder does not have.</summary>
    private static string? ModuleOf(string tensor, string source, out bool isB, out bool isPrefixed)
    {
        isB = tensor.EndsWith(SuffixB, StringComparison.Ordinal);
        isPrefixed = tensor.StartsWith(Prefix + BloomTensorNames.OptionalPrefix, StringComparison.Ordinal);
        if (tensor.StartsWith(Prefix + "lm_head.", StringComparison.Ordinal))
        {
            isPrefixed = true;
            return null;
        }
        if (tensor.StartsWith(Prefix, StringComparison.Ordinal) && (isB || tensor.EndsWith(SuffixA, StringComparison.Ordinal)))
        {
            string module = tensor[(Prefix.Length + (isPrefixed ? BloomTensorNames.OptionalPrefix.Length : 0))..^SuffixA.Length];
            if (AdaptableModules.IsModule(module))
            {
                return module;
            }
        }
        throw new NotSupportedException($"'{source}' holds a tensor '{TextInMessage.Of(tensor)}', which is no LoRA matrix of a BLOOM block's linear layers. Merge the adapter into its model with PEFT and load that.");
    }
}
