using Microsoft.ML.Data;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Tests.Hub;
using Microsoft.ML.Lacos.Tests.Pipeline;

namespace Microsoft.ML.Lacos.Tests.Sentences;

/// <summary>Weights that are finite and all the same too large: a vector with NaN or infinity is an error, not a result.</summary>
[TestClass]
public sealed class DamagedVectorTests
{
    [TestMethod]
    [DataRow(BloomCompute.Int8)]
    [DataRow(BloomCompute.Float32)]
    public void AVectorThatIsNoneIsAnErrorThatNamesItsText(BloomCompute compute)
    {
        using var folder = new TemporaryFolder();
        TinyModel tiny = TinyModel.OfLetters();
        Array.Fill(tiny.Tensors["ln_f.weight"].Values, 3e38f);
        using LacosModel model = LacosModel.Load(tiny.WriteTo(folder.Path), new LacosModelLoadOptions { Scheme = compute == BloomCompute.Float32 ? QuantizationScheme.None : QuantizationScheme.Rowwise });
        using SentenceEncoder encoder = SentenceEncoder.Create(model, new SentenceEncoderOptions { Compute = compute });
        string message = Assert.ThrowsExactly<InvalidDataException>(() => encoder.Encode(["", "", "abc"], new float[3 * encoder.Dimension], [])).Message;
        StringAssert.StartsWith(message, "Text 2 (from 0), 'abc', has ");
        StringAssert.Contains(message, "The weights of the model are damaged");
        Assert.ThrowsExactly<InvalidDataException>(() => encoder.Encode("abc"));
        Assert.IsTrue(encoder.Encode("").All(value => value == 0));
    }

    [TestMethod]
    public void InAPipelineItIsAnErrorOfItsOwnRowWhenItsVectorIsRead()
    {
        var context = new MLContext(1);
        var encoder = new FakeEncoder { DamagedText = "bad" };
        IDataView data = context.Data.LoadFromEnumerable(Enumerable.Range(0, 20).Select(i => new TextRow { Number = i, Text = i == 7 ? "bad" : $"text {i}" }));
        using SentenceEmbeddingTransformer transformer = encoder.Fit(context, data, FakeEncoder.Options(new SentenceEmbeddingEstimator.ColumnOptions("Features", "Text", "Tokens")));
        IDataView view = transformer.Transform(data);
        using DataViewRowCursor cursor = view.GetRowCursor(view.Schema);
        ValueGetter<VBuffer<float>> vectors = cursor.GetGetter<VBuffer<float>>(view.Schema["Features"]);
        ValueGetter<int> tokens = cursor.GetGetter<int>(view.Schema["Tokens"]);
        VBuffer<float> vector = default;
        int count = 0;
        for (int row = 0; cursor.MoveNext(); row++)
        {
            tokens(ref count);
            Assert.IsGreaterThan(0, count);
            if (row == 7)
            {
                string message = Assert.ThrowsExactly<InvalidDataException>(() => vectors(ref vector)).Message;
                StringAssert.StartsWith(message, "Row 7 (from 0): The text has NaN in its vector, at element 3.");
            }
            else
            {
                vectors(ref vector);
            }
        }
        using var engine = context.Model.CreatePredictionEngine<TextRow, EmbeddedRow>(transformer, new PredictionEngineOptions { OwnsTransformer = false });
        Assert.ThrowsExactly<InvalidDataException>(() => engine.Predict(new TextRow { Text = "bad" }));
        using var generator = transformer.AsEmbeddingGenerator();
        Assert.ThrowsExactly<InvalidDataException>(() => generator.GenerateAsync(["good", "bad"]).GetAwaiter().GetResult());
    }
}
