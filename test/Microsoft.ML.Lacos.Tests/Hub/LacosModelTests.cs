using System.IO.MemoryMappedFiles;
using System.Security.Cryptography;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Tests.Hub;

[TestClass]
public sealed unsafe class LacosModelTests
{
    [TestMethod]
    [DataRow(QuantizationScheme.None)]
    [DataRow(QuantizationScheme.Rowwise)]
    [DataRow(QuantizationScheme.BlockwiseDynamic)]
    [DataRow(QuantizationScheme.BlockwiseLinear)]
    public void SavedModelIsReadBackWholeAndSavedAgainWithTheSameBytes(QuantizationScheme scheme)
    {
        using var folder = new TemporaryFolder();
        TinyModel tiny = TinyModel.SentenceTransformers();
        tiny.Files["README.md"] = "---\nlanguage: en\nlicense: bigscience-bloom-rail-1.0\n---\n# A model";
        using LacosModel model = LacosModel.Load(tiny.WriteTo(folder.Path), new LacosModelLoadOptions { Scheme = scheme, BlockSize = 24 });
        model.Save(folder.File("a.lacos"));
        using LacosModel again = LacosModel.Load(folder.File("a.lacos"));
        AssertSame(model, again);
        Assert.AreEqual("bigscience-bloom-rail-1.0", again.Provenance[ModelProvenance.License]);
        Assert.AreEqual(Sha256(tiny.Weights()), again.Provenance[ModelProvenance.BaseSha256]);

        byte[] first = File.ReadAllBytes(folder.File("a.lacos"));
        again.Save(folder.File("b.lacos"));
        CollectionAssert.AreEqual(first, File.ReadAllBytes(folder.File("b.lacos")));
        var copy = new LacosModel(again.Weights, again.TokenizerJson.ToArray(), again.Settings, again.Provenance, memory: null);
        using var stream = new MemoryStream();
        copy.Save(stream);
        CollectionAssert.AreEqual(first, stream.ToArray(), "written from its parts");
        Assert.AreEqual(Sha256(first), model.Fingerprint);
        Assert.AreEqual(Sha256(first), again.Fingerprint);
        Assert.IsEmpty(Directory.GetFiles(folder.Path, ".*.tmp"));
    }

    [TestMethod]
    public void FingerprintOfAModelOfManyMegabytesIsTheHashOfItsFileAndTakesNoMemory()
    {
        const long Most = 1 << 18;
        using var folder = new TemporaryFolder();
        using LacosModel model = LacosModel.LoadDefault();
        model.Save(folder.File("a.lacos"));
        byte[] file = File.ReadAllBytes(folder.File("a.lacos"));
        long before = GC.GetAllocatedBytesForCurrentThread();
        string fingerprint = model.Fingerprint;
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.AreEqual(Sha256(file), fingerprint);
        Assert.IsGreaterThan(64 * Most, file.LongLength);
        Assert.IsLessThan(Most, allocated);
    }

    [TestMethod]
    public void StreamModelsAgreeAndUnmanagedMemoryIsUsedInPlace()
    {
        using var folder = new TemporaryFolder();
        using LacosModel model = LacosModel.Load(new TinyModel().WriteTo(folder.Path), new LacosModelLoadOptions { Scheme = QuantizationScheme.Rowwise });
        model.Save(folder.File("a.lacos"));
        byte[] bytes = File.ReadAllBytes(folder.File("a.lacos"));
        LacosModel fromFileStream;
        using (FileStream stream = File.OpenRead(folder.File("a.lacos")))
        {
            fromFileStream = LacosModel.Load(stream);
        }
        File.Delete(folder.File("a.lacos"));
        AssertSame(model, fromFileStream);
        fromFileStream.Dispose();
        fixed (byte* pointer = bytes)
        {
            using var unmanaged = new UnmanagedMemoryStream(pointer, bytes.Length);
            using LacosModel inPlace = LacosModel.Load(unmanaged);
            AssertSame(model, inPlace);
            var data = (byte*)inPlace.Weights.WordEmbeddings.Data;
            Assert.IsTrue(data >= pointer && data < pointer + bytes.Length);
        }
    }

