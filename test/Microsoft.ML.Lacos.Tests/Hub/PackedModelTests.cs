using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Lacos.Tests.Bloom;

namespace Microsoft.ML.Lacos.Tests.Hub;

/// <summary>Models whose linear layers lie packed in the file: the same model to everybody, and used in place where the kernels fit.</summary>
[TestClass]
public sealed unsafe class PackedModelTests
{
    private const string Text = "abcdefghijkl";

    /// <summary>Every kernel set that is built, also those that cannot run here: their layouts are known.</summary>
    public static IEnumerable<object[]> Layouts
    {
        get
        {
            string[] names = [.. NativeInfo.Get().Kernels.Where(kernel => kernel.IsBuilt).Select(kernel => kernel.Name)];
            return (names.Length > 0 ? names : ["none"]).Select(name => new object[] { name });
        }
    }

    [TestMethod]
    [DynamicData(nameof(Layouts))]
    public void PackedForAnyKernelsItIsTheSameModel(string kernels)
    {
        NativeKernels.Require();
        using var folder = new TemporaryFolder();
        using LacosModel model = Tiny(folder);
        model.Save(folder.File("rows.lacos"));
        model.Save(folder.File("packed.lacos"), kernels);
        using LacosModel packed = LacosModel.Load(folder.File("packed.lacos"));
        WeightMatrix[] expected = [.. Linears(model)], actual = [.. Linears(packed)];
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.AreEqual(NativeInfo.Get().Kernels.Single(kernel => kernel.Name == kernels).Panels, actual[i].Panels);
            if (kernels != "scalar")
            {
                Assert.AreEqual(0, (long)actual[i].Data % 64, "kernels read whole cache lines");
            }
            for (int row = 0; row < expected[i].Rows; row++)
            {
                CollectionAssert.AreEqual(Row(expected[i], row), Row(actual[i], row));
            }
        }
        float[] vector = Vector(model);
        CollectionAssert.AreEqual(vector, Vector(packed));
        using var managed = new ManagedBloomEncoder(model.Weights, BloomCompute.Int8, 0, 1);
        using var managedPacked = new ManagedBloomEncoder(packed.Weights, BloomCompute.Int8, 0, 1);
        (int[] Ids, int[] Offsets) batch = RandomBloom.Batch(TinyModel.Vocabulary, 3, 1, 5, 9);
        EncoderCalls.AssertSameBits(managed.Tokens(batch), managedPacked.Tokens(batch), "managed");

