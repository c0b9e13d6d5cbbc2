using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Lacos.Tests.Bloom;

namespace Microsoft.ML.Lacos.Tests.Lora;

[TestClass]
public sealed class PeftAdapterTests
{
    private const string Qkv0 = "h.0.self_attention.query_key_value", Qkv1 = "h.1.self_attention.query_key_value";
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"lacos-adapter-{Guid.NewGuid():N}");

    [TestCleanup]
    public void DeleteFolder()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, true);
        }
    }

    [TestMethod]
    public void AnAdapterWithoutMatricesOrWithImpossibleNumbersIsRefusedAndNotWritten()
    {
        var matrices = new LoraMatrices(2, [1, 2], [3, 4]);
        Assert.Contains($"no matrices of '{Qkv0}'", Refusal(new LoraConfig { Rank = 2 }, null));
        Assert.Contains("alpha is NaN", Refusal(new LoraConfig { Rank = 2, Alpha = double.NaN }, matrices));
        Assert.Contains("alpha is Infinity", Refusal(new LoraConfig { Rank = 2, AlphaPatterns = [new("dense", double.PositiveInfinity)] }, matrices));
        Assert.Contains("dropout is -1;", Refusal(new LoraConfig { Rank = 2, Dropout = -1 }, matrices));
        Assert.Contains("dropout is NaN", Refusal(new LoraConfig { Rank = 2, Dropout = double.NaN }, matrices));

        static string Refusal(LoraConfig config, LoraMatrices? matrices) =>
            Assert.ThrowsExactly<ArgumentException>(() => new PeftAdapter(config, new Dictionary<string, LoraMatrices> { [Qkv0] = matrices! })).Message;
    }

    [TestMethod]
    public void StrengthScalesEveryUpdateAndNothingElse()
    {
        var config = new LoraConfig { Rank = 2, Alpha = 4, TargetModules = ["query_key_value", "dense"], AlphaPatterns = [new("dense", 6)] };
        var matrices = new LoraMatrices(2, [1, 2, 3, 4], [5, 6, 7, 8]);
        var adapter = new PeftAdapter(config, new Dictionary<string, LoraMatrices> { ["h.0.self_attention.query_key_value"] = matrices, ["h.0.self_attention.dense"] = matrices });
        PeftAdapter half = adapter.WithStrength(0.5);
        Assert.AreEqual(1f, half.Config.ScalingOf("h.0.self_attention.query_key_value"));
        Assert.AreEqual(1.5f, half.Config.ScalingOf("h.0.self_attention.dense"));
        Assert.AreSame(adapter.Modules, half.Modules);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => adapter.WithStrength(0));
    }

    [TestMethod]
    [DataRow(QuantizationScheme.None)]
    [DataRow(QuantizationScheme.Rowwise)]
    [DataRow(QuantizationScheme.BlockwiseDynamic)]
    [DataRow(QuantizationScheme.BlockwiseLinear)]
    public void MergingAddsTheScaledProductInTheSchemeOfTheWeights(QuantizationScheme scheme)
    {
        using var model = new RandomBloom(RandomBloom.Small, scheme);
        var config = new LoraConfig { Rank = 3, Alpha = 6, TargetPattern = LoraConfig.AllLinear };
        PeftAdapter adapter = Adapter(config, [.. Enumerable.Range(0, 2).SelectMany(AdaptableModules.NamesOf)]);
        using MergedBloomWeights merged = adapter.Merge(model.Weights);
        for (int block = 0; block < 2; block++)
        {
            AdaptableModules.Replace(model.Weights.Blocks[block], block, (name, linear) =>
            {
                WeightMatrix result = Find(merged.Weights, name).Weight;
                Assert.AreEqual(scheme, result.Scheme);
                CheckSum(linear.Weight, result, adapter.Modules[name], 2);
                return linear;
            });
        }
        Assert.AreSame(model.Weights.WordEmbeddings, merged.Weights.WordEmbeddings);
    }

    [TestMethod]
    public void AnAdapterOfZerosChangesNoCode()
    {
        using var model = new RandomBloom(RandomBloom.Small, QuantizationScheme.Rowwise);
        PeftAdapter adapter = new(new LoraConfig { Rank = 2 }, new Dictionary<string, LoraMatrices> { [Qkv0] = new(2, new float[96], new float[288]), [Qkv1] = new(2, new float[96], new float[288]) });
        using MergedBloomWeights merged = adapter.Merge(model.Weights);
        WeightMatrix before = model.Weights.Blocks[1].QueryKeyValue.Weight, after = merged.Weights.Blocks[1].QueryKeyValue.Weight;
        Assert.AreNotSame(before, after);
        CollectionAssert.AreEqual(Codes(before), Codes(after));
        Assert.AreSame(model.Weights.Blocks[1].Dense, merged.Weights.Blocks[1].Dense);
    }

    [TestMethod]
    public void NamesWithALanguageModelHeadAreReadAndWritten()
    {
        PeftAdapter adapter = Adapter(new LoraConfig { Rank = 4 }, Qkv0, Qkv1);
        new PeftAdapter(adapter.Config, adapter.Modules) { HasLanguageModelHead = true }.Save(_folder);
        using (SafetensorsFile file = SafetensorsFile.Open(Path.Combine(_folder, PeftAdapter.WeightsFileName)))
        {
            Assert.IsTrue(file.Entries.ContainsKey("base_model.model.transformer.h.0.self_attention.query_key_value.lora_A.weight"));
        }
        PeftAdapter read = PeftAdapter.Load(_folder);
        Assert.IsTrue(read.HasLanguageModelHead);
        CollectionAssert.AreEqual(adapter.Modules[Qkv1].B, read.Modules[Qkv1].B);
    }

    [TestMethod]
    public void EverySettingSurvivesSavingAndLoading()
    {
        var config = new LoraConfig
        {
            Rank = 4, Alpha = 12.5, Dropout = 0.1, RankStabilized = true, TargetModules = ["query_key_value", "dense"], ExcludedModules = ["h.0.self_attention.dense"],
            RankPatterns = [new("h.1.self_attention.dense", 2)], AlphaPatterns = [new(".*query_key_value", 3)], BaseModel = "some/bloom", TaskType = "FEATURE_EXTRACTION",
        };
        PeftAdapter adapter = Adapter(config, Qkv0, Qkv1, "h.1.self_attention.dense");
        adapter.Save(_folder);
        LoraConfig read = PeftAdapter.Load(_folder).Config;
        Assert.AreEqual((4, 12.5, 0.1, true, "some/bloom", "FEATURE_EXTRACTION"), (read.Rank, read.Alpha, read.Dropout, read.RankStabilized, read.BaseModel, read.TaskType));
        CollectionAssert.AreEqual(config.TargetModules.ToArray(), read.TargetModules.ToArray());
        CollectionAssert.AreEqual(config.ExcludedModules.ToArray(), read.ExcludedModules.ToArray());
        CollectionAssert.AreEqual(config.RankPatterns.ToArray(), read.RankPatterns.ToArray());
        CollectionAssert.AreEqual(config.AlphaPatterns.ToArray(), read.AlphaPatterns.ToArray());
        Assert.IsEmpty(Directory.GetFiles(_folder, "*.tmp"));
    }

    [TestMethod]
    public void ChosenBlocksAreWrittenAsFullNamesWhichPeftMatchesWithoutAPrefix()
    {
        var config = new LoraConfig { Rank = 4, TargetModules = ["query_key_value", "dense"], Blocks = [3, 1, 3], ExcludedModules = ["h.3.self_attention.dense"] };
        string[] targeted = ["h.1.self_attention.query_key_value", "h.1.self_attention.dense", "h.3.self_attention.query_key_value"];
        Adapter(config, targeted).Save(_folder);
        LoraConfig read = PeftAdapter.Load(_folder).Config;
        Assert.IsNull(read.Blocks);
        CollectionAssert.AreEqual(new[] { "h.1.self_attention.query_key_value", "h.1.self_attention.dense", "h.3.self_attention.query_key_value", "h.3.self_attention.dense" }, read.TargetModules.ToArray());
        CollectionAssert.AreEqual(targeted, Enumerable.Range(0, 5).SelectMany(AdaptableModules.NamesOf).Where(read.Targets).ToArray());
    }

    [TestMethod]
    public void AnAdapterForAnotherModelIsRefusedWithBothShapes()
    {
        using var model = new RandomBloom(RandomBloom.Small);
        PeftAdapter wide = new(new LoraConfig { Rank = 1, BaseModel = "the/other" }, new Dictionary<string, LoraMatrices> { [Qkv0] = new(1, new float[64], new float[192]), [Qkv1] = new(1, new float[64], new float[192]) });
        string message = Assert.ThrowsExactly<InvalidDataException>(() => wide.Merge(model.Weights)).Message;
        StringAssert.Contains(message, "192 x 64");
        StringAssert.Contains(message, "144 x 48");
        StringAssert.Contains(message, "the/other");
        PeftAdapter deep = Adapter(new LoraConfig(), 8, Qkv0, Qkv1, "h.2.self_attention.query_key_value");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => deep.Merge(model.Weights)).Message, "2 blocks");
        PeftAdapter shallow = Adapter(new LoraConfig(), 8, Qkv0);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => shallow.Merge(model.Weights)).Message, $"targets '{Qkv1}'");
    }

    [TestMethod]
    public void MatricesThatTheConfigurationDoesNotKnowAreRefused()
    {
        var config = new LoraConfig { Rank = 2 };
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Adapter(config, "h.0.self_attention.dense")).Message, "does not target");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Adapter(config, 3, Qkv0)).Message, "rank 3");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => new PeftAdapter(config, new Dictionary<string, LoraMatrices>())).Message, "no LoRA matrices");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => new PeftAdapter(config, new Dictionary<string, LoraMatrices> { ["ln_f"] = new(1, [1], [1]) })).Message, "'ln_f'");
        Assert.ThrowsExactly<ArgumentException>(() => new LoraMatrices(3, new float[4], new float[6]));
    }

    [TestMethod]
    [DataRow("base_model.model.h.0.mlp.dense_h_to_4h.lora_magnitude_vector", "no LoRA matrix")]
    [DataRow("base_model.model.word_embeddings.lora_embedding_A", "no LoRA matrix")]
    [DataRow("base_model.model.classifier.weight", "no LoRA matrix")]
    [DataRow("h.0.self_attention.query_key_value.lora_A.weight", "no LoRA matrix")]
    public void TensorsOfOtherKindsAreRefusedByName(string name, string seen)
    {
        WriteFiles(writer => writer.Add(name, SafetensorsDType.F32, new float[4], 2, 2));
        string message = Assert.ThrowsExactly<NotSupportedException>(() => PeftAdapter.Load(_folder)).Message;
        StringAssert.Contains(message, name);
        StringAssert.Contains(message, seen);
    }

    [TestMethod]
    public void WhatATerminalWouldObeyIsNotShown()
    {
        WriteFiles(writer => writer.Add("base_model.model.\u001b[2Jh.0", SafetensorsDType.F32, new float[4], 2, 2));
        StringAssert.Contains(Assert.ThrowsExactly<NotSupportedException>(() => PeftAdapter.Load(_folder)).Message, "'base_model.model.\uFFFD[2Jh.0'");
        File.WriteAllText(Path.Combine(_folder, "adapter_config.json"), "{\"peft_type\": \"LORA\", \"r\": \"\u202e8\"}");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => PeftAdapter.Load(_folder)).Message, "'r' in");
        Assert.DoesNotContain("\u202e", Assert.ThrowsExactly<InvalidDataException>(() => PeftAdapter.Load(_folder)).Message);
    }

    [TestMethod]
    public void DamagedMatricesAreRefused()
    {
        string stem = $"base_model.model.{Qkv0}.lora_";
        WriteFiles(writer => writer.Add(stem + "A.weight", SafetensorsDType.F32, new float[4], 2, 2));
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => PeftAdapter.Load(_folder)).Message, "lora_B");
        WriteFiles(writer =>
        {
            writer.Add(stem + "A.weight", SafetensorsDType.F32, new float[4], 2, 2);
            writer.Add(stem + "B.weight", SafetensorsDType.F32, new float[9], 3, 3);
        });
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => PeftAdapter.Load(_folder)).Message, "F32 [3, 3]");
        WriteFiles(writer =>
        {
            writer.Add(stem + "A.weight", SafetensorsDType.F32, new float[] { 1, float.NaN }, 2, 1);
            writer.Add(stem + "B.weight", SafetensorsDType.F32, new float[6], 3, 2);
        });
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => PeftAdapter.Load(_folder)).Message, "NaN");
        File.WriteAllBytes(Path.Combine(_folder, PeftAdapter.WeightsFileName), [1, 2, 3]);
        Assert.ThrowsExactly<InvalidDataException>(() => PeftAdapter.Load(_folder));
    }

    [TestMethod]
    public void MissingFilesAreNamed()
    {
        StringAssert.Contains(Assert.ThrowsExactly<FileNotFoundException>(() => PeftAdapter.Load(_folder)).Message, PeftAdapter.ConfigFileName);
        Directory.CreateDirectory(_folder);
        File.WriteAllText(Path.Combine(_folder, PeftAdapter.ConfigFileName), "{}");
        StringAssert.Contains(Assert.ThrowsExactly<FileNotFoundException>(() => PeftAdapter.Load(_folder)).Message, PeftAdapter.WeightsFileName);
    }

    private void WriteFiles(Action<SafetensorsWriter> tensors)
    {
        Directory.CreateDirectory(_folder);
        File.WriteAllText(Path.Combine(_folder, PeftAdapter.ConfigFileName), """{"peft_type": "LORA", "r": 2, "target_modules": "all-linear"}""");
        var writer = new SafetensorsWriter();
        tensors(writer);
        AtomicFile.Write(Path.Combine(_folder, PeftAdapter.WeightsFileName), writer.WriteTo);
    }

    private static PeftAdapter Adapter(LoraConfig config, params string[] modules) => Adapter(config, 0, modules);

    /// <summary>Random matrices for the small random model; rank 0 means the configuration's.</summary>
    private static PeftAdapter Adapter(LoraConfig config, int rank, params string[] modules)
    {
        var random = new Random(5);
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() - 0.5f) / 4)];
        int hidden = RandomBloom.Small.HiddenSize;
        return new PeftAdapter(config, modules.ToDictionary(module => module, module =>
        {
            int r = rank == 0 ? config.RankOf(module) : rank;
            int outputs = module.EndsWith("query_key_value", StringComparison.Ordinal) ? 3 * hidden : module.EndsWith("h_to_4h", StringComparison.Ordinal) && !module.EndsWith("4h_to_h", StringComparison.Ordinal) ? 4 * hidden : hidden;
            int inputs = module.EndsWith("4h_to_h", StringComparison.Ordinal) ? 4 * hidden : hidden;
            return new LoraMatrices(r, Values(r * inputs), Values(outputs * r));
        }));
    }

    private static LinearWeights Find(BloomWeights weights, string module)
    {
        LinearWeights? found = null;
        int block = ModuleNames.Block(module);
        AdaptableModules.Replace(weights.Blocks[block], block, (name, linear) => name == module ? found = linear : linear);
        return found!;
    }

    private static void CheckSum(WeightMatrix before, WeightMatrix after, LoraMatrices matrices, float scaling)
    {
        float[] old = new float[before.Columns], merged = new float[before.Columns];
        for (int row = 0; row < before.Rows; row++)
        {
            before.DequantizeRow(row, old);
            after.DequantizeRow(row, merged);
            double[] wanted = [.. Enumerable.Range(0, old.Length).Select(column =>
                old[column] + (scaling * Enumerable.Range(0, matrices.Rank).Sum(r => (double)matrices.B[(row * matrices.Rank) + r] * matrices.A[(r * old.Length) + column])))];
            double step = after.Scheme switch
            {
                QuantizationScheme.None => 1e-6,
                QuantizationScheme.BlockwiseDynamic => 0.016,
                _ => 0.51 / 127,
            };
            // A block may reach into neighbouring rows, so its largest value need not be among this row's.
            double largest = after.Scales.Length == 0 ? 1 : after.Scheme == QuantizationScheme.Rowwise ? after.Scales[row] : after.Scales.Max();
            for (int column = 0; column < old.Length; column++)
            {
                Assert.AreEqual(wanted[column], merged[column], step * largest, $"row {row}, column {column}");
            }
        }
    }

    private static unsafe sbyte[] Codes(WeightMatrix matrix) => new ReadOnlySpan<sbyte>(matrix.Data, matrix.Rows * matrix.Columns).ToArray();
}
