using System.Text.Json;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>Reads what a sentence-transformers folder says around its BLOOM: the layout of version 6 and those before it.</summary>
/// <remarks>
/// <c>modules.json</c> names a Transformer, a Pooling and perhaps a Normalize module; module types moved between versions, so only their last name counts.
/// The token limit is <c>max_seq_length</c> of <c>sentence_bert_config.json</c> (before version 6), else <c>model_max_length</c> of <c>tokenizer_config.json</c>;
/// a folder that names neither cuts nothing, because BLOOM has no longest text.
/// </remarks>
internal static class SentenceTransformersFolder
{
    /// <summary>Name of the file that makes a folder one.</summary>
    public const string ModulesName = "modules.json";

    /// <summary>Whether the folder is one.</summary>
    public static bool IsOne(string folder) => File.Exists(Path.Combine(folder, ModulesName));

    /// <summary>Reads a folder's settings.</summary>
    /// <returns>Folder of the checkpoint, settings, and the width of token vectors that pooling expects, where it says.</returns>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged or names a folder outside this one.</exception>
    /// <exception cref="NotSupportedException">The model has a module or an option that this library does not know.</exception>
    public static (string CheckpointFolder, SentenceSettings Settings, int? Width) Read(string folder)
    {
        string path = Path.Combine(folder, ModulesName);
        IReadOnlyList<(string Kind, string Subfolder)> named = Modules(JsonFile.Read(path), path);
        (string Kind, string Folder)[] modules = [.. named.Select(module => (module.Kind, Path.Combine(folder, module.Subfolder)))];
        (PoolingModes pooling, bool includePrompt, int? width) = ReadPooling(modules[1].Folder);
        SentenceSettings settings = ReadPrompts(folder) with
        {
            Pooling = pooling,
            IncludePrompt = includePrompt,
            Normalize = modules.Length == 3,
            MaximumTokenCount = ReadTokenLimit(modules[0].Folder) ?? SentenceSettingsJson.LargestTokenCount,
        };
        return (modules[0].Folder, settings, width);
    }

    /// <summary>The modules that a <c>modules.json</c> lists, in order.</summary>
    /// <param name="json">Its content.</param>
    /// <param name="where">Name for messages.</param>
    /// <returns>Kind and folder of each: a Transformer, a Pooling and perhaps a Normalize module; folders are relative, with <c>/</c>, and empty for the model's own.</returns>
    /// <exception cref="InvalidDataException">The file is damaged or names a folder outside the model's.</exception>
    /// <exception cref="NotSupportedException">There are other modules.</exception>
    public static IReadOnlyList<(string Kind, string Subfolder)> Modules(byte[] json, string where)
    {
        using JsonDocument document = JsonFile.Parse(json, where);
        JsonFile.Require(document.RootElement, JsonValueKind.Array, where);
        var modules = new List<(string, string)>();
        foreach (JsonElement module in document.RootElement.EnumerateArray())
        {
            string type = JsonFile.String(module, "type", where) ?? throw new InvalidDataException($"'{where}' lists a module without a 'type'. Fetch it again.");
            modules.Add((type[(type.LastIndexOf('.') + 1)..], Inside(JsonFile.String(module, "path", where) ?? "", where)));
        }
        string[] kinds = [.. modules.Select(module => module.Item1)];
        return kinds is ["Transformer", "Pooling"] or ["Transformer", "Pooling", "Normalize"]
            ? modules
            : throw new NotSupportedException($"'{where}' lists the modules {TextInMessage.Of(string.Join(", ", kinds))}; supported are Transformer, Pooling and, last, Normalize. Choose a model without the others.");
    }

    // Backslash and colon on every system: a folder written for one must not escape on another.
    private static string Inside(string subfolder, string where) =>
        subfolder.AsSpan().IndexOfAny("\\:\0") < 0 && !subfolder.StartsWith('/') && !subfolder.Split('/').Contains("..")
            ? subfolder
            : throw new InvalidDataException($"'{where}' places a module in '{TextInMessage.Of(subfolder)}', outside the model's folder. Such a file is never followed; correct it.");

    private static (PoolingModes Modes, bool IncludePrompt, int? Width) ReadPooling(string folder)
    {
        string path = Path.Combine(folder, "config.json");
        using JsonDocument json = JsonFile.Open(path);
        return (
            PoolingNames.FromModule(json.RootElement, path),
            JsonFile.Flag(json.RootElement, "include_prompt", path) ?? true,
            JsonFile.Integer(json.RootElement, "embedding_dimension", path) ?? JsonFile.Integer(json.RootElement, "word_embedding_dimension", path));
    }

    private static SentenceSettings ReadPrompts(string folder)
    {
        string path = Path.Combine(folder, "config_sentence_transformers.json");
        var settings = new SentenceSettings();
        if (!File.Exists(path))
        {
            return settings;
        }
        using JsonDocument json = JsonFile.Open(path);
        settings = settings with
        {
            Prompts = JsonFile.Optional(json.RootElement, "prompts", path) is { } prompts ? JsonFile.Strings(prompts, $"{path}: prompts") : settings.Prompts,
            DefaultPromptName = JsonFile.String(json.RootElement, "default_prompt_name", path),
        };
        SentenceSettingsJson.CheckDefaultPrompt(settings, path);
        return settings;
    }

    private static int? ReadTokenLimit(string folder)
    {
        string path = Path.Combine(folder, "sentence_bert_config.json");
        if (!File.Exists(path))
        {
            return TokenizerConfig.TokenLimit(folder);
        }
        using JsonDocument json = JsonFile.Open(path);
        if (JsonFile.Flag(json.RootElement, "do_lower_case", path) == true)
        {
            throw new NotSupportedException($"'{path}' asks for lower-casing, which BLOOM's cased tokenizer does not do here. Set 'do_lower_case' to false, or lower-case the texts yourself.");
        }
        int? limit = JsonFile.Integer(json.RootElement, "max_seq_length", path);
        return limit is null or (>= 1 and <= SentenceSettingsJson.LargestTokenCount)
            ? limit ?? TokenizerConfig.TokenLimit(folder)
            : throw new InvalidDataException($"'{path}: max_seq_length' is {limit}, expected 1 to {SentenceSettingsJson.LargestTokenCount}. Correct the file.");
    }
}
