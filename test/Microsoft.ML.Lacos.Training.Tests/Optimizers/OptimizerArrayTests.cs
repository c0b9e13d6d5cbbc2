using Microsoft.ML.Lacos.Training.Optimizers;

namespace Microsoft.ML.Lacos.Training.Tests.Optimizers;

[TestClass]
public sealed class OptimizerArrayTests
{
    [TestMethod]
    public void ItsTextHasTheValues() => Assert.AreEqual("OptimizerArray { Name = step, Values = [7, 8] }", new OptimizerArray("step", new long[] { 7, 8 }).ToString());
}
