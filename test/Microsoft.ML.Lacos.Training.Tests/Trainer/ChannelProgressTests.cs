using Microsoft.ML.Lacos.Training.Loop;

namespace Microsoft.ML.Lacos.Training.Tests.Trainer;

[TestClass]
public sealed class ChannelProgressTests
{
    [TestMethod]
    public void DaysThatAreLeftAreHoursInTheMessage()
    {
        Assert.Contains("30:05:09 left", Text(new TimeSpan(1, 6, 5, 9)));
        Assert.Contains(" 00:00:07 left", Text(TimeSpan.FromSeconds(7)));

        static string Text(TimeSpan left) => ChannelProgress.Text(new TrainingProgress(1, 2, 0.5, 1e-4, 1, null, 10, left, "pairs"));
    }
}
