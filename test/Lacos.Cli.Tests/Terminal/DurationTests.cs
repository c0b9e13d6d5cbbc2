using System.Globalization;
using Lacos.Cli.Terminal;

namespace Lacos.Cli.Tests.Terminal;

[TestClass]
public sealed class DurationTests
{
    [TestMethod]
    [DataRow("00:00:00", "0 ms")]
    [DataRow("00:00:00.3394", "340 ms")]
    [DataRow("00:00:59.9", "59 s")]
    [DataRow("00:03:20", "3 min 20 s")]
    [DataRow("02:05:59", "2 h 5 min")]
    [DataRow("1.04:30:00", "1 d 4 h")]
    public void ATimeIsTwoUnitsAtMost(string time, string expected) => Assert.AreEqual(expected, Duration.Of(TimeSpan.Parse(time, CultureInfo.InvariantCulture)));
}
