using Microsoft.ML.Lacos.Training.Bloom;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Bloom;

[TestClass]
public sealed class GraphDeviceTests
{
    [TestMethod]
    public void WithoutAGpuAskedForNothingIsProbed()
    {
        GraphDevice device = GraphDevice.Choose(null, false, torch.ScalarType.Float32, () => throw new InvalidOperationException("probed"), Unexpected);
        Assert.AreEqual(DeviceType.CPU, device.Device.type);
        Assert.IsTrue(device.UsesNativeKernels);
        Assert.AreEqual("", device.Settings);
    }

    [TestMethod]
    [DataRow(0, 1)]
    [DataRow(1, 2)]
    public void AGpuThatIsThereIsTakenByItsNumber(int index, int count)
    {
        GraphDevice device = GraphDevice.Choose(index, false, torch.ScalarType.BFloat16, () => count, Unexpected);
        Assert.AreEqual(DeviceType.CUDA, device.Device.type);
        Assert.AreEqual(index, device.Device.index);
        Assert.AreEqual(torch.ScalarType.BFloat16, device.Product);
        Assert.IsFalse(device.UsesNativeKernels);
        Assert.AreNotEqual("", device.Settings);
    }

    [TestMethod]
    [DataRow(0, 0, "no CUDA device")]
    [DataRow(2, 2, "2 CUDA device(s)")]
    [DataRow(-1, 1, "-1")]
    public void AGpuThatIsNotThereIsAnErrorOrAWarningAsFallbackToCpuSays(int index, int count, string words)
    {
        Assert.Contains(words, Assert.ThrowsExactly<NotSupportedException>(() => GraphDevice.Choose(index, false, torch.ScalarType.Float32, () => count, Unexpected)).Message);
        var warnings = new List<string>();
        GraphDevice device = GraphDevice.Choose(index, true, torch.ScalarType.Float32, () => count, warnings.Add);
        Assert.AreEqual(DeviceType.CPU, device.Device.type);
        Assert.HasCount(1, warnings);
        Assert.Contains(words, warnings[0]);
    }

    private static void Unexpected(string warning) => Assert.Fail(warning);
}
