using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Tests.Hub;

[TestClass]
public sealed class LoadOptionsTests
{
    [TestMethod]
    public void ImpossibleValuesAreRefusedWhateverIsLoaded()
    {
        using var folder = new TemporaryFolder();
        string path = new TinyModel().WriteTo(folder.Path);
        (LacosModelLoadOptions Options, string Seen)[] cases =
        [
            (new() { Scheme = (QuantizationScheme)9 }, "Scheme is 9;"),
            (new() { EmbeddingScheme = (QuantizationScheme)(-1) }, "EmbeddingScheme is -1;"),
            (new() { BlockSize = 0 }, "BlockSize is 0;"),
            (new() { Adapter = " " }, "Adapter is ' '."),
        ];
        foreach ((LacosModelLoadOptions options, string seen) in cases)
        {
            StringAssert.Contains(Assert.Throws<ArgumentException>(() => LacosModel.Load(path, options)).Message, seen);
            StringAssert.Contains(Assert.Throws<ArgumentException>(() => LacosModel.LoadDefault(options)).Message, seen);
        }
    }

    [TestMethod]
    public void AnotherSchemeForTheEmbeddingTableOfAFileIsRefusedAndItsOwnTaken()
    {
        NotSupportedException error = Assert.ThrowsExactly<NotSupportedException>(() => LacosModel.LoadDefault(new LacosModelLoadOptions { EmbeddingScheme = QuantizationScheme.BlockwiseDynamic }));
        StringAssert.Contains(error.Message, "EmbeddingScheme is BlockwiseDynamic and the embedding table is Rowwise already");
        using LacosModel model = LacosModel.LoadDefault(new LacosModelLoadOptions { EmbeddingScheme = QuantizationScheme.Rowwise });
        Assert.AreEqual(QuantizationScheme.Rowwise, model.Weights.WordEmbeddings.Scheme);
    }

    [TestMethod]
    public void AnotherSchemeForTheTableOfAFileThatIsToStayInFloatsIsRefused()
    {
        using var folder = new TemporaryFolder();
        var options = new LacosModelLoadOptions { Scheme = QuantizationScheme.None };
        using (LacosModel floats = LacosModel.Load(new TinyModel().WriteTo(folder.Path), options))
        {
            floats.Save(folder.File("floats.lacos"));
        }
        NotSupportedException error = Assert.ThrowsExactly<NotSupportedException>(() => LacosModel.Load(folder.File("floats.lacos"), options with { EmbeddingScheme = QuantizationScheme.Rowwise }));
        StringAssert.Contains(error.Message, "EmbeddingScheme is Rowwise and the embedding table is None already");
        using LacosModel quantised = LacosModel.Load(folder.File("floats.lacos"), options with { Scheme = QuantizationScheme.Rowwise, EmbeddingScheme = QuantizationScheme.BlockwiseLinear });
        Assert.AreEqual(QuantizationScheme.BlockwiseLinear, quantised.Weights.WordEmbeddings.Scheme);
    }

    [TestMethod]
    public void SettingsAndProvenanceThatNoFileCanHoldAreRefused()
    {
        using LacosModel model = LacosModel.LoadDefault();
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => model.With(model.Settings with { Pooling = PoolingModes.Mean | (PoolingModes)64 })).Message, "Pooling is 68");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => model.With(provenance: new Dictionary<string, string> { ["origin"] = null! })).Message, "'origin'");
        Assert.AreEqual(nameof(SentenceSettings.Prompts), Assert.ThrowsExactly<ArgumentNullException>(() => model.Settings with { Prompts = null! }).ParamName);
    }

    [TestMethod]
    public void SettingsAreEqualByTheirValues()
    {
        using LacosModel one = LacosModel.LoadDefault();
        using LacosModel other = LacosModel.LoadDefault();
        Assert.AreEqual(one.Settings, other.Settings);
        SentenceSettings settings = Settings("query: ");
        Assert.AreEqual(settings, Settings("query: "));
        Assert.AreEqual(settings.GetHashCode(), Settings("query: ").GetHashCode());
        SentenceSettings[] different =
        [
            Settings("other: "), settings with { Prompts = new Dictionary<string, string>() }, settings with { Pooling = PoolingModes.Max }, settings with { Normalize = false },
            settings with { MaximumTokenCount = 7 }, settings with { DefaultPromptName = null }, settings with { IncludePrompt = false },
        ];
        Assert.IsFalse(Array.Exists(different, each => each == settings));

        static SentenceSettings Settings(string query) => new() { Prompts = new Dictionary<string, string> { ["query"] = query, ["document"] = "" }, DefaultPromptName = "query" };
    }
}
