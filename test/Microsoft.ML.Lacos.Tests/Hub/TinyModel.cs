using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Tests.Safetensors;

namespace Microsoft.ML.Lacos.Tests.Hub;

/// <summary>Writes a small valid model folder, whose parts a test can spoil before it is written.</summary>
internal sealed class TinyModel
{
    public const int Hidden = 8;
    public const int Layers = 2;
    public const int Vocabulary = 12;

    private static readonly string[] LayerVectors = ["input_layernorm.weight", "input_layernorm.bias", "post_attention_layernorm.weight", "post_attention_layernorm.bias"];

    public TinyModel()
    {
        var random = new Random(7);
        Add("word_embeddings.weight", Vocabulary, Hidden);
        Add("word_embeddings_layernorm.weight", Hidden);
        Add("word_embeddings_layernorm.bias", Hidden);
        for (int layer = 0; layer < Layers; layer++)
        {
            string prefix = $"h.{layer}.";
            Array.ForEach(LayerVectors, name => Add(prefix + name, Hidden));
            AddLinear(prefix + "self_attention.query_key_value", 3 * Hidden, Hidden);
            AddLinear(prefix + "self_attention.dense", Hidden, Hidden);
            AddLinear(prefix + "mlp.dense_h_to_4h", 4 * Hidden, Hidden);
            AddLinear(prefix + "mlp.dense_4h_to_h", Hidden, 4 * Hidden);
        }
        Add("ln_f.weight", Hidden);
        Add("ln_f.bias", Hidden);

        void AddLinear(string name, int rows, int columns)
        {
            Add(name + ".weight", rows, columns);
            Add(name + ".bias", rows);
        }

        void Add(string name, params int[] shape)
        {
            float[] values = [.. Enumerable.Range(0, shape.Aggregate((a, b) => a * b)).Select(_ => random.NextSingle() - 0.5f)];
            Tensors[name] = (shape, values);
        }
    }

    public SortedDictionary<string, (int[] Shape, float[] Values)> Tensors { get; } = new(StringComparer.Ordinal);

    /// <summary>Files beside the weights, by relative path.</summary>
    public Dictionary<string, string> Files { get; } = new(StringComparer.Ordinal)
    {
        ["config.json"] = """{"model_type":"bloom","hidden_size":8,"n_layer":2,"n_head":2,"vocab_size":12,"layer_norm_epsilon":1e-5}""",
        ["tokenizer.json"] = """{"added_tokens":[{"id":0,"content":"<unk>"}],"model":{"type":"BPE","vocab":{"<unk>":0,"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9},"merges":[]}}""",
    };

    public static TinyModel SentenceTransformers()
    {
        var model = new TinyModel();
        model.Files["modules.json"] = """[{"idx":0,"name":"0","path":"","type":"x.models.Transformer"},{"idx":1,"name":"1","path":"1_Pooling","type":"x.models.Pooling"},{"idx":2,"name":"2","path":"2_Normalize","type":"x.models.Normalize"}]""";
        model.Files["1_Pooling/config.json"] = """{"word_embedding_dimension":8,"pooling_mode_mean_tokens":true}""";
        model.Files["config_sentence_transformers.json"] = """{"prompts":{"query":"q: "},"default_prompt_name":"query"}""";
        model.Files["sentence_bert_config.json"] = """{"max_seq_length":16,"do_lower_case":false}""";
        return model;
    }

    /// <summary>A model that knows the letters from a to l, and whose tokenizer can be run.</summary>
    public static TinyModel OfLetters()
    {
        var model = new TinyModel();
        model.Files["tokenizer.json"] = """
            {"added_tokens":[],"normalizer":null,"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"use_regex":true},
            "model":{"type":"BPE","vocab":{"a":0,"b":1,"c":2,"d":3,"e":4,"f":5,"g":6,"h":7,"i":8,"j":9,"k":10,"l":11},"merges":[]}}
            """;
        return model;
    }

    public byte[] Weights(string prefix = "") => RawSafetensors.OfTensors(
        Tensors.Select(tensor => (prefix + tensor.Key, "F32", tensor.Value.Shape, MemoryMarshal.AsBytes<float>(tensor.Value.Values).ToArray())));

    /// <summary>Writes the folder; the weights only where no file of that name was given.</summary>
    public string WriteTo(string folder)
    {
        foreach ((string name, string content) in Files)
        {
            string path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, content);
        }
        File.WriteAllBytes(Path.Combine(folder, "model.safetensors"), Weights());
        return folder;
    }
}
