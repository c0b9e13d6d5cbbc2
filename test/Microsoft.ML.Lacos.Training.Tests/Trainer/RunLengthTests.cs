using Microsoft.ML.Lacos.Training.Loop;

namespace Microsoft.ML.Lacos.Training.Tests.Trainer;

[TestClass]
public sealed class RunLengthTests
{
    [TestMethod]
    public void StepsThatNobodyLivesToSeeHaveATimeToo()
    {
        Assert.AreEqual(TimeSpan.FromSeconds(3), RunLength.TimeOf(1.5, 2));
        Assert.AreEqual(TimeSpan.Zero, RunLength.TimeOf(1.5, 0));
        Assert.AreEqual(RunLength.TimeOf(1, long.MaxValue), RunLength.TimeOf(1e9, (long)int.MaxValue * 100_000));
        Assert.IsGreaterThan(TimeSpan.FromDays(365_000), RunLength.TimeOf(1, long.MaxValue));
    }
}
