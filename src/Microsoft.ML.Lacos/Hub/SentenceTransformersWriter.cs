using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>Writes a model's files into a folder as Hugging Face and sentence-transformers know them, in the layout before version 6, which all versions read.</summary>
/// <param name="model">What the folder holds beside the weights.</param>
/// <param name="weights">The weights.</param>
/// <param name="precision">Element type of the weights.</param>
internal sealed class SentenceTransformersWriter(ExportedModel model, IBloomRows weights, CheckpointPrecision precision)
{
    /// <summary>The file of prompts, which also says who wrote the folder.</summary>
    public const string SettingsName = "config_sentence_transformers.json";

    private const string PoolingFolder = "1_Pooling";
    private const string NormalizeFolder = "2_Normalize";
    private const string ModulePrefix = "sentence_transformers.models.";

    private static readonly JsonWriterOptions Indented = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Everything that is ever written, at the top of the folder.</summary>
    public static IReadOnlySet<string> Names { get; } = new HashSet<string>(StringComparer.Ordinal)
    {
        "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "modules.json", "sentence_bert_config.json", "README.md",
        SettingsName, PoolingFolder, NormalizeFolder,
    };

    /// <summary>Fills an empty folder.</summary>
    public void Write(string folder, WeightProgress progress)
    {
        var tokens = SpecialTokens.Read(model.TokenizerJson.ToArray());
        SafetensorsWriter checkpoint = CheckpointWriter.Prepare(weights, precision, progress);
        progress.Begin(BloomTensorNames.MatrixElements(weights.Config));
        WriteFile(folder, "model.safetensors", checkpoint.WriteTo);
        WriteFile(folder, "tokenizer.json", stream => stream.Write(model.TokenizerJson.Span));
        WriteJson(folder, "config.json", json => WriteConfig(json, tokens));
        WriteJson(folder, "tokenizer_config.json", json => WriteTokenizerConfig(json, tokens));
        WriteJson(folder, "special_tokens_map.json", tokens.WriteTo);
        WriteModules(folder);
        WriteJson(folder, "sentence_bert_config.json", json =>
        {
            json.WriteNumber("max_seq_length", model.Settings.MaximumTokenCount);
            json.WriteBoolean("do_lower_case", false);
        });
        WriteJson(folder, SettingsName, WriteSettings);
        WriteFile(folder, "README.md", stream => stream.Write(Encoding.UTF8.GetBytes(ExportedCard.Of(model.Provenance))));
        progress.CancellationToken.ThrowIfCancellationRequested();
    }

    private void WriteConfig(Utf8JsonWriter json, SpecialTokens tokens)
    {
        BloomConfig config = weights.Config;
        json.WriteStartArray("architectures");
        json.WriteStringValue("BloomModel");
        json.WriteEndArray();
        json.WriteString("model_type", "bloom");
        json.WriteNumber("vocab_size", config.VocabularySize);
        json.WriteNumber("hidden_size", config.HiddenSize);
        json.WriteNumber("n_layer", config.LayerCount);
        json.WriteNumber("n_head", config.HeadCount);
        json.WriteNumber("layer_norm_epsilon", config.LayerNormEpsilon);
        json.WriteBoolean("apply_residual_connection_post_layernorm", config.ResidualPostLayerNorm);
        json.WriteNumber("hidden_dropout", 0);
        json.WriteNumber("attention_dropout", 0);
        json.WriteNumber("initializer_range", 0.02);
        tokens.WriteIdsTo(json);
        json.WriteNumber("pretraining_tp", 1);
        json.WriteBoolean("slow_but_exact", false);
        json.WriteString("torch_dtype", precision == CheckpointPrecision.Float16 ? "float16" : "float32");
        json.WriteBoolean("use_cache", true);
    }

    private void WriteTokenizerConfig(Utf8JsonWriter json, SpecialTokens tokens)
    {
        json.WriteString("tokenizer_class", "BloomTokenizerFast");
        json.WriteNumber("model_max_length", model.Settings.MaximumTokenCount);

        // sentence-transformers counts positions with the padding in them: padded on the left, the first token and the weighted mean would depend on the batch.
        json.WriteString("padding_side", "right");
        json.WriteBoolean("add_prefix_space", false);
        json.WriteBoolean("clean_up_tokenization_spaces", false);
        tokens.WriteTo(json);
    }

    private void WriteModules(string folder)
    {
        (string Folder, string Type)[] modules = model.Settings.Normalize
            ? [("", "Transformer"), (PoolingFolder, "Pooling"), (NormalizeFolder, "Normalize")]
            : [("", "Transformer"), (PoolingFolder, "Pooling")];
        WriteFile(folder, "modules.json", stream =>
        {
            using var json = new Utf8JsonWriter(stream, Indented);
            json.WriteStartArray();
            for (int i = 0; i < modules.Length; i++)
            {
                json.WriteStartObject();
                json.WriteNumber("idx", i);
                json.WriteString("name", i.ToString(System.Globalization.CultureInfo.InvariantCulture));
                json.WriteString("path", modules[i].Folder);
                json.WriteString("type", ModulePrefix + modules[i].Type);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        });
        Directory.CreateDirectory(Path.Combine(folder, PoolingFolder));
        WriteJson(folder, Path.Combine(PoolingFolder, "config.json"), WritePooling);
        if (model.Settings.Normalize)
        {
            Directory.CreateDirectory(Path.Combine(folder, NormalizeFolder));
        }
    }

    private void WritePooling(Utf8JsonWriter json)
    {
        json.WriteNumber("word_embedding_dimension", weights.Config.HiddenSize);
        foreach ((string key, bool isSet) in PoolingNames.OlderFlags(model.Settings.Pooling))
        {
            json.WriteBoolean(key, isSet);
        }
        json.WriteBoolean("include_prompt", model.Settings.IncludePrompt);
    }

    private void WriteSettings(Utf8JsonWriter json)
    {
        // Without a version of sentence-transformers, which would be a claim that it wrote this; it asks for none.
        json.WriteStartObject("__version__");
        json.WriteString(ExportedFolder.Mark, typeof(LacosModel).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown");
        json.WriteEndObject();
        json.WriteStartObject("prompts");
        foreach ((string name, string prompt) in model.Settings.Prompts.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            json.WriteString(name, prompt);
        }
        json.WriteEndObject();
        json.WriteString("default_prompt_name", model.Settings.DefaultPromptName);
        json.WriteString("similarity_fn_name", "cosine");
    }

    private static void WriteJson(string folder, string name, Action<Utf8JsonWriter> write) => WriteFile(folder, name, stream =>
    {
        using var json = new Utf8JsonWriter(stream, Indented);
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
    });

    private static void WriteFile(string folder, string name, Action<Stream> write)
    {
        using var stream = new FileStream(Path.Combine(folder, name), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
        write(stream);
        stream.Flush(flushToDisk: true);
    }
}
