using System.Text;
using Microsoft.ML.Lacos.Pipeline;

namespace Microsoft.ML.Lacos.Tests.Pipeline;

/// <summary>The entry of a saved model by itself.</summary>
[TestClass]
public sealed class SavedOptionsTests
{
    [TestMethod]
    public void OnlyAPromptOfAColumnMakesAFileThatOlderPackagesRefuse()
    {
        SentenceEmbeddingEstimator.ColumnOptions plain = new("F", "Text");
        Assert.Contains("\"Version\":1,", Written(new() { Columns = [plain], Prompt = "general: " }));
        Assert.Contains("\"Version\":2,", Written(new() { Columns = [plain, new("Q", "Text", prompt: "query: ")] }));
        Assert.Contains("\"Version\":2,", Written(new() { Columns = [plain, new("Q", "Text", prompt: "")] }));
        Assert.Contains("\"Version\":2,", Written(new() { Columns = [plain, new("Q", "Text", promptName: "query")] }));
    }

    [TestMethod]
    public void PromptsComeBackAsTheirTexts()
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(Written(new() { Columns = [new("F", "Text"), new("Q", "Text", promptName: "query"), new("P", "Text", prompt: "p: ")], PromptName = "general" })));
        (SentenceEmbeddingEstimator.Options options, string fingerprint) = SavedOptions.Read(stream);
        Assert.AreEqual("f00d", fingerprint);
        Assert.AreEqual("[general]", options.Prompt);
        CollectionAssert.AreEqual(new[] { null, "[query]", "p: " }, options.Columns.Select(column => column.Prompt).ToArray());
        Assert.IsTrue(options.Columns.All(column => column.PromptName is null));
    }

    [TestMethod]
    [DataRow(0)]
    [DataRow(3)]
    public void AVersionThatIsNotKnownIsNamed(int version)
    {
        string changed = Written(new() { Columns = [new("F", "Text")] }).Replace("\"Version\":1,", $"\"Version\":{version},", StringComparison.Ordinal);
        InvalidDataException error = Assert.ThrowsExactly<InvalidDataException>(() => SavedOptions.Read(new MemoryStream(Encoding.UTF8.GetBytes(changed))));
        Assert.Contains($"version {version}; this package reads versions 1 to 2", error.Message);
    }

    [TestMethod]
    public void OptionsOfMoreThanAMegabyteAreNeitherWrittenNorRead()
    {
        string prompt = new('a', (1 << 20) - 100);
        Assert.Contains("Shorten the prompts (1048476 characters)", Assert.ThrowsExactly<InvalidOperationException>(() => Written(new() { Columns = [new("F", "Text", prompt: prompt)] })).Message);
        InvalidDataException error = Assert.ThrowsExactly<InvalidDataException>(() => SavedOptions.Read(new MemoryStream(new byte[(1 << 20) + 1])));
        Assert.Contains("The saved options have 1048577 bytes", error.Message);
    }

    private static string Written(SentenceEmbeddingEstimator.Options options)
    {
        using var stream = new MemoryStream();
        SavedOptions.Write(stream, options, static (text, name) => text ?? (name is null ? null : $"[{name}]"), "f00d");
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
