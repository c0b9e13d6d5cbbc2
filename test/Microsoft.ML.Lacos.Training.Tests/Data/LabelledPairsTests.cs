using Microsoft.ML.Lacos.Training.Data;
using Microsoft.ML.Lacos.Training.Losses;

namespace Microsoft.ML.Lacos.Training.Tests.Data;

[TestClass]
public sealed class LabelledPairsTests
{
    [TestMethod]
    public void HalfOfTheFirstTextsPairsMatchAndTheOthersCrossClasses()
    {
        LabelledTexts texts = Texts(5, 3, 9);
        Dictionary<int, int> classOf = ClassOf(texts);
        List<LabelledPair> pairs = LabelledPairs.Make(texts, 4, seed: 7);
        Assert.HasCount(2 * 4 * 17, pairs);
        foreach (IGrouping<int, LabelledPair> of in pairs.GroupBy(pair => pair.First))
        {
            Assert.AreEqual(4, of.Count(pair => pair.Match));
            Assert.AreEqual(4, of.Count(pair => !pair.Match));
        }
        Assert.IsTrue(pairs.All(pair => pair.First != pair.Second && pair.Class == classOf[pair.First] && pair.Match == (classOf[pair.First] == classOf[pair.Second])));
    }

    [TestMethod]
    public void NoMatchingPairComesTwiceBeforeAllHaveCome()
    {
        LabelledPair[] pairs = [.. LabelledPairs.Make(Texts(6, 6), 5, seed: 2).Where(pair => pair.Match)];
        Assert.HasCount(2 * 6 * 5, pairs.Distinct());
        Assert.HasCount(60, pairs);
    }

    [TestMethod]
    public void OtherTextsAreDrawnFromAllOtherClassesAlike()
    {
        LabelledTexts texts = Texts(10, 30, 2);
        Dictionary<int, int> classOf = ClassOf(texts);
        int[] drawn = [.. LabelledPairs.Make(texts, 200, seed: 3).Where(pair => !pair.Match && pair.Class == 0).Select(pair => pair.Second)];
        double share = drawn.Count(text => classOf[text] == 1) / (double)drawn.Length;
        Assert.AreEqual(30 / 32.0, share, 0.03);
        Assert.HasCount(32, drawn.Distinct());
    }

    [TestMethod]
    public void TheSeedAndNothingElseDecides()
    {
        LabelledPair[] first = [.. LabelledPairs.Make(Texts(8, 8, 8), 3, seed: 1)];
        CollectionAssert.AreEqual(first, LabelledPairs.Make(Texts(8, 8, 8), 3, seed: 1));
        CollectionAssert.AreNotEqual(first, LabelledPairs.Make(Texts(8, 8, 8), 3, seed: 2));
    }

    [TestMethod]
    public void AClassOfOneTextStandsOnTheOtherSideOnly()
    {
        List<LabelledPair> pairs = LabelledPairs.Make(Texts(4, 1), 6, seed: 5);
        Assert.HasCount(2 * 4 * 6, pairs);
        Assert.IsTrue(pairs.Where(pair => !pair.Match).All(pair => pair.Second == 4), "the only text of another class");
        Assert.IsFalse(pairs.Exists(pair => pair.First == 4));
    }

    [TestMethod]
    public void WithoutLabelsEachMatchingPairHasItsClass()
    {
        TrainingSet data = LabelledPairs.Make(Texts(6, 6, 6, 6, 6), 4, LossLabel.None, seed: 1, new TokenStore(long.MaxValue, ""));
        Assert.IsNull(data.Labels);
        Assert.AreEqual(5 * 6 * 4, data.Count);
        for (int row = 0; row < data.Count; row++)
        {
            Assert.AreEqual(data.Columns[0][row] / 6, data.Classes![row]);
            Assert.AreEqual(data.Columns[1][row] / 6, data.Classes[row]);
        }
    }

    [TestMethod]
    public void LabelsAreOneForPairsOfAClassAndZeroForOthers()
    {
        TrainingSet data = LabelledPairs.Make(Texts(3, 3), 2, LossLabel.Similarity, seed: 1, new TokenStore(long.MaxValue, ""));
        Assert.AreEqual(0.5, data.Labels!.Average());
        for (int row = 0; row < data.Count; row++)
        {
            Assert.AreEqual(data.Columns[0][row] / 3 == data.Columns[1][row] / 3 ? 1.0 : 0.0, data.Labels![row]);
        }
    }

    [TestMethod]
    public void MorePairsThanCanBeHeldAreRefusedBeforeTheyAreMade() =>
        Assert.Contains("2147483647", Assert.ThrowsExactly<ArgumentException>(() => LabelledPairs.Make(Texts(6, 6), int.MaxValue, seed: 1)).Message);

    /// <summary>Classes of so many texts, numbered through.</summary>
    private static LabelledTexts Texts(params int[] counts)
    {
        var ml = new MLContext(1);
        IEnumerable<Row> rows = counts.SelectMany((count, label) => Enumerable.Range(0, count).Select(i => new Row { Text = $"{label}.{i}", Label = label }));
        int next = 0;
        return LabelledTexts.Read(ml.Data.LoadFromEnumerable(rows), "Text", "Label", _ => next++, isLeftOut: null, CancellationToken.None);
    }

    private static Dictionary<int, int> ClassOf(LabelledTexts texts) =>
        texts.Members.SelectMany((members, label) => members.Select(text => (text, label))).ToDictionary(entry => entry.text, entry => entry.label);

    private sealed class Row
    {
        public string Text { get; set; } = "";

        public int Label { get; set; }
    }
}
