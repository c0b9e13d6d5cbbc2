using Lacos.Cli.Download;

namespace Lacos.Cli.Tests.Download;

[TestClass]
public sealed class RepositoryPathTests
{
    [TestMethod]
    [DataRow("config.json")]
    [DataRow("1_Pooling/config.json")]
    [DataRow("model-00001-of-00002.safetensors")]
    [DataRow("LICENSE (1).md")]
    [DataRow("CONFIG")]
    public void OrdinaryPathsAreWritten(string path) => Assert.IsTrue(RepositoryPath.IsPortable(path));

    [TestMethod]
    [DataRow("")]
    [DataRow("/a")]
    [DataRow("a/")]
    [DataRow("../a")]
    [DataRow("a/./b")]
    [DataRow("a\\b")]
    [DataRow("C:a")]
    [DataRow("a\n")]
    [DataRow("a.")]
    [DataRow("a ")]
    [DataRow(".git/config")]
    [DataRow(".lacos-download/record.json")]
    [DataRow("nul")]
    [DataRow("x/Com1.json")]
    [DataRow("PROGRA~1")]
    [DataRow("mo\u0301del.json")]
    [DataRow("a\u202Egnp.json")]
    public void PathsThatSomeSystemTakesForAnotherAreNot(string path) => Assert.IsFalse(RepositoryPath.IsPortable(path));

    [TestMethod]
    public void NamesLongerThanFileSystemsHaveAreNot() => Assert.IsFalse(RepositoryPath.IsPortable(new string('a', 300)));
}
