using System.Text;
using System.Text.Json.Nodes;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Microsoft.ML.Lacos.Tests.Damage;

/// <summary>A small <c>.lacos</c> model with all that one can say, and its bytes with one thing changed.</summary>
internal static class LacosDamage
{
    /// <summary>The model's bytes.</summary>
    public static byte[] Whole(string folder)
    {
        TinyModel tiny = TinyModel.OfLetters();
        foreach ((string name, string content) in TinyModel.SentenceTransformers().Files)
        {
            tiny.Files.TryAdd(name, content);
        }
        tiny.Files["config_sentence_transformers.json"] = """{"prompts":{"query":"ab"},"default_prompt_name":"query"}""";
        using LacosModel model = LacosModel.Load(tiny.WriteTo(folder), new LacosModelLoadOptions { Scheme = QuantizationScheme.Rowwise });
        using LacosModel told = model.With(provenance: new Dictionary<string, string>
        {
            [ModelProvenance.Name] = "tiny", [ModelProvenance.License] = "MIT", [ModelProvenance.Scores] = new ModelScores([new SetScore("en", "stsb-en-test", 10, 0.5, 0.7)]).Write(),
        });
        using var stream = new MemoryStream();
        told.Save(stream);
        return stream.ToArray();
    }

    /// <summary>Changes the JSON inside the header's texts, the header, or any bytes.</summary>
    public static byte[] Apply(byte[] whole, Random random) => random.Next(3) switch
    {
        0 => ApplyToTexts(whole, random),
        1 => ByteDamage.ApplyToHeader(whole, random),
        _ => ByteDamage.Apply(whole, random),
    };

    private static byte[] ApplyToTexts(byte[] whole, Random random) => ByteDamage.WithHeader(whole, json =>
    {
        JsonNode header = JsonNode.Parse(json)!;
        JsonObject texts = header["__metadata__"]!.AsObject();
        string[] documents = [.. texts.Where(text => text.Value!.GetValue<string>() is ['{' or '[', ..]).Select(text => text.Key)];
        string key = documents[random.Next(documents.Length)];
        texts[key] = Encoding.UTF8.GetString(JsonDamage.Apply(Encoding.UTF8.GetBytes(texts[key]!.GetValue<string>()), random));
        return Encoding.UTF8.GetBytes(header.ToJsonString());
    });
}
