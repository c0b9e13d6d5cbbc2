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

    [TestMethod]
    public void ZerosBehindTheDataArePadding()
    {
        // What gzip makes of nothing: all of its last eight bytes are zero.
        byte[] empty = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, .. new byte[8]];
        foreach ((string content, byte[] packed) in new[] { ("", empty), ("x", TemporaryFolder.Gzip("x")), (Content, TemporaryFolder.Gzip(Content)) })
        {
            Assert.AreEqual(content, Unpack(packed));
            foreach (int zeros in new[] { 1, 2, 9, 512, 65536, 200_000 })
            {
                Assert.AreEqual(content, Unpack([.. packed, .. new byte[zeros]]), $"{content.Length} characters, {zeros} zeros");
            }
        }
    }

    [TestMethod]
    public void OtherBytesBehindTheDataAreRefused()
    {
        byte[] whole = TemporaryFolder.Gzip(Content);
        byte[][] refused =
        [
            [.. whole, 7], [.. whole, 0, 7], [.. whole, 7, 0, 0], [.. whole, .. new byte[100_000], 7, 0, 0], [.. whole, 0, .. whole], [.. whole, 0x1f, 0, 0],
            [.. whole[..^1], .. new byte[2], .. whole], [.. whole[..(whole.Length / 2)], .. new byte[100_000]], [.. whole[..^9], .. new byte[100]],
        ];
        foreach (byte[] packed in refused)
        {
            Assert.ThrowsExactly<InvalidDataException>(() => Unpack(packed));
        }
    }

    private static string Unpack(byte[] packed)
    {
        using var reader = new StreamReader(new CompleteGzipStream(new MemoryStream(packed)));
        return reader.ReadToEnd();
    }
}
