using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Microsoft.ML.Data;
using Microsoft.ML.Lacos.Tests.Damage;

namespace Microsoft.ML.Lacos.Tests.Pipeline;

/// <summary>Saved pipelines whose entries of ours are damaged.</summary>
[TestClass]
public sealed class DamagedZipTests
{
    private const string Options = "options.json", Model = "model.lacos";

    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void ADamagedEntryIsRefusedClearlyOrGivesVectors()
    {
        using var folder = new TemporaryFolder();
        Dictionary<string, byte[]> whole = Entries(folder);
        int refused = 0, used = 0;
        for (int seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            var entries = new Dictionary<string, byte[]>(whole);
            string name = Own(whole, seed % 2 == 0 ? Options : Model);
            if (seed % 2 == 0)
            {
                entries[name] = random.Next(3) == 0 ? ByteDamage.Apply(whole[name], random) : JsonDamage.Apply(whole[name], random);
            }
            else
            {
                entries[name] = LacosDamage.Apply(whole[name], random);
                Sign(entries, whole[name]);
            }
            Exception? error = Refusal.Of(() => Use(entries), $"seed {seed}, {name}");
            (refused, used) = error is null ? (refused, used + 1) : (refused + 1, used);
        }
        Assert.IsGreaterThan(200, refused);
        Assert.IsGreaterThan(20, used, "some damage is harmless");
    }

    [TestMethod]
    [DataRow("\"MaximumTokenCount\":0", "\"MaximumTokenCount\":1", "The prompt has 2 tokens")]
    [DataRow("\"Dimension\":0", "\"Dimension\":9", "Dimension is 9")]
    public void OptionsThatDoNotFitTheModelAreRefused(string part, string replacement, string reason)
    {
        using var folder = new TemporaryFolder();
        Dictionary<string, byte[]> entries = Entries(folder);
        string options = Encoding.UTF8.GetString(entries[Own(entries, Options)]);
        Assert.Contains(part, options);
        entries[Own(entries, Options)] = Encoding.UTF8.GetBytes(options.Replace(part, replacement, StringComparison.Ordinal));
        Exception error = Refusal.Of(() => Use(entries), replacement)!;
        Assert.IsInstanceOfType<InvalidDataException>(error);
        Assert.Contains($"do not fit the model in '{Model}': {reason}", error.Message);
    }

    private Dictionary<string, byte[]> Entries(TemporaryFolder folder)
    {
        string model = folder.File("tiny.lacos");
        File.WriteAllBytes(model, LacosDamage.Whole(folder.File("tiny")));
        IDataView data = Data();
        var options = new SentenceEmbeddingEstimator.Options { Model = model, Columns = [new("E1", "Text", "Tokens", prompt: "a"), new("E2", "Other")], ScoreColumnName = "Score" };
        using SentenceEmbeddingTransformer transformer = _ml.Transforms.Text.ApplySentenceEmbedding(options).Fit(data);
        using var saved = new MemoryStream();
        _ml.Model.Save(transformer, data.Schema, saved);
        using var archive = new ZipArchive(saved);
        return archive.Entries.ToDictionary(entry => entry.FullName, entry =>
        {
            using Stream stream = entry.Open();
            using var content = new MemoryStream();
            stream.CopyTo(content);
            return content.ToArray();
        });
    }

    private static string Own(Dictionary<string, byte[]> entries, string name) => entries.Keys.Single(entry => entry.EndsWith(name, StringComparison.Ordinal));

    // With the hash of what the model has become, so that it is looked into.
    private static void Sign(Dictionary<string, byte[]> entries, byte[] old)
    {
        string options = Own(entries, Options);
        entries[options] = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(entries[options])
            .Replace(Convert.ToHexStringLower(SHA256.HashData(old)), Convert.ToHexStringLower(SHA256.HashData(entries[Own(entries, Model)])), StringComparison.Ordinal));
    }

    private void Use(Dictionary<string, byte[]> entries)
    {
        using var zip = new MemoryStream();
        using (var archive = new ZipArchive(zip, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string name, byte[] content) in entries)
            {
                using Stream stream = archive.CreateEntry(name, CompressionLevel.NoCompression).Open();
                stream.Write(content);
            }
        }
        using var loaded = (SentenceEmbeddingTransformer)_ml.Model.Load(zip, out _);
        try
        {
            Assert.HasCount(3, loaded.Transform(Data()).GetColumn<float>("Score").ToArray());
        }
        catch (ArgumentOutOfRangeException error)
        {
            // The options name another column, which is the data's matter.
            Refusal.CheckMessage(error.Message, "a column");
            Assert.IsTrue(error.Message.Contains("ould not find", StringComparison.Ordinal) || error.Message.Contains("not found", StringComparison.Ordinal), error.Message);
        }
    }

    private IDataView Data() => _ml.Data.LoadFromEnumerable(new[] { "abc", "", "lll" }.Select(text => new Row { Text = text, Other = text + "a" }));

    private sealed class Row
    {
        public string Text { get; set; } = "";

        public string Other { get; set; } = "";
    }
}
