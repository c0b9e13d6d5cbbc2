using Microsoft.ML.Lacos.Training.Data;

namespace Microsoft.ML.Lacos.Training.Tests.Data;

[TestClass]
public sealed class LabelledTextsTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void KeysTextNumbersAndBooleansNameTheSameClasses()
    {
        Row[] rows = [new("a", "x", 3, true), new("b", "y", 7, false), new("c", "x", 3, true), new("d", "y", 7, false)];
        IDataView data = _ml.Transforms.Conversion.MapValueToKey("Key", nameof(Row.Name)).Fit(View(rows)).Transform(View(rows));
        foreach (string column in new[] { "Key", nameof(Row.Name), nameof(Row.Number), nameof(Row.Flag) })
        {
            LabelledTexts texts = Read(data, column);
            CollectionAssert.AreEqual(new[] { 0, 2 }, texts.Members[0], column);
            CollectionAssert.AreEqual(new[] { 1, 3 }, texts.Members[1], column);
        }
    }

    [TestMethod]
    public void MissingLabelsAndTextsOfSeveralClassesAreLeftOutAndCounted()
    {
        Row[] rows = [new("a", "x", 1), new("a", "x", 1), new("b", "x", 1), new("c", "y", 2), new("both", "x", 1), new("both", "y", 2), new("nobody", "", float.NaN), new("", " ", float.NaN)];
        foreach (string column in new[] { nameof(Row.Name), nameof(Row.Number) })
        {
            LabelledTexts texts = Read(View(rows), column);
            Assert.AreEqual(2, texts.Unlabelled);
            Assert.AreEqual(1, texts.Contradictory);
            Assert.AreEqual(1, texts.Lonely);
            Assert.AreEqual(3, texts.Members.Sum(members => members.Length));
        }
    }

    [TestMethod]
    public void DataThatTeachesNothingIsRefusedWithColumnAndReason()
    {
        Refused("'Name' of the training data are of 1 class", new("a", "x"), new("b", "x"));
        Refused("1 row(s) without a label", new("a", "x"), new("b", ""));
        Refused("has a single text", new("a", "x"), new("b", "y"), new("a", "x"));
        Refused("Row 1 (from 0) of the training data has an empty text", new("a", "x"), new("  ", "y"), new("c", "y"));
        InvalidDataException fraction = Assert.ThrowsExactly<InvalidDataException>(() => Read(View([new("a", "x", 1), new("b", "x", 1.5f)]), nameof(Row.Number)));
        Assert.Contains("Row 1", fraction.Message);
        Assert.Contains("1.5", fraction.Message);

        void Refused(string words, params Row[] rows) =>
            Assert.Contains(words, Assert.ThrowsExactly<InvalidDataException>(() => Read(View(rows), nameof(Row.Name))).Message);
    }

    [TestMethod]
    public void WholeNumbersThatNoDoubleHoldsAreDifferentClasses()
    {
        const long Large = 1L << 53;
        IDataView data = _ml.Data.LoadFromEnumerable(new[] { (Large, "a"), (Large + 1, "b"), (Large, "c"), (Large + 1, "d") }.Select(row => new Numbered { Text = row.Item2, Signed = -row.Item1, Unsigned = (ulong)row.Item1 }));
        foreach (string column in new[] { nameof(Numbered.Signed), nameof(Numbered.Unsigned) })
        {
            LabelledTexts texts = Read(data, column);
            CollectionAssert.AreEqual(new[] { 0, 2 }, texts.Members[0], column);
            CollectionAssert.AreEqual(new[] { 1, 3 }, texts.Members[1], column);
        }
    }

    private IDataView View(Row[] rows) => _ml.Data.LoadFromEnumerable(rows);

    private static LabelledTexts Read(IDataView data, string label)
    {
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        return LabelledTexts.Read(data, nameof(Row.Text), label, text => numbers.TryGetValue(text.ToString(), out int number) ? number : numbers[text.ToString()] = numbers.Count, isLeftOut: null, CancellationToken.None);
    }

    private sealed class Numbered
    {
        public string Text { get; set; } = "";

        public long Signed { get; set; }

        public ulong Unsigned { get; set; }
    }

    private sealed class Row(string text, string name, float number = 0, bool flag = false)
    {
        public string Text { get; set; } = text;

        public string Name { get; set; } = name;

        public float Number { get; set; } = number;

        public bool Flag { get; set; } = flag;
    }
}