    [TestMethod]
    public void TheViewOfAMappedFileIsRead()
    {
        using var folder = new TemporaryFolder();
        using LacosModel model = LacosModel.Load(new TinyModel().WriteTo(folder.Path));
        model.Save(folder.File("a.lacos"));
        using var map = MemoryMappedFile.CreateFromFile(folder.File("a.lacos"));
        using MemoryMappedViewStream view = map.CreateViewStream(0, new FileInfo(folder.File("a.lacos")).Length);
        using LacosModel viewed = LacosModel.Load(view);
        AssertSame(model, viewed);
    }

    [TestMethod]
    public void QuantisingAtLoadAndAfterwardsGiveTheSameModel()
    {
        using var folder = new TemporaryFolder();
        new TinyModel().WriteTo(folder.Path);
        using LacosModel floats = LacosModel.Load(folder.Path, new LacosModelLoadOptions { Scheme = QuantizationScheme.None });
        using LacosModel later = floats.Quantize(QuantizationScheme.BlockwiseDynamic, 32);
        using LacosModel atLoad = LacosModel.Load(folder.Path, new LacosModelLoadOptions { Scheme = QuantizationScheme.BlockwiseDynamic, BlockSize = 32 });
        Assert.AreEqual(atLoad.Fingerprint, later.Fingerprint);
        Assert.AreEqual(QuantizationScheme.Rowwise, later.Weights.WordEmbeddings.Scheme);
        Assert.ThrowsExactly<NotSupportedException>(() => later.Quantize(QuantizationScheme.Rowwise));
        floats.Save(folder.File("floats.lacos"));
        using LacosModel fromFile = LacosModel.Load(folder.File("floats.lacos"), new LacosModelLoadOptions { Scheme = QuantizationScheme.BlockwiseDynamic, BlockSize = 32 });
        Assert.AreEqual(atLoad.Fingerprint, fromFile.Fingerprint);
    }

    [TestMethod]
    [DataRow(QuantizationScheme.BlockwiseDynamic)]
    [DataRow(QuantizationScheme.BlockwiseLinear)]
    public void ABlockLargerThanTheMatrixIsTheWholeMatrix(QuantizationScheme scheme)
    {
        using var folder = new TemporaryFolder();
        string path = TinyModel.OfLetters().WriteTo(folder.Path);
        using LacosModel huge = LacosModel.Load(path, new LacosModelLoadOptions { Scheme = scheme, BlockSize = int.MaxValue });
        using LacosModel whole = LacosModel.Load(path, new LacosModelLoadOptions { Scheme = scheme, BlockSize = 4 * TinyModel.Hidden * TinyModel.Hidden });
        using SentenceEncoder one = SentenceEncoder.Create(huge), other = SentenceEncoder.Create(whole);
        CollectionAssert.AreEqual(other.Encode("abcdef"), one.Encode("abcdef"));
        huge.Save(folder.File("huge.lacos"));
        using LacosModel again = LacosModel.Load(folder.File("huge.lacos"));
        AssertSame(huge, again);
    }

    [TestMethod]
    public void LeaseKeepsTheWeightsReadableAfterDispose()
    {
        using var folder = new TemporaryFolder();
        LacosModel model = LacosModel.Load(new TinyModel().WriteTo(folder.Path), new LacosModelLoadOptions { Scheme = QuantizationScheme.None });
        WeightMatrix matrix = model.Weights.WordEmbeddings;
        using (model.Lease())
        {
            model.Dispose();
            var row = new float[matrix.Columns];
            matrix.DequantizeRow(0, row);
            CollectionAssert.AreEqual(new TinyModel().Tensors["word_embeddings.weight"].Values[..TinyModel.Hidden], row);
        }
        Assert.ThrowsExactly<ObjectDisposedException>(() => model.Weights);
        Assert.ThrowsExactly<ObjectDisposedException>(() => model.Lease());
        Assert.ThrowsExactly<ObjectDisposedException>(() => model.Save(new MemoryStream()));
        model.Dispose();
    }

