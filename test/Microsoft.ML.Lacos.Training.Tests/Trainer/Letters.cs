using Microsoft.ML.Lacos.Tests.Hub;

namespace Microsoft.ML.Lacos.Training.Tests.Trainer;

/// <summary>A checkpoint folder of a few kilobytes that knows twelve letters, and pairs of words made of them.</summary>
internal static class Letters
{
    private const string Tokenizer = """
        {"added_tokens":[],"normalizer":null,"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"use_regex":true},
        "model":{"type":"BPE","vocab":{"a":0,"b":1,"c":2,"d":3,"e":4,"f":5,"g":6,"h":7,"i":8,"j":9,"k":10,"l":11},"merges":[]}}
        """;

    public static string Model(string folder)
    {
        var model = new TinyModel();
        model.Files["tokenizer.json"] = Tokenizer;
        return model.WriteTo(folder);
    }

    public static IDataView Data(MLContext ml) => ml.Data.LoadFromEnumerable(Enumerable.Range(0, 8).Select(i => new Sentences.Pair
    {
        Sentence1 = $"{"abcdefgh"[i]}{"cdefghij"[i]}",
        Sentence2 = $"{"hgfedcba"[i]}{"efghijkl"[i]}{"abcdefgh"[i]}",
    }));
}
