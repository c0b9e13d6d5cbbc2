using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Training.Data;

namespace Microsoft.ML.Lacos.Training.Tests.Data;

[TestClass]
public sealed class TokenStoreTests
{
    [TestMethod]
    [DataRow(long.MaxValue, false)]
    [DataRow(2_000_000L, true)]
    [DataRow(0L, true)]
    public void EveryTextComesBackFromMemoryAndFromTheFile(long budget, bool spills)
    {
        using var folder = new TemporaryFolder();
        using (var store = new TokenStore(budget, folder.Path))
        {
            int[][] texts = [.. Enumerable.Range(0, 6000).Select(text => Enumerable.Range(text, text % 331).ToArray()), [.. Enumerable.Range(0, 300_000)], [7]];
            for (int text = 0; text < texts.Length; text++)
            {
                Assert.AreEqual(text, store.Add(texts[text]));
            }
            Assert.AreEqual(texts.Sum(text => (long)text.Length), store.TokenCount);
            Assert.AreEqual(300_000, store.Longest);
            Assert.AreEqual(spills, store.SpilledBytes > 0);
            if (!OperatingSystem.IsWindows())
            {
                Assert.IsEmpty(Directory.EnumerateFileSystemEntries(folder.Path), "nothing to be left behind");
            }
            var ids = new List<int> { -1 };
            for (int text = texts.Length - 1; text >= 0; text--)
            {
                Assert.AreEqual(texts[text].Length, store.LengthOf(text));
                ids.RemoveRange(1, ids.Count - 1);
                store.AppendTo(text, ids);
                CollectionAssert.AreEqual(new[] { -1 }.Concat(texts[text]).ToArray(), ids);
            }
        }
        Assert.IsEmpty(Directory.EnumerateFileSystemEntries(folder.Path), "the temporary file is gone");
    }
}
