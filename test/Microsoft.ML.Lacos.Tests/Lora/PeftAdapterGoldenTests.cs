using System.Text.Json;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Lacos.Tests.Bloom;

namespace Microsoft.ML.Lacos.Tests.Lora;

/// <summary>Adapters written by PEFT, merged and run in fp32, against PEFT's own embeddings.</summary>
[TestClass]
[TestCategory("Golden")]
public sealed class PeftAdapterGoldenTests
{
    private const double Tolerance = 2e-5;
    private static readonly PoolingOptions MeanPooling = new(PoolingModes.Mean);

    [TestMethod]
    public void AnAdapterBeforeTrainingGivesTheReferencesEmbeddings() => ForEachCase((folder, sentences) =>
    {
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        Compare(expected.ReadFloats("embeddings.anchor"), Embed(folder, "adapter_initial", sentences("anchors")), folder + " anchors");
        Compare(expected.ReadFloats("embeddings.positive"), Embed(folder, "adapter_initial", sentences("positives")), folder + " positives");
    });

    [TestMethod]
    public void AnAdapterAfterTrainingGivesTheReferencesMergedEmbeddings() => ForEachCase((folder, sentences) =>
    {
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(folder, "merged.safetensors"));
        Compare(expected.ReadFloats("merged_embeddings.anchor"), Embed(folder, "adapter_after5", sentences("anchors")), folder + " anchors");
    });

    [TestMethod]
    public void AnAdapterMergedIntoInt8WeightsStaysCloseToTheOneInFloats() => ForEachCase((folder, sentences) =>
    {
        PeftAdapter adapter = PeftAdapter.Load(Path.Combine(folder, "adapter_after5"));
        using BloomCheckpoint coded = BloomCheckpoint.Load(TestData.Golden("bloom", "pow2-fp32"), QuantizationScheme.Rowwise);
        using MergedBloomWeights merged = adapter.Merge(coded.Weights);
        Assert.AreEqual(QuantizationScheme.Rowwise, merged.Weights.Blocks[0].QueryKeyValue.Weight.Scheme);
        using var encoder = new ManagedBloomEncoder(merged.Weights);
        using var without = new ManagedBloomEncoder(coded.Weights);
        float[][] wanted = Embed(folder, "adapter_after5", sentences("anchors"));
        double cosine = EncoderCalls.MeanCosine(wanted, encoder.Vectors(sentences("anchors"), MeanPooling));
        Assert.IsGreaterThan(0.999, cosine, folder);
        Assert.IsGreaterThan(EncoderCalls.MeanCosine(wanted, without.Vectors(sentences("anchors"), MeanPooling)), cosine, "the adapter must matter");
    });

    [TestMethod]
    public void AnAdapterSavedAndReadAgainIsTheSame() => ForEachCase((folder, _) =>
    {
        string copy = Path.Combine(Path.GetTempPath(), $"lacos-adapter-{Guid.NewGuid():N}");
        try
        {
            PeftAdapter first = PeftAdapter.Load(Path.Combine(folder, "adapter_after5"));
            first.Save(copy);
            PeftAdapter second = PeftAdapter.Load(copy);
            CollectionAssert.AreEquivalent(first.Modules.Keys.ToArray(), second.Modules.Keys.ToArray());
            foreach ((string module, LoraMatrices matrices) in first.Modules)
            {
                CollectionAssert.AreEqual(matrices.A, second.Modules[module].A, module);
                CollectionAssert.AreEqual(matrices.B, second.Modules[module].B, module);
                Assert.AreEqual(first.Config.ScalingOf(module), second.Config.ScalingOf(module), module);
            }
            SameTensors(Path.Combine(folder, "adapter_after5", PeftAdapter.WeightsFileName), Path.Combine(copy, PeftAdapter.WeightsFileName));
            SameSettings(Path.Combine(folder, "adapter_after5", PeftAdapter.ConfigFileName), Path.Combine(copy, PeftAdapter.ConfigFileName));
        }
        finally
        {
            Directory.Delete(copy, true);
        }
    });

    private static void ForEachCase(Action<string, Func<string, (int[], int[])>> check)
    {
        string[] folders = [.. Directory.GetDirectories(TestData.Golden("lora")).Order(StringComparer.Ordinal)];
        Assert.AreNotEqual(0, folders.Length);
        foreach (string folder in folders)
        {
            using JsonDocument description = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "case.json")));
            Assert.AreEqual("mean", description.RootElement.GetProperty("pooling").GetString());
            check(folder, key =>
            {
                int[][] rows = description.RootElement.GetProperty(key).Deserialize<int[][]>()!;
                return ([.. rows.SelectMany(row => row)], [0, .. rows.Select((_, i) => rows.Take(i + 1).Sum(row => row.Length))]);
            });
        }
    }

    private static float[][] Embed(string folder, string adapterName, (int[], int[]) batch)
    {
        using BloomCheckpoint checkpoint = BloomCheckpoint.Load(TestData.Golden("bloom", "pow2-fp32"));
        using MergedBloomWeights merged = PeftAdapter.Load(Path.Combine(folder, adapterName)).Merge(checkpoint.Weights);
        using var encoder = new Float32BloomEncoder(merged.Weights);
        return encoder.Vectors(batch, MeanPooling);
    }

    private static void Compare(float[] expected, float[][] actual, string what)
    {
        float[] flat = [.. actual.SelectMany(row => row)];
        Assert.HasCount(expected.Length, flat, what);
        double scale = expected.Max(Math.Abs);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.AreEqual(expected[i], flat[i], Tolerance * scale, $"{what}: element {i}");
        }
    }

    private static void SameTensors(string reference, string own)
    {
        using SafetensorsFile first = SafetensorsFile.Open(reference);
        using SafetensorsFile second = SafetensorsFile.Open(own);
        CollectionAssert.AreEquivalent(first.Entries.Keys.ToArray(), second.Entries.Keys.ToArray());
        foreach (string name in first.Entries.Keys)
        {
            CollectionAssert.AreEqual(first.Require(name).Shape, second.Require(name).Shape, name);
            CollectionAssert.AreEqual(first.ReadFloats(name), second.ReadFloats(name), name);
        }
    }

    /// <summary>Every key written has the reference's value, but for the order of the target list and the way numbers are spelt.</summary>
    private static void SameSettings(string reference, string own)
    {
        using JsonDocument first = JsonDocument.Parse(File.ReadAllBytes(reference));
        using JsonDocument second = JsonDocument.Parse(File.ReadAllBytes(own));
        foreach (JsonProperty setting in second.RootElement.EnumerateObject())
        {
            JsonElement wanted = first.RootElement.GetProperty(setting.Name);
            if (setting.Name == "target_modules" && wanted.ValueKind == JsonValueKind.Array)
            {
                CollectionAssert.AreEquivalent(wanted.Deserialize<string[]>()!, setting.Value.Deserialize<string[]>()!);
            }
            else
            {
                Assert.IsTrue(JsonElement.DeepEquals(wanted, setting.Value), $"{setting.Name} is {setting.Value.GetRawText()}, the reference has {wanted.GetRawText()}");
            }
        }
    }
}
