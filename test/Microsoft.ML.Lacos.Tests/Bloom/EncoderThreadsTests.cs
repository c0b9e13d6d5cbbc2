using Microsoft.ML.Lacos.Bloom;

namespace Microsoft.ML.Lacos.Tests.Bloom;

[TestClass]
public sealed class EncoderThreadsTests
{
    [TestMethod]
    [DataRow("3", 8, 3)]
    [DataRow("12", 8, 12)]
    [DataRow("256", 8, 256)]
    [DataRow("257", 8, 8)]
    [DataRow("0", 8, 8)]
    [DataRow("-1", 8, 8)]
    [DataRow("many", 8, 8)]
    [DataRow("", 8, 8)]
    [DataRow(null, 8, 8)]
    [DataRow(null, 300, 256)]
    public void TheEnvironmentDecidesWhereItNamesANumberFrom1To256(string? wish, int processors, int expected) => Assert.AreEqual(expected, EncoderThreads.Default(wish, processors));
}
