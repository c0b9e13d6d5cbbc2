using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Tests.Hub;
using Microsoft.ML.Lacos.Training.Data;
using Microsoft.ML.Lacos.Training.Tests.Trainer;

namespace Microsoft.ML.Lacos.Training.Tests.Data;

/// <summary>Texts behind prompts, over the model of twelve letters, whose tokens are the letters.</summary>
[TestClass]
public sealed class TextInternerTests
{
    private const string Letters = "abcdefghijkl";

    [TestMethod]
    public void ATextOfTwoColumnsIsOneTextWithTheTokensOfEachColumnsPrompt()
    {
        TrainingSet data = Read("kk", "l", rows: 11);
        for (int row = 0; row < 10; row++)
        {
            Assert.AreEqual(data.Columns[1][row], data.Columns[0][row + 1]);
            Assert.AreEqual($"kk{Letters[row]}", TextOf(data, 0, row));
            Assert.AreEqual($"l{Letters[row + 1]}", TextOf(data, 1, row));
        }
        Assert.AreEqual(22, data.Tokens.Count, "11 texts with each prompt");
    }

    [TestMethod]
    [DataRow(null)]
    [DataRow("kk")]
    public void WithOnePromptATextsNumberIsThatOfItsTokens(string? second)
    {
        TrainingSet data = Read("kk", second, rows: 11);
        Assert.AreSame(data.Columns, data.TokenColumns);
        Assert.AreEqual(12, data.Tokens.Count);
        Assert.AreEqual("kkb", TextOf(data, 1, 0));
    }

    [TestMethod]
    public void RowsThatShareATextNeverStandInOneBatchWhateverIsPutBeforeIt()
    {
        TrainingSet data = Read("kk", "l", rows: 11);
        var sampler = new PairSampler(data, 8, seed: 1, distinct: true, smallest: 2);
        int rows = 0;
        for (int batch = 0; batch < 20 * sampler.StepsPerEpoch; batch++)
        {
            int[] next = sampler.Next();
            rows += next.Length;
            Assert.IsFalse(next.Any(row => next.Contains(row + 1)), string.Join(' ', next));
        }
        Assert.IsGreaterThan(100, rows, "almost all of 20 passes over 11 rows");
    }

    [TestMethod]
    public void AFingerprintTellsSecondPromptsApart() => Assert.AreNotEqual(Read("kk", "l", 11).Fingerprint, Read("kk", "h", 11).Fingerprint);

    /// <summary>Rows of a letter and the next one.</summary>
    private static TrainingSet Read(string first, string? second, int rows)
    {
        using var folder = new TemporaryFolder();
        using LacosModel model = LacosModel.Open(TinyModel.OfLetters().WriteTo(folder.File("model")), default);
        var options = new LacosBloomTrainer.Options { Prompt = first, Sentence2Prompt = second };
        var reader = new TrainingSetReader(new TextInterner(model, options, new TokenStore(long.MaxValue, "")), null, default);
        IDataView data = new MLContext(1).Data.LoadFromEnumerable(Enumerable.Range(0, rows).Select(row => new Sentences.Pair { Sentence1 = $"{Letters[row]}", Sentence2 = $"{Letters[row + 1]}" }));
        return reader.Read(data, DatasetSettings.OfInput(options), 4);
    }

    private static string TextOf(TrainingSet data, int column, int row)
    {
        var ids = new List<int>();
        data.Tokens.AppendTo(data.TokenColumns[column][row], ids);
        return string.Concat(ids.Select(id => Letters[id]));
    }
}
