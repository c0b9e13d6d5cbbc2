using Lacos.Cli.Input;

namespace Lacos.Cli.Tests.Input;

[TestClass]
public sealed class CompleteGzipStreamTests
{
    private static readonly string Content = string.Concat(Enumerable.Range(0, 30_000).Select(i => $"line {i * 7919 % 10007}\n"));

    [TestMethod]
    public void WholeDataComesOutUnchanged()
    {
        Assert.AreEqual(Content, Unpack(TemporaryFolder.Gzip(Content)));
        Assert.AreEqual("", Unpack(TemporaryFolder.Gzip("")));
        Assert.AreEqual("x", Unpack(TemporaryFolder.Gzip("x")));
    }

    [TestMethod]
    public void SeveralMembersAreReadOneAfterTheOther() => Assert.AreEqual("a\nb\n", Unpack([.. TemporaryFolder.Gzip("a\n"), .. TemporaryFolder.Gzip("b\n")]));

    [TestMethod]
    public void DataCutAnywhereIsRefused()
    {
        byte[] whole = TemporaryFolder.Gzip(Content);
        foreach (int length in new[] { 2, 3, 9, 10, 11, 100, whole.Length / 2, whole.Length - 9, whole.Length - 8, whole.Length - 5, whole.Length - 1 })
        {
            InvalidDataException error = Assert.ThrowsExactly<InvalidDataException>(() => Unpack(whole[..length]), $"{length} of {whole.Length} bytes");
            StringAssert.Contains(error.Message, "ends too early");
        }
    }

    [TestMethod]
    public void DamagedDataIsRefused()
    {
        byte[] damaged = TemporaryFolder.Gzip(Content);
        damaged[damaged.Length / 2] ^= 0x55;
        Assert.ThrowsExactly<InvalidDataException>(() => Unpack(damaged));
    }

    private static string Unpack(byte[] packed)
    {
        using var reader = new StreamReader(new CompleteGzipStream(new MemoryStream(packed)));
        return reader.ReadToEnd();
    }
}
