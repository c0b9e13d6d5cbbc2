using System.Text;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>Loads a model folder: Hugging Face's, or sentence-transformers' around one.</summary>
internal static class ModelFolder
{
    private const string TokenizerName = "tokenizer.json";

    // Of a card's front matter; who writes a card decides how long its lines are.
    private const int MostCardBytes = 1 << 16;

    /// <summary>Loads a folder; an adapter is added to each matrix before that is quantised, so that the sum is rounded once.</summary>
    public static LacosModel Load(string folder, LacosModelLoadOptions options, PeftAdapter? adapter)
    {
        Parts parts = Read(folder, adapter);
        QuantizationScheme scheme = options.Scheme ?? QuantizationScheme.Rowwise;
        QuantizationScheme embeddingScheme = options.EmbeddingScheme ?? (scheme == QuantizationScheme.None ? QuantizationScheme.None : QuantizationScheme.Rowwise);
        BloomCheckpoint checkpoint = BloomCheckpoint.Load(parts.Checkpoint, scheme, options.BlockSize, embeddingScheme, adapter is null ? null : adapter.UpdateOf, options.Panels, options.Progress);
        try
        {
            Dictionary<string, string> provenance = Provenance(folder, checkpoint.Files, QuantizationNames.Describe(checkpoint.Weights, inRows: options.Panels is not null));
            return new LacosModel(checkpoint.Weights, parts.Tokenizer, parts.Settings, provenance, checkpoint) { PanelsInMemoryOnly = options.Panels is not null };
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>Writes a folder's model, an adapter merged, as <see cref="LacosModel.SaveFolder"/> would, in its own precision and straight from its files: some rows of it are in memory at a time.</summary>
    /// <param name="folder">Folder of the model.</param>
    /// <param name="adapter">What is merged; <see langword="null"/> for nothing.</param>
    /// <param name="change">Gives the settings to write for the model's own.</param>
    /// <param name="path">The folder to write.</param>
    /// <param name="precision">Element type of the weights.</param>
    /// <param name="progress">Told of elements that are written. Where it ends the writing, nothing is left behind.</param>
    public static void Export(string folder, PeftAdapter? adapter, Func<SentenceSettings, SentenceSettings> change, string path, CheckpointPrecision precision, WeightProgress progress)
    {
        Parts parts = Read(folder, adapter);
        using var tensors = new CheckpointTensors(parts.Checkpoint);
        var model = new ExportedModel(
            parts.Tokenizer, SentenceSettingsJson.ThroughFile(change(parts.Settings)), Provenance(folder, tensors.Files, QuantizationNames.Floats));
        var rows = new CheckpointRows(parts.Config, tensors, adapter is null ? null : adapter.UpdateOf);
        var writer = new SentenceTransformersWriter(model, rows, precision);
        ExportedFolder.Replace(path, target => writer.Write(target, progress));
    }

    // Everything but the weights, checked before those are read, which takes long.
    private static Parts Read(string folder, PeftAdapter? adapter)
    {
        (string checkpoint, SentenceSettings settings, int? width) = SentenceTransformersFolder.IsOne(folder)
            ? SentenceTransformersFolder.Read(folder)
            : (folder, new SentenceSettings { MaximumTokenCount = TokenizerConfig.TokenLimit(folder) ?? SentenceSettings.DefaultMaximumTokenCount }, null);
        byte[] tokenizer = ReadTokenizer(checkpoint);
        TokenizerConfig.RefuseUnsupported(checkpoint, tokenizer);
        BloomConfig config = CheckpointTensors.ReadConfig(checkpoint);
        adapter?.CheckModules(config);
        if (width is not null && width != config.HiddenSize)
        {
            throw new InvalidDataException($"The pooling configuration of '{folder}' is for vectors of {width}, the model's have {config.HiddenSize}. Check that both belong together.");
        }
        TokenizerVocabulary.Check(tokenizer, config.VocabularySize, Path.Combine(checkpoint, TokenizerName));
        return new Parts(checkpoint, settings, tokenizer, config);
    }

    private static byte[] ReadTokenizer(string folder)
    {
        string path = Path.Combine(folder, TokenizerName);
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"'{folder}' holds no '{TokenizerName}', without which there are no token ids. Save the model's fast tokenizer into the folder.", path);
        }
        return JsonLimits.ReadFile(path, JsonLimits.LargestTokenizer);
    }

    private static Dictionary<string, string> Provenance(string folder, IReadOnlyList<string> files, string quantization)
    {
        // Only the folder's own name: a path would tell of the machine, and make the same model differ between two.
        var result = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [ModelProvenance.Name] = new DirectoryInfo(Path.GetFullPath(folder)).Name,
            [ModelProvenance.BaseSha256] = WeightsHash.Of(files),
            [ModelProvenance.Quantization] = quantization,
        };
        if (License(Path.Combine(folder, "README.md")) is { } license)
        {
            result[ModelProvenance.License] = license;
        }
        return result;
    }

    // The model card's front matter: lines of "key: value" between two lines of dashes.
    private static string? License(string card)
    {
        if (!File.Exists(card))
        {
            return null;
        }
        FileStatus.RequireFile(card);
        using FileStream file = File.OpenRead(card);
        var start = new byte[Math.Min(file.Length, MostCardBytes)];
        file.ReadExactly(start);
        using var reader = new StreamReader(new MemoryStream(start), Encoding.UTF8);
        if (reader.ReadLine()?.Trim() != "---")
        {
            return null;
        }
        while (reader.ReadLine() is { } text && text.Trim() != "---")
        {
            if (text.StartsWith("license:", StringComparison.Ordinal) && text["license:".Length..].Trim().Trim('"', '\'') is { Length: > 0 and <= 200 } license)
            {
                return license;
            }
        }
        return null;
    }

    /// <param name="Checkpoint">Folder of the weights.</param>
    /// <param name="Settings">The model's own.</param>
    /// <param name="Tokenizer">Bytes of its file.</param>
    /// <param name="Config">Shape.</param>
    private sealed record Parts(string Checkpoint, SentenceSettings Settings, byte[] Tokenizer, BloomConfig Config);
}