    [TestMethod]
    public void OtherSettingsShareTheWeightsAndOutliveTheFirstModel()
    {
        using var folder = new TemporaryFolder();
        LacosModel first = LacosModel.Load(new TinyModel().WriteTo(folder.Path));
        var settings = new SentenceSettings { Pooling = PoolingModes.LastToken | PoolingModes.Mean, Normalize = false, MaximumTokenCount = 128, IncludePrompt = false };
        var told = new Dictionary<string, string> { [ModelProvenance.License] = "MIT" };
        using LacosModel second = first.With(settings, told);
        told[ModelProvenance.License] = "changed afterwards";
        first.Dispose();
        second.Save(folder.File("a.lacos"));
        using LacosModel again = LacosModel.Load(folder.File("a.lacos"));
        AssertSame(second, again);
        Assert.AreEqual(settings with { Prompts = again.Settings.Prompts }, again.Settings);
        Assert.AreEqual("MIT", again.Provenance[ModelProvenance.License]);
        Assert.ThrowsExactly<InvalidDataException>(() => again.With(settings with { Pooling = PoolingModes.None }));
        Assert.ThrowsExactly<InvalidDataException>(() => again.With(settings with { MaximumTokenCount = 0 }));
        Assert.ThrowsExactly<InvalidDataException>(() => again.With(settings with { DefaultPromptName = "query" }));
        Assert.ThrowsExactly<InvalidDataException>(() => again.With(provenance: new Dictionary<string, string> { ["a\ud800"] = "", ["a\udc00"] = "" }), "a file could not hold both");
    }

    [TestMethod]
    public void FailedSaveLeavesNothing()
    {
        using var folder = new TemporaryFolder();
        using LacosModel model = LacosModel.Load(new TinyModel().WriteTo(folder.Path));
        Assert.ThrowsExactly<DirectoryNotFoundException>(() => model.Save(folder.File("none", "a.lacos")));
        Assert.IsFalse(Directory.Exists(folder.File("none")));
    }

    [TestMethod]
    public void PlainFolderMeansMeanPoolingNormalisedAnd256Tokens()
    {
        using var folder = new TemporaryFolder();
        using LacosModel model = LacosModel.Load(new TinyModel().WriteTo(folder.Path));
        Assert.AreEqual(PoolingModes.Mean, model.Settings.Pooling);
        Assert.IsTrue(model.Settings.Normalize);
        Assert.AreEqual(256, model.Settings.MaximumTokenCount);
        Assert.IsNull(model.Settings.DefaultPromptName);
    }

    [TestMethod]
    [DataRow("""{"pooling_mode":["cls","lasttoken"],"include_prompt":false}""", PoolingModes.FirstToken | PoolingModes.LastToken, false)]
    [DataRow("""{"pooling_mode":"mean_sqrt_len_tokens"}""", PoolingModes.MeanSqrtLength, true)]
    [DataRow("""{"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":false,"pooling_mode_max_tokens":true}""", PoolingModes.FirstToken | PoolingModes.Max, true)]
    [DataRow("""{"pooling_mode_weightedmean_tokens":true,"pooling_mode_mean_tokens":false}""", PoolingModes.WeightedMean, true)]
    [DataRow("""{}""", PoolingModes.Mean, true)]
    public void PoolingModulesOfBothSpellingsAreRead(string config, PoolingModes expected, bool includePrompt)
    {
        using var folder = new TemporaryFolder();
        TinyModel tiny = TinyModel.SentenceTransformers();
        tiny.Files["1_Pooling/config.json"] = config;
        using LacosModel model = LacosModel.Load(tiny.WriteTo(folder.Path));
        Assert.AreEqual(expected, model.Settings.Pooling);
        Assert.AreEqual(includePrompt, model.Settings.IncludePrompt);
        Assert.IsTrue(model.Settings.Normalize);
        Assert.AreEqual(16, model.Settings.MaximumTokenCount);
        Assert.AreEqual("q: ", model.Settings.Prompts["query"]);
    }

