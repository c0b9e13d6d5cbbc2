using System.IO.Compression;
using System.Text;
using Microsoft.ML.Data;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;

namespace Microsoft.ML.Lacos.Tests.Pipeline;

[TestClass]
public sealed class SavedModelTests
{
    private static readonly MLContext s_context = new(1);
    private static readonly IDataView s_data = s_context.Data.LoadFromEnumerable(TextRow.Make(12));
    private static byte[] s_saved = [];

    [ClassInitialize]
    public static void Save(TestContext test)
    {
        using SentenceEmbeddingTransformer transformer = s_context.Transforms.Text.ApplySentenceEmbedding("Features", "Text").Fit(s_data);
        s_saved = Saved(transformer);
    }

    [TestMethod]
    public void EveryOptionThatMattersComesBack()
    {
        var options = new SentenceEmbeddingEstimator.Options
        {
            Columns = [new("Embedding1", "Text", "Tokens"), new("Embedding2", "Other")],
            Pooling = PoolingModes.LastToken | PoolingModes.Max,
            Normalize = false,
            Prompt = "query: ",
            Dimension = 24,
            Precision = EmbeddingPrecision.Int8,
            MaximumTokenCount = 9,
            LongText = LongText.Window,
            ScoreColumnName = "Score",
            LookAheadRows = 5,
            CacheBytes = 12345,
            BatchTokens = 77,
            Compute = BloomCompute.Int8WeightOnly,
        };
        using SentenceEmbeddingTransformer transformer = s_context.Transforms.Text.ApplySentenceEmbedding(options).Fit(s_data);
        using var loaded = (SentenceEmbeddingTransformer)s_context.Model.Load(new MemoryStream(Saved(transformer)), out DataViewSchema schema);
        CollectionAssert.AreEqual(s_data.Schema.Select(column => column.Name).ToArray(), schema.Select(column => column.Name).ToArray());
        Assert.AreEqual(transformer.Fingerprint, loaded.Fingerprint);
        Assert.AreEqual(24, loaded.Dimension);
        IDataView before = transformer.Transform(s_data), after = loaded.Transform(s_data);
        CollectionAssert.AreEqual(before.Schema.Select(column => $"{column.Name} {column.Type}").ToArray(), after.Schema.Select(column => $"{column.Name} {column.Type}").ToArray());
        CollectionAssert.AreEqual(before.GetColumn<sbyte[]>("Embedding1").SelectMany(codes => codes).ToArray(), after.GetColumn<sbyte[]>("Embedding1").SelectMany(codes => codes).ToArray());
        CollectionAssert.AreEqual(before.GetColumn<int>("Tokens").ToArray(), after.GetColumn<int>("Tokens").ToArray());
        CollectionAssert.AreEqual(before.GetColumn<float>("Score").ToArray(), after.GetColumn<float>("Score").ToArray());
    }

    [TestMethod]
    public void APromptGivenByNameIsSavedAsItsText()
    {
        using var folder = new TemporaryFolder();
        using (LacosModel standard = LacosModel.LoadDefault())
        using (LacosModel asking = standard.With(standard.Settings with { Prompts = new Dictionary<string, string> { ["query"] = "query: " } }))
        {
            asking.Save(folder.File("asking.lacos"));
        }
        var options = new SentenceEmbeddingEstimator.Options { Model = folder.File("asking.lacos"), Columns = [new("Features", "Text")], PromptName = "query" };
        using SentenceEmbeddingTransformer transformer = s_context.Transforms.Text.ApplySentenceEmbedding(options).Fit(s_data);
        byte[] saved = Saved(transformer);
        string entry = Encoding.UTF8.GetString(Entry(saved, "options.json"));
        Assert.Contains("\"Prompt\":\"query: \"", entry);
        Assert.DoesNotContain("PromptName", entry, "which versions without names could not read");
        using var loaded = (SentenceEmbeddingTransformer)s_context.Model.Load(new MemoryStream(saved), out _);
        float[] vector = loaded.Transform(s_data).GetColumn<float[]>("Features").First();
        CollectionAssert.AreEqual(transformer.Transform(s_data).GetColumn<float[]>("Features").First(), vector);
        using SentenceEncoder plain = SentenceEncoder.Create(loaded.Model);
        CollectionAssert.AreEqual(plain.Encode("query: " + s_data.GetColumn<string>("Text").First()), vector);
    }

    [TestMethod]
    public void AModelSavedTwiceIsTheSame()
    {
        using var loaded = (SentenceEmbeddingTransformer)s_context.Model.Load(new MemoryStream(s_saved), out _);
        byte[] again = Saved(loaded);
        foreach (string entry in new[] { "model.lacos", "options.json" })
        {
            CollectionAssert.AreEqual(Entry(s_saved, entry), Entry(again, entry));
        }
    }

    [TestMethod]
    public void ALoaderCanBeSavedWithIt()
    {
        using var folder = new TemporaryFolder();
        TextLoader loader = s_context.Data.CreateTextLoader([new("Text", DataKind.String, 0)]);
        using (SentenceEmbeddingTransformer transformer = s_context.Transforms.Text.ApplySentenceEmbedding("Features", "Text").Fit(s_data))
        {
            s_context.Model.Save(transformer, loader, folder.File("model.zip"));
        }
        File.WriteAllLines(folder.File("texts.txt"), ["one line", "another line"]);
        ITransformer loaded = s_context.Model.LoadWithDataLoader(folder.File("model.zip"), out IDataLoader<IMultiStreamSource> loadedLoader);
        Assert.AreEqual(2, loaded.Transform(loadedLoader.Load(new MultiFileSource(folder.File("texts.txt")))).GetColumn<float[]>("Features").Count());
    }

