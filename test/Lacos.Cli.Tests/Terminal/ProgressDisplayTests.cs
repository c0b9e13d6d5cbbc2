using Lacos.Cli.Terminal;

namespace Lacos.Cli.Tests.Terminal;

[TestClass]
public sealed class ProgressDisplayTests
{
    [TestMethod]
    [DataRow(1500, 10.0, 0.25, "1,500 texts, 150/s, 0:30 left")]
    [DataRow(1500, 1000.0, 0.1, "1,500 texts, 2/s, 2:30:00 left")]
    [DataRow(1500, 10.0, null, "1,500 texts, 150/s")]
    [DataRow(0, 0.0, 0.0, "0 texts, 0/s")]
    public void RateAndTimeLeftAreThoseOfTheWorkSoFar(int count, double seconds, double? fraction, string expected) =>
        Assert.AreEqual(expected, ProgressDisplay.Describe(count, "texts", TimeSpan.FromSeconds(seconds), fraction));
}