        // Saved again it stays packed, from the file and from its parts; unpacked it is the file that never was packed.
        byte[] bytes = File.ReadAllBytes(folder.File("packed.lacos"));
        packed.Save(folder.File("again.lacos"));
        CollectionAssert.AreEqual(bytes, File.ReadAllBytes(folder.File("again.lacos")));
        using LacosModel parts = packed.With(packed.Settings);
        parts.Save(folder.File("parts.lacos"));
        CollectionAssert.AreEqual(bytes, File.ReadAllBytes(folder.File("parts.lacos")));
        packed.Save(folder.File("unpacked.lacos"), LacosModel.NotPacked);
        CollectionAssert.AreEqual(File.ReadAllBytes(folder.File("rows.lacos")), File.ReadAllBytes(folder.File("unpacked.lacos")));
    }

    [TestMethod]
    public void AFolderThatIsOpenedForAnEncoderIsInMemoryOnceAndIsTheSameModel()
    {
        NativeKernels.Require();
        using var folder = new TemporaryFolder();
        using (LacosModel embedded = LacosModel.LoadDefault())
        {
            embedded.SaveFolder(folder.File("model"));
        }
        using LacosModel rows = LacosModel.Load(folder.File("model"));
        using LacosModel packed = LacosModel.OpenForEncoding(folder.File("model"), BloomCompute.Int8);
        Assert.AreEqual(NativeInfo.Get().Kernels.Single(kernel => kernel.Name == NativeInfo.Get().ChosenKernel).Panels, packed.Weights.Blocks[0].QueryKeyValue.Weight.Panels);
        using var copying = new NativeBloomEncoder(rows.Weights, BloomCompute.Int8);
        using var inPlace = new NativeBloomEncoder(packed.Weights, BloomCompute.Int8);
        BloomConfig config = rows.Weights.Config;
        Assert.IsLessThanOrEqualTo(copying.PackedBytes - (12L * config.LayerCount * config.HiddenSize * config.HiddenSize), inPlace.PackedBytes);
        (int[] Ids, int[] Offsets) batch = RandomBloom.Batch(config.VocabularySize, 3, 1, 20, 300, 7);
        EncoderCalls.AssertSameBits(copying.Tokens(batch), inPlace.Tokens(batch), "in place");

        // Whatever is made of it has rows in its file, as if it had never been packed.
        Assert.AreEqual(rows.Fingerprint, packed.Fingerprint);
        using LacosModel again = packed.With(packed.Settings);
        Assert.AreEqual(rows.Fingerprint, again.Fingerprint);
        CollectionAssert.AreEqual(rows.Provenance.ToArray(), packed.Provenance.ToArray());
    }

    [TestMethod]
    [DynamicData(nameof(Layouts))]
    public void QuantisingIntoPanelsGivesWhatPackingGives(string kernels)
    {
        NativeKernels.Require();
        WeightPanels panels = NativeInfo.Get().Kernels.Single(kernel => kernel.Name == kernels).Panels!.Value;
        var random = new Random(5);

        // Rows and columns that fill their last panel and group, and that do not.
        foreach ((int rows, int columns) in new[] { (panels.Width * 2, panels.Group * 3), (panels.Width + 1, (panels.Group * 3) + 1), (1, 1) })
        {
            float[] values = [.. Enumerable.Range(0, rows * columns).Select(_ => random.NextSingle() - 0.5f)];
            fixed (float* first = values)
            {
                var floats = new TensorFloats((byte*)first, SafetensorsDType.F32, values.Length);
                WeightMatrix expected = WeightMatrixBuilder.Build(floats, rows, columns, new RowwiseQuantizer(), "rows", out NativeBuffer one);
                WeightMatrix actual = WeightMatrixBuilder.Build(floats, rows, columns, new RowwiseQuantizer(), "panels", out NativeBuffer other, panels: panels);
                var packed = new byte[panels.ByteLength(rows, columns)];
                var codes = new sbyte[columns];
                Array.Fill(packed, (byte)panels.Flip);
                for (int row = 0; row < rows; row++)
                {
                    expected.CopyCodes(row, codes);
                    panels.WriteRow(codes, row % panels.Width, packed.AsSpan(row / panels.Width * panels.PanelLength(columns)));
                }
                CollectionAssert.AreEqual(packed, new ReadOnlySpan<byte>(other.Pointer, packed.Length).ToArray());
                CollectionAssert.AreEqual(expected.Scales, actual.Scales);
                one.Dispose();
                other.Dispose();
            }
        }
    }

    [TestMethod]
    public void WhatRunsHereIsUsedInPlace()
    {
        NativeKernels.Require();
        using var folder = new TemporaryFolder();
        using LacosModel embedded = LacosModel.LoadDefault();
        embedded.Save(folder.File("packed.lacos"), LacosModel.ThisMachine);
        using LacosModel packed = LacosModel.Load(folder.File("packed.lacos"));
        using var copying = new NativeBloomEncoder(embedded.Weights, BloomCompute.Int8);
        using var inPlace = new NativeBloomEncoder(packed.Weights, BloomCompute.Int8);
        long linear = 12L * embedded.Weights.Config.LayerCount * embedded.Weights.Config.HiddenSize * embedded.Weights.Config.HiddenSize;
        Assert.IsLessThanOrEqualTo(copying.PackedBytes - linear, inPlace.PackedBytes);
        (int[] Ids, int[] Offsets) batch = RandomBloom.Batch(embedded.Weights.Config.VocabularySize, 3, 1, 20, 300, 7);
        EncoderCalls.AssertSameBits(copying.Tokens(batch), inPlace.Tokens(batch), "in place");
    }

    [TestMethod]
    public void ExportedFromPackedWeightsTheFolderIsTheSame()
    {
        NativeKernels.Require();
        using var folder = new TemporaryFolder();
        using LacosModel model = Tiny(folder);
        model.Save(folder.File("packed.lacos"), LacosModel.ThisMachine);
        using LacosModel packed = LacosModel.Load(folder.File("packed.lacos"));
        model.SaveFolder(folder.File("rows"));
        packed.SaveFolder(folder.File("panels"));
        CollectionAssert.AreEqual(File.ReadAllBytes(folder.File("rows", "model.safetensors")), File.ReadAllBytes(folder.File("panels", "model.safetensors")), "exported");
    }

    [TestMethod]
    public void WhatCannotBePackedIsRefused()
    {
        NativeKernels.Require();
        using var folder = new TemporaryFolder();
        using LacosModel model = Tiny(folder);
        ArgumentException unknown = Assert.ThrowsExactly<ArgumentException>(() => model.Save(folder.File("a.lacos"), "mmx"));
        StringAssert.Contains(unknown.Message, "'mmx'");
        StringAssert.Contains(unknown.Message, "scalar");
        using LacosModel blocks = LacosModel.Load(folder.Path, new LacosModelLoadOptions { Scheme = QuantizationScheme.BlockwiseDynamic });
        InvalidOperationException scheme = Assert.ThrowsExactly<InvalidOperationException>(() => blocks.Save(folder.File("a.lacos"), "scalar"));
        StringAssert.Contains(scheme.Message, nameof(QuantizationScheme.BlockwiseDynamic));
        Assert.IsFalse(File.Exists(folder.File("a.lacos")));
        Assert.ThrowsExactly<ArgumentException>(() => new WeightMatrix(QuantizationScheme.None, 1, 1, null, [], [], 0, model, new WeightPanels(16, 4, 0)));
    }

    [TestMethod]
    [DataRow("\"width\":16", "\"width\":00", "JSON")]
    [DataRow("\"width\":16", "\"width\":-1", "-1")]
    [DataRow("\"width\":16", "\"width\":48", "expected U8 [1, 2, 48, 4]")]
    [DataRow("\"group\":4", "\"group\":0", "cannot be")]
    [DataRow("\"flip\":128", "\"flip\":129", "cannot be")]
    [DataRow("\"width\"", "\"wodth\"", "'width'")]
    [DataRow("\"rowwise\",\"block_size\":0,\"e", "\"none\"   ,\"block_size\":0,\"e", "cannot be")]
    public void DamagedLayoutIsRefusedWithTheReason(string text, string spoilt, string fragment)
    {
        NativeKernels.Require();
        if (!NativeInfo.Get().Kernels.Any(kernel => kernel is { Name: "avx2", IsBuilt: true }))
        {
            Assert.Inconclusive("Not run: the layout of the AVX2 kernels is not in this library.");
        }
        using var folder = new TemporaryFolder();
        using (LacosModel model = Tiny(folder))
        {
            model.Save(folder.File("packed.lacos"), "avx2");
        }
        byte[] bytes = File.ReadAllBytes(folder.File("packed.lacos"));
        // The layout is JSON in a JSON string.
        string Escaped(string part) => part.Replace("\"", "\\u0022", StringComparison.Ordinal);
        byte[] from = System.Text.Encoding.UTF8.GetBytes(Escaped(text)), to = System.Text.Encoding.UTF8.GetBytes(Escaped(spoilt));
        int at = bytes.AsSpan().IndexOf(from);
        if (at < 0)
        {
            from = System.Text.Encoding.UTF8.GetBytes(text.Replace("\"", "\\\"", StringComparison.Ordinal));
            to = System.Text.Encoding.UTF8.GetBytes(spoilt.Replace("\"", "\\\"", StringComparison.Ordinal));
            at = bytes.AsSpan().IndexOf(from);
        }
        Assert.IsGreaterThanOrEqualTo(0, at, "the text to spoil is there");
        Assert.HasCount(from.Length, to);
        to.CopyTo(bytes, at);
        InvalidDataException error = Assert.ThrowsExactly<InvalidDataException>(() => LacosModel.Load(new MemoryStream(bytes)));
        StringAssert.Contains(error.Message, fragment);
    }

    private static LacosModel Tiny(TemporaryFolder folder) => LacosModel.Load(TinyModel.OfLetters().WriteTo(folder.Path), new LacosModelLoadOptions { Scheme = QuantizationScheme.Rowwise });

    private static float[] Vector(LacosModel model)
    {
        using SentenceEncoder encoder = SentenceEncoder.Create(model);
        return encoder.Encode(Text);
    }

    private static float[] Row(WeightMatrix matrix, int row)
    {
        var values = new float[matrix.Columns];
        matrix.DequantizeRow(row, values);
        return values;
    }

    private static IEnumerable<WeightMatrix> Linears(LacosModel model) =>
        model.Weights.Blocks.SelectMany(block => (WeightMatrix[])[block.QueryKeyValue.Weight, block.Dense.Weight, block.DenseHTo4H.Weight, block.Dense4HToH.Weight]);
}
