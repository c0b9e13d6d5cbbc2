using Microsoft.ML.Lacos.Native;

namespace Microsoft.ML.Lacos.Tests.Native;

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

    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    public void AnErrorOfAPieceIsThrownAsItIs(int threads) => Assert.ThrowsExactly<IOException>(() => EncoderThreads.Run(64, threads, piece => throw new IOException($"piece {piece}")));

    [TestMethod]
    [DataRow("3")]
    [DataRow("256")]
    [DataRow("")]
    [DataRow(null)]
    public void ANumberThatCanBeFollowedAndNoneAreNoProblem(string? wish) => Assert.IsNull(EncoderThreads.Problem(wish));

    [TestMethod]
    [DataRow("0")]
    [DataRow("257")]
    [DataRow("-1")]
    [DataRow("two")]
    [DataRow("4 ")]
    public void AWishThatCannotBeFollowedIsNamedWithItsValue(string wish) =>
        Assert.AreEqual($"LACOS_NUM_THREADS is '{wish}', not a number from 1 to 256, and has no effect. Correct or unset the variable.", EncoderThreads.Problem(wish));
}