    [TestMethod]
    [DataRow("""{"pooling_mode":["mean","cls"]}""", "each once")]
    [DataRow("""{"pooling_mode":["mean","mean"]}""", "each once")]
    [DataRow("""{"pooling_mode":"median"}""", "'median'")]
    public void PoolingThatWouldGiveOtherVectorsIsRefused(string config, string seen)
    {
        using var folder = new TemporaryFolder();
        TinyModel tiny = TinyModel.SentenceTransformers();
        tiny.Files["1_Pooling/config.json"] = config;
        tiny.WriteTo(folder.Path);
        StringAssert.Contains(Assert.ThrowsExactly<NotSupportedException>(() => LacosModel.Load(folder.Path)).Message, seen);
    }

    [TestMethod]
    [DataRow("""{"pooling_mode_cls_token":true}""", "does not say 'pooling_mode_mean_tokens'")]
    [DataRow("""{"pooling_mode_mean_tokens":false}""", "every pooling mode off")]
    public void PoolingFlagsThatCanBeReadInTwoWaysAreRefused(string config, string seen)
    {
        using var folder = new TemporaryFolder();
        TinyModel tiny = TinyModel.SentenceTransformers();
        tiny.Files["1_Pooling/config.json"] = config;
        tiny.WriteTo(folder.Path);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => LacosModel.Load(folder.Path)).Message, seen);
    }

    [TestMethod]
    [DataRow("""{"truncation_side":"left"}""", "truncation_side 'left'")]
    [DataRow("""{"add_bos_token":true}""", "'add_bos_token'")]
    [DataRow("""{"add_bos_token":false,"add_eos_token":true}""", "'add_eos_token'")]
    [DataRow("""{"add_prefix_space":true}""", "'add_prefix_space'")]
    [DataRow("""{"added_tokens_decoder":{"0":{"content":"<unk>"},"10":{"content":"<t>"}}}""", "the token '<t>' with the id 10")]
    [DataRow("""{"added_tokens_decoder":{"9":{"content":"<unk>"}}}""", "the token '<unk>' with the id 9")]
    [DataRow("""{"added_tokens_decoder":{"1":{"content":"a"}}}""", "the token 'a' with the id 1")]
    public void TokenizerSettingsThatWouldGiveOtherTokensAreRefused(string config, string seen)
    {
        using var folder = new TemporaryFolder();
        TinyModel tiny = TinyModel.SentenceTransformers();
        tiny.Files["tokenizer_config.json"] = config;
        tiny.WriteTo(folder.Path);
        StringAssert.Contains(Assert.ThrowsExactly<NotSupportedException>(() => LacosModel.Load(folder.Path)).Message, seen);
    }

    [TestMethod]
    public void TokensAddedBesideTheTokenizerAreRefused()
    {
        using var folder = new TemporaryFolder();
        TinyModel tiny = TinyModel.SentenceTransformers();
        tiny.Files["added_tokens.json"] = """{"<unk>":0,"<t>":10}""";
        tiny.WriteTo(folder.Path);
        StringAssert.Contains(Assert.ThrowsExactly<NotSupportedException>(() => LacosModel.Load(folder.Path)).Message, "added_tokens.json' has the token '<t>' with the id 10");
    }

    [TestMethod]
    public void TokenizerSettingsThatSayWhatTheTokenizerSaysAreTaken()
    {
        using var folder = new TemporaryFolder();
        TinyModel tiny = TinyModel.OfLetters();
        tiny.Files["tokenizer.json"] = tiny.Files["tokenizer.json"]
            .Replace("\"added_tokens\":[]", "\"added_tokens\":[{\"id\":11,\"content\":\"l\"}]", StringComparison.Ordinal)
            .Replace("\"add_prefix_space\":false", "\"add_prefix_space\":true", StringComparison.Ordinal);
        tiny.Files["tokenizer_config.json"] = """{"add_prefix_space":true,"added_tokens_decoder":{"11":{"content":"l"}}}""";
        tiny.Files["added_tokens.json"] = """{"l":11}""";
        LacosModel.Load(tiny.WriteTo(folder.Path)).Dispose();
    }

    [TestMethod]
    [DataRow("""{"truncation_side":"right","model_max_length":64,"add_bos_token":false}""", 64)]
    [DataRow("""{"model_max_length":64}""", 64)]
    [DataRow("""{"model_max_length":1}""", 1)]
    [DataRow("""{"model_max_length":0}""", 1_000_000)]
    [DataRow("""{"model_max_length":1000000000000000019884624838656}""", 1_000_000)]
    [DataRow("""{"model_max_length":1e30}""", 1_000_000)]
    [DataRow("""{"model_max_length":null}""", 1_000_000)]
    [DataRow("""{}""", 1_000_000)]
    public void SentenceTransformersFolderCutsAtItsTokenizersLimitOrNowhere(string config, int expected)
    {
        using var folder = new TemporaryFolder();
        TinyModel tiny = TinyModel.SentenceTransformers();
        tiny.Files["sentence_bert_config.json"] = "{}";
        tiny.Files["tokenizer_config.json"] = config;
        using LacosModel model = LacosModel.Load(tiny.WriteTo(folder.Path));
        Assert.AreEqual(expected, model.Settings.MaximumTokenCount);
    }

    private static void AssertSame(LacosModel a, LacosModel b)
    {
        Assert.AreEqual(a.Weights.Config, b.Weights.Config);
        CollectionAssert.AreEqual(a.TokenizerJson.ToArray(), b.TokenizerJson.ToArray());
        Assert.AreEqual(a.Settings with { Prompts = b.Settings.Prompts }, b.Settings);
        CollectionAssert.AreEquivalent(a.Settings.Prompts.ToArray(), b.Settings.Prompts.ToArray());
        CollectionAssert.AreEquivalent(a.Provenance.ToArray(), b.Provenance.ToArray());
        (string, WeightMatrix)[] ours = [.. Matrices(a)];
        (string, WeightMatrix)[] theirs = [.. Matrices(b)];
        for (int index = 0; index < ours.Length; index++)
        {
            (string name, WeightMatrix x) = ours[index];
            WeightMatrix y = theirs[index].Item2;
            Assert.AreEqual((x.Scheme, x.Rows, x.Columns, x.BlockSize), (y.Scheme, y.Rows, y.Columns, y.BlockSize), name);
            CollectionAssert.AreEqual(x.Scales, y.Scales, name);
            CollectionAssert.AreEqual(x.CodeBook, y.CodeBook, name);
            var rowX = new float[x.Columns];
            var rowY = new float[x.Columns];
            for (int row = 0; row < x.Rows; row++)
            {
                x.DequantizeRow(row, rowX);
                y.DequantizeRow(row, rowY);
                CollectionAssert.AreEqual(rowX, rowY, name);
            }
        }
        CollectionAssert.AreEqual(a.Weights.FinalLayerNorm.Bias, b.Weights.FinalLayerNorm.Bias);
        CollectionAssert.AreEqual(a.Weights.Blocks[1].DenseHTo4H.Bias, b.Weights.Blocks[1].DenseHTo4H.Bias);
    }

    private static IEnumerable<(string, WeightMatrix)> Matrices(LacosModel model)
    {
        yield return ("embeddings", model.Weights.WordEmbeddings);
        foreach (BloomBlockWeights block in model.Weights.Blocks)
        {
            yield return ("qkv", block.QueryKeyValue.Weight);
            yield return ("dense", block.Dense.Weight);
            yield return ("up", block.DenseHTo4H.Weight);
            yield return ("down", block.Dense4HToH.Weight);
        }
    }

    private static string Sha256(byte[] bytes) => Convert.ToHexString(SHA256.HashData(bytes)).ToLowerInvariant();
}
