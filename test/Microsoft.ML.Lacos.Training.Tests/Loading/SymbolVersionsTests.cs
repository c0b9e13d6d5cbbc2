using Microsoft.ML.Lacos.Training.Loading;

namespace Microsoft.ML.Lacos.Training.Tests.Loading;

[TestClass]
public sealed class SymbolVersionsTests
{
    private const string Newest = "GLIBCXX_3.4.32";

    [TestMethod]
    public void NewestVersionIsNeededButNothingIsBoundToIt()
    {
        ElfImage image = Library();
        VersionNeed need = Need(image, Newest);
        Assert.AreEqual("libstdc++.so.6", need.File);
        Assert.IsFalse(SymbolVersions.IsBound(image, need));
        Assert.IsTrue(SymbolVersions.IsBound(image, Need(image, "GLIBCXX_3.4.21")), "std::string's version is in use");
    }

    [TestMethod]
    public void WeakeningChangesOneByteAndRemovesOneNeed()
    {
        ElfImage image = Library();
        byte[] before = image.Bytes.ToArray();
        int needs = SymbolVersions.Needed(image).Count;
        SymbolVersions.Weaken(image, Need(image, Newest));
        IReadOnlyList<VersionNeed> after = SymbolVersions.Needed(image);
        Assert.HasCount(needs - 1, after);
        Assert.IsFalse(after.Any(need => need.Version == Newest));
        int changed = 0;
        for (int i = 0; i < before.Length; i++)
        {
            changed += before[i] == image.Bytes[i] ? 0 : 1;
        }
        Assert.AreEqual(1, changed);
    }

    [TestMethod]
    public void DamagedLibrariesAreRefusedAndNeverReadOutside()
    {
        byte[] good = Library().Bytes.ToArray();
        var random = new Random(7);
        int refused = 0;
        for (int round = 0; round < 300; round++)
        {
            byte[] damaged = round % 3 == 0 ? good[..random.Next(good.Length)] : [.. good];
            for (int i = 0; i < 8 && damaged.Length > 0; i++)
            {
                // The headers and the tables of versions lie in the first 256 KiB, the dynamic section at the end.
                int position = i % 2 == 0 ? random.Next(Math.Min(damaged.Length, 1024)) : random.Next(damaged.Length);
                damaged[position] = (byte)random.Next(256);
            }
            try
            {
                var image = new ElfImage(damaged);
                foreach (VersionNeed need in SymbolVersions.Needed(image).Take(30))
                {
                    SymbolVersions.IsBound(image, need);
                }
                SymbolVersions.Defined(image);
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }
        Assert.IsGreaterThan(100, refused);
    }

    [TestMethod]
    public void NotAnElfFileIsRefusedWithItsSize() =>
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => new ElfImage(new byte[100])).Message, "100 bytes");

    private static VersionNeed Need(ElfImage image, string version) => SymbolVersions.Needed(image).Single(need => need.Version == version);

    private static ElfImage Library()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", "libLibTorchSharp.so");
        if (!File.Exists(path))
        {
            Assert.Inconclusive("Not run: TorchSharp's library for linux-x64 is not in the output folder of this platform.");
        }
        return new ElfImage(File.ReadAllBytes(path));
    }
}
