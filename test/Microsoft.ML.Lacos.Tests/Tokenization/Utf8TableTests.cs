using System.Text;
using CsCheck;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Tests.Tokenization;

/// <summary>The tables in which a vocabulary and its merges are held.</summary>
[TestClass]
public sealed class Utf8TableTests
{
    [TestMethod]
    public void TextsAreNumberedOnceInOrderHoweverManyThereAre() => Gen.String.Array[0, 300].Sample(static texts =>
    {
        var table = new Utf8Table(0);
        var expected = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (string text in texts)
        {
            byte[] utf8 = Encoding.UTF8.GetBytes(text);
            string read = Encoding.UTF8.GetString(utf8);
            Assert.AreEqual(expected.TryAdd(read, expected.Count), table.TryAdd(utf8));
        }
        Assert.AreEqual(expected.Count, table.Count);
        foreach ((string text, int number) in expected)
        {
            Assert.AreEqual(number, table.Find(Encoding.UTF8.GetBytes(text)));
            Assert.AreEqual(text, Encoding.UTF8.GetString(table[number]));
            Assert.AreEqual(expected.GetValueOrDefault(text + "-", -1), table.Find(Encoding.UTF8.GetBytes(text + "-")));
        }
    }, iter: 300);

    [TestMethod]
    public void ATokenWhoseSpellingOrIdIsTakenIsNotAdded()
    {
        var vocabulary = new TokenVocabulary(0);
        Assert.IsTrue(vocabulary.TryAdd("a"u8, 70));
        Assert.IsFalse(vocabulary.TryAdd("a"u8, 71));
        Assert.IsFalse(vocabulary.TryAdd("b"u8, 70));
        Assert.AreEqual((1, 70, 70, -1), (vocabulary.Count, vocabulary.MaximumId, vocabulary.Find("a"), vocabulary.Find("b")));
        Assert.IsFalse(vocabulary.HasId(71));
        Assert.AreEqual("", vocabulary.Text(71));
    }

    [TestMethod]
    public void MergesAreFoundAndListedByRankHoweverManyThereAre() => Gen.Select(Gen.Int[0, 40], Gen.Int[0, 40]).Array[0, 400].Sample(static pairs =>
    {
        var table = new MergeTable(0);
        var expected = new Dictionary<(int, int), int>();
        for (int rank = 0; rank < pairs.Length; rank++)
        {
            table.Add(pairs[rank].Item1, pairs[rank].Item2, rank, rank + 1000);
            expected[pairs[rank]] = rank;
        }
        Assert.AreEqual(expected.Count, table.Count);
        CollectionAssert.AreEqual(expected.OrderBy(static entry => entry.Value).Select(static entry => entry.Key).ToArray(), table.InOrder());
        for (int left = 0; left <= 41; left++)
        {
            bool isHeld = table.TryGet(left, 3, out int rank, out int product);
            Assert.AreEqual(expected.TryGetValue((left, 3), out int place), isHeld);
            Assert.AreEqual(isHeld ? (place, place + 1000) : (rank, product), (rank, product));
        }
    }, iter: 300);
}
