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
        (string checkpointFolder, SentenceSettings settings, int? width) = SentenceTransformersFolder.IsOne(folder)
            ? SentenceTransformersFolder.Read(folder)
            : (folder, new SentenceSettings { MaximumTokenCount = TokenizerConfig.TokenLimit(folder) ?? SentenceSettings.DefaultMaximumTokenCount }, null);
        byte[] tokenizer = ReadTokenizer(checkpointFolder);
        TokenizerConfig.RefuseUnsupported(checkpointFolder, tokenizer);
        QuantizationScheme scheme = options.Scheme ?? QuantizationScheme.Rowwise;
        QuantizationScheme embeddingScheme = options.EmbeddingScheme ?? (scheme == QuantizationScheme.None ? QuantizationScheme.None : QuantizationScheme.Rowwise);
        BloomCheckpoint checkpoint = BloomCheckpoint.Load(checkpointFolder, scheme, options.BlockSize, embeddingScheme, adapter is null ? null : adapter.UpdateOf);
        try
        {
            adapter?.CheckModules(checkpoint.Weights);
            BloomConfig config = checkpoint.Weights.Config;
            if (width is not null && width != config.HiddenSize)
            {
                throw new InvalidDataException($"The pooling configuration of '{folder}' is for vectors of {width}, the model's have {config.HiddenSize}. Check that both belong together.");
            }
            TokenizerVocabulary.Check(tokenizer, config.VocabularySize, Path.Combine(checkpointFolder, TokenizerName));
            return new LacosModel(checkpoint.Weights, tokenizer, settings, Provenance(folder, checkpoint), checkpoint);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
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

    private static Dictionary<string, string> Provenance(string folder, BloomCheckpoint checkpoint)
    {
        // Only the folder's own name: a path would tell of the machine, and make the same model differ between two.
        var result = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [ModelProvenance.Name] = new DirectoryInfo(Path.GetFullPath(folder)).Name,
            [ModelProvenance.BaseSha256] = WeightsHash.Of(checkpoint.Files),
            [ModelProvenance.Quantization] = QuantizationNames.Describe(checkpoint.Weights),
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
}
