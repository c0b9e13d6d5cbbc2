using System.Text;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Tests.Hub;

/// <summary>JSON beside the weights of a model: too much of it is an error before it takes many times its size in memory.</summary>
[TestClass]
public sealed class JsonLimitTests
{
    private static readonly string Zeros = "[0" + string.Concat(Enumerable.Repeat(",0", 1_000_000)) + "]";

    [TestMethod]
    [DataRow("config.json")]
    [DataRow("modules.json")]
    [DataRow("1_Pooling/config.json")]
    [DataRow("config_sentence_transformers.json")]
    [DataRow("sentence_bert_config.json")]
    [DataRow("tokenizer_config.json")]
    [DataRow("tokenizer.json")]
    public void AFileOfVeryManyValuesIsRefusedBeforeItTakesMuchMemory(string name)
    {
        using var folder = new TemporaryFolder();
        TinyModel tiny = TinyModel.SentenceTransformers();
        tiny.Files[name] = "{\"extra\":" + Zeros + ",\"model\":{\"vocab\":{}}}";
        string path = tiny.WriteTo(folder.Path);
        long before = GC.GetAllocatedBytesForCurrentThread();
        string message = Assert.ThrowsExactly<InvalidDataException>(() => LacosModel.Load(path)).Message;
        Assert.IsLessThan(8L * Zeros.Length, GC.GetAllocatedBytesForCurrentThread() - before);
        StringAssert.Contains(message, Path.GetFileName(name));
        StringAssert.Contains(message, "names, values and brackets");
    }

    [TestMethod]
    [DataRow("config.json", 1L << 24)]
    [DataRow("tokenizer_config.json", 1L << 24)]
    [DataRow("tokenizer.json", 1L << 27)]
    [DataRow("model.safetensors.index.json", 1L << 26)]
    public void AFileLargerThanAnyIsRefusedUnread(string name, long largest)
    {
        using var folder = new TemporaryFolder();
        string path = new TinyModel().WriteTo(folder.Path);
        if (name == "model.safetensors.index.json")
        {
            File.Delete(folder.File("model.safetensors"));
        }
        using (FileStream file = File.Create(folder.File(name)))
        {
            file.SetLength(largest + 1);
        }
        long before = GC.GetAllocatedBytesForCurrentThread();
        string message = Assert.ThrowsExactly<InvalidDataException>(() => LacosModel.Load(path)).Message;
        Assert.IsLessThan(largest, GC.GetAllocatedBytesForCurrentThread() - before);
        StringAssert.Contains(message, name);
        StringAssert.Contains(message, $"has {largest + 1} bytes, at most {largest} are accepted");
    }

    [TestMethod]
    public void AnIdThatIsAListOfVeryManyValuesIsRefusedUnparsed()
    {
        byte[] tokenizer = Encoding.UTF8.GetBytes("{\"model\":{\"vocab\":{\"a\":" + Zeros + "},\"merges\":[]}}");
        long before = GC.GetAllocatedBytesForCurrentThread();
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => TokenizerVocabulary.Check(tokenizer, 12, "t.json")).Message, "is a list or an object");
        Assert.IsLessThan(4L * tokenizer.Length, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [TestMethod]
    public void JsonOfAnAdapterAndOfTheReadersThemselvesIsLimitedToo()
    {
        byte[] json = Encoding.UTF8.GetBytes("{\"extra\":" + Zeros + "}");
        foreach (Action read in (Action[])[() => LoraConfigJson.Read(json, "a.json"), () => BloomConfigJson.Read(json, "c.json"), () => SentenceSettingsJson.Read(json, "s.json"), () => BloomTokenizer.FromJson(json)])
        {
            StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(read).Message, "more than 1000000 names, values and brackets");
        }
    }
}
