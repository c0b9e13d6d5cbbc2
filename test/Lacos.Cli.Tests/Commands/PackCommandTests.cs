using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Native;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class PackCommandTests
{
    [TestMethod]
    public void TheBuiltInModelIsPackedForThisMachineAndUnpackedAgain()
    {
        if (!NativeInfo.Get().IsAvailable)
        {
            Assert.Inconclusive($"Not run: {NativeInfo.Get().UnavailableReason}");
        }
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of("pack", "--output", folder.File("packed.lacos"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        StringAssert.Contains(run.Output, $"used in place by {NativeInfo.Get().Kernels.First(kernel => kernel.Panels == Chosen().Panels).Name}");
        StringAssert.Contains(ToolRun.Of("info", "--model", folder.File("packed.lacos")).Output, "used in place by");
        run = ToolRun.Of("pack", "--model", folder.File("packed.lacos"), "--output", folder.File("rows.lacos"), "--kernels", "none");
        Assert.AreEqual(0, run.ExitCode, run.Error);
        using LacosModel built = LacosModel.LoadDefault();
        StringAssert.Contains(run.Output, built.Fingerprint);
    }

    [TestMethod]
    public void ASignalEndsItAndLeavesNoFile()
    {
        if (!NativeInfo.Get().IsAvailable)
        {
            Assert.Inconclusive($"Not run: {NativeInfo.Get().UnavailableReason}");
        }
        using var folder = new TemporaryFolder();
        Assert.ThrowsExactly<OperationCanceledException>(() => ToolRun.Of(new FakeModels(), new MemoryStream(), new CancellationToken(canceled: true), "pack", "--output", folder.File("packed.lacos")));
        CollectionAssert.AreEqual(Array.Empty<string>(), folder.FileNames.ToArray());
    }

    [TestMethod]
    public void UnknownKernelsAreAnErrorOfUsageAndLeaveNoFile()
    {
        if (!NativeInfo.Get().IsAvailable)
        {
            Assert.Inconclusive($"Not run: {NativeInfo.Get().UnavailableReason}");
        }
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of("pack", "--output", folder.File("packed.lacos"), "--kernels", "mmx");
        Assert.AreEqual(2, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "mmx");
        CollectionAssert.AreEqual(Array.Empty<string>(), folder.FileNames.ToArray());
    }

    private static NativeKernel Chosen() => NativeInfo.Get().Kernels.Single(kernel => kernel.Name == NativeInfo.Get().ChosenKernel);
}
