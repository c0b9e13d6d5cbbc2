using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Tests.Hub;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Tests.Sentences;

[TestClass]
public sealed class WindowWeightTests
{
    private const int Limit = 12;
    private const string Prompt = "a long prompt:";
    private const string Text = " The river rises in the mountains and flows through three countries before it reaches the sea near a small town today.";

    private static readonly LacosModel Default = LacosModel.LoadDefault();

    [TestMethod]
    public void ManyThousandWindowsOfOneTextAreOneMean()
    {
        using var folder = new TemporaryFolder();
        using LacosModel model = LacosModel.Load(TinyModel.OfLetters().WriteTo(folder.Path));
        using SentenceEncoder encoder = SentenceEncoder.Create(model, new SentenceEncoderOptions { MaximumTokenCount = 1, LongText = LongText.Window, Normalize = false });
        float[] a = encoder.Encode("a"), b = encoder.Encode("b"), actual = encoder.Encode(new string('a', 5000) + new string('b', 4000));
        for (int d = 0; d < actual.Length; d++)
        {
            Assert.AreEqual(((5.0 * a[d]) + (4.0 * b[d])) / 9, actual[d], 1e-5, $"dimension {d}");
        }
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void AWindowWeighsTheTokensPooledInIt(bool includePrompt)
    {
        using LacosModel model = Default.With(Default.Settings with { IncludePrompt = includePrompt });
        var options = new SentenceEncoderOptions { Prompt = Prompt, MaximumTokenCount = Limit, LongText = LongText.Window, Normalize = false };
        using SentenceEncoder encoder = SentenceEncoder.Create(model, options);
        using IBloomEncoder bloom = BloomEncoders.Create(model.Weights, BloomCompute.Int8, 0, 1);
        BloomTokenizer tokenizer = BloomTokenizer.FromJson(model.TokenizerJson.Span);
        int[] prompt = [.. tokenizer.EncodeToIds(Prompt)];
        int[] all = [.. tokenizer.EncodeToIds(Prompt + Text)];
        CollectionAssert.AreEqual(prompt, all[..prompt.Length]);
        int[] text = all[prompt.Length..];
        int step = Limit - prompt.Length;
        Assert.IsGreaterThan(1, prompt.Length);
        Assert.IsGreaterThan(2 * step, text.Length);
        Assert.AreNotEqual(0, text.Length % step, "The last window is shorter, so that weights matter.");
        int poolFrom = includePrompt ? 0 : prompt.Length;
        var sum = new double[encoder.Dimension];
        double weights = 0;
        foreach (int[] part in text.Chunk(step))
        {
            int[] window = [.. prompt, .. part];
            var vector = new float[encoder.Dimension];
            bloom.Encode(window, [0, window.Length], [poolFrom], new PoolingOptions(PoolingModes.Mean), vector);
            int weight = window.Length - poolFrom;
            weights += weight;
            for (int d = 0; d < sum.Length; d++)
            {
                sum[d] += (double)weight * vector[d];
            }
        }
        float[] actual = encoder.Encode(Text);
        for (int d = 0; d < sum.Length; d++)
        {
            Assert.AreEqual(sum[d] / weights, actual[d], 1e-5, $"dimension {d}");
        }
    }
}
