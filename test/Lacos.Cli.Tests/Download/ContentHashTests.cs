using Lacos.Cli.Download;

namespace Lacos.Cli.Tests.Download;

[TestClass]
public sealed class ContentHashTests
{
    [TestMethod]
    [DataRow("test content\n", "d670460b4b4aece5915caf5c68d12f560a9fe3e4")]
    [DataRow("", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")]
    [DataRow("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [DataRow("abc", "sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD")]
    public void SmallFilesHaveGitsHashAndLargeOnesSha256(string content, string hash)
    {
        byte[] bytes = System.Text.Encoding.ASCII.GetBytes(content);
        Assert.IsTrue(ContentHash.Parse(hash)!.Value.IsOf(bytes));
        Assert.IsFalse(ContentHash.Parse(hash)!.Value.IsOf([.. bytes, 0]));
    }

    [TestMethod]
    [DataRow(null)]
    [DataRow("")]
    [DataRow("d670460b4b4aece5915caf5c68d12f560a9fe3e")]
    [DataRow("../670460b4b4aece5915caf5c68d12f560a9fe3")]
    public void WhatIsNoHashIsNone(string? text) => Assert.IsNull(ContentHash.Parse(text));
}
