using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Download;

/// <summary>Names of the files that the loaders read, and of those that travel with them.</summary>
internal static class ModelFiles
{
    /// <summary>The model's configuration.</summary>
    public const string Config = "config.json";

    /// <summary>The tokenizer.</summary>
    public const string Tokenizer = "tokenizer.json";

    private const int LargestDocument = 1 << 24;

    private static readonly string[] Pickles = [".bin", ".pt", ".pth", ".ckpt", ".pkl"];
    private static readonly string[] DocumentExtensions = ["", ".md", ".txt"];
    private static readonly string[] Licenses = ["LICENSE", "LICENCE", "NOTICE", "COPYING"];

    /// <summary>What stands beside a checkpoint's configuration and is read where it is there.</summary>
    public static IReadOnlyList<string> BesideConfig { get; } = ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "sentence_bert_config.json"];

    /// <summary>Prompts of a sentence-transformers folder.</summary>
    public const string Prompts = "config_sentence_transformers.json";

    /// <summary>Every file of a folder that changes what a model there is.</summary>
    public static IEnumerable<string> ThatDecide =>
        [Config, Tokenizer, .. BesideConfig, Prompts, SentenceTransformersFolder.ModulesName, SafetensorsFolder.SingleName, SafetensorsFolder.IndexName];

    /// <summary>Whether a file holds weights that can run code when they are opened.</summary>
    public static bool IsPickle(string path) => Pickles.Contains(Path.GetExtension(path).ToLowerInvariant(), StringComparer.Ordinal);

    /// <summary>Whether a file is the model's card or a licence, which weights should not travel without.</summary>
    public static bool IsDocument(string path) => path == "README.md"
        || (!path.Contains('/', StringComparison.Ordinal)
            && Licenses.Any(start => path.StartsWith(start, StringComparison.OrdinalIgnoreCase))
            && DocumentExtensions.Contains(Path.GetExtension(path).ToLowerInvariant(), StringComparer.Ordinal));

    /// <summary>Most bytes of a file that is read into memory as a whole; <see langword="null"/> for weights.</summary>
    public static int? Largest(string path) => path[(path.LastIndexOf('/') + 1)..] switch
    {
        Tokenizer => JsonLimits.LargestTokenizer,
        SafetensorsFolder.IndexName => JsonLimits.LargestIndex,
        string name when name.EndsWith(".safetensors", StringComparison.Ordinal) => null,
        string name when name.EndsWith(".json", StringComparison.Ordinal) => JsonLimits.LargestConfig,
        _ => LargestDocument,
    };
}