    [TestMethod]
    [DataRow("Columns\":", "Columms\":")]
    [DataRow("\"Version\":1", "\"Version\":3")]
    [DataRow("\"Dimension\":0", "\"Dimension\":-7")]
    [DataRow("\"Dimension\":0", "\"Dimension\":2000000000")]
    [DataRow("\"Dimension\":0", "\"Dimension\":\"many\"")]
    [DataRow("\"LookAheadRows\":1024", "\"LookAheadRows\":2147483647")]
    [DataRow("\"Precision\":0", "\"Precision\":99")]
    [DataRow("\"Output\":\"Features\"", "\"Output\":\"\"")]
    [DataRow("\"Output\":\"Features\"", "\"Output\":null")]
    [DataRow("\"Columns\":[", "\"Columns\":[null,")]
    [DataRow("\"Fingerprint\":\"", "\"Fingerprint\":\"00")]
    [DataRow("{", "")]
    public void ChangedOptionsAreRefused(string part, string replacement)
    {
        string options = Encoding.UTF8.GetString(Entry(s_saved, "options.json"));
        StringAssert.Contains(options, part);
        byte[] changed = Replaced("options.json", Encoding.UTF8.GetBytes(options.Replace(part, replacement, StringComparison.Ordinal)));
        Refused(changed);
    }

    [TestMethod]
    public void OptionsOfHugeSizeAreRefusedBeforeTheyAreRead() =>
        StringAssert.Contains(Refused(Replaced("options.json", new byte[2 << 20])).ToString(), "2097152");

    [TestMethod]
    public void MissingPartsAreNamed()
    {
        StringAssert.Contains(Refused(Replaced("options.json", null)).ToString(), "options.json");
        StringAssert.Contains(Refused(Replaced("model.lacos", null)).ToString(), "model.lacos");
    }

    [TestMethod]
    public void ADamagedModelIsRefused()
    {
        byte[] model = Entry(s_saved, "model.lacos");
        Refused(Replaced("model.lacos", []));
        Refused(Replaced("model.lacos", model[..100]));
        Refused(Replaced("model.lacos", model[..(model.Length / 2)]));
        model[model.Length / 2] ^= 1;
        StringAssert.Contains(Refused(Replaced("model.lacos", model)).ToString(), "sha256");
    }

    [TestMethod]
    public void AModelOfANewerVersionIsRefused()
    {
        byte[] key = Entry(s_saved, "Model.key");
        int at = key.AsSpan().IndexOf("LACOSEMB"u8);
        Assert.IsGreaterThanOrEqualTo(0, at);

        // ModelHeader: signature of the model, then the version written, then the oldest version that can read it.
        key[at + 12] = 99;
        Refused(Replaced("Model.key", key));
    }

    private static byte[] Saved(ITransformer transformer)
    {
        using var stream = new MemoryStream();
        s_context.Model.Save(transformer, s_data.Schema, stream);
        return stream.ToArray();
    }

    private static byte[] Entry(byte[] zip, string name)
    {
        using var archive = new ZipArchive(new MemoryStream(zip));
        using Stream entry = Find(archive, name).Open();
        using var content = new MemoryStream();
        entry.CopyTo(content);
        return content.ToArray();
    }

    private static byte[] Replaced(string name, byte[]? content)
    {
        using var result = new MemoryStream();
        using (var source = new ZipArchive(new MemoryStream(s_saved)))
        using (var target = new ZipArchive(result, ZipArchiveMode.Create, leaveOpen: true))
        {
            ZipArchiveEntry replaced = Find(source, name);
            foreach (ZipArchiveEntry entry in source.Entries.Where(entry => entry != replaced || content is not null))
            {
                using Stream writer = target.CreateEntry(entry.FullName, CompressionLevel.NoCompression).Open();
                using Stream reader = entry == replaced ? new MemoryStream(content!) : entry.Open();
                reader.CopyTo(writer);
            }
        }
        return result.ToArray();
    }

    private static ZipArchiveEntry Find(ZipArchive archive, string name) =>
        archive.Entries.Single(entry => entry.Name == name && (name != "Model.key" || entry.FullName.Contains("TransformerChain", StringComparison.Ordinal) || archive.Entries.Count(other => other.Name == name) == 1));

    private static Exception Refused(byte[] zip)
    {
        Exception? error = null;
        try
        {
            s_context.Model.Load(new MemoryStream(zip), out _);
        }
        catch (Exception caught)
        {
            error = caught;
        }
        Assert.IsNotNull(error, "The changed model was loaded.");

        // ML.NET calls the loader by reflection and wraps what it throws once or twice.
        bool isClear = false;
        for (Exception? cause = error; cause is not null; cause = cause.InnerException)
        {
            isClear |= cause is InvalidDataException or FormatException or ArgumentException;
        }
        Assert.IsTrue(isClear, error.ToString());
        return error;
    }
}
