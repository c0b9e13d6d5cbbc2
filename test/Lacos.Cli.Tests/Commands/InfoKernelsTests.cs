using System.Text.Json;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Native;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class InfoKernelsTests
{
    [TestMethod]
    public void EveryKernelSetHasALineAndTheOneThatModelsGetIsMarked()
    {
        NativeInfo native = Native();

        ToolRun run = ToolRun.Of("info", "--kernels");

        Assert.AreEqual(0, run.ExitCode, run.Error);
        string[][] rows = [.. run.Output.Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1).Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries))];
        CollectionAssert.AreEqual(native.Kernels.Select(kernel => kernel.Name).ToArray(), rows.Select(row => row[0]).ToArray());
        CollectionAssert.AreEqual(native.Kernels.Select(kernel => kernel.IsBuilt ? "yes" : "no").ToArray(), rows.Select(row => row[4]).ToArray());
        CollectionAssert.AreEqual(native.Kernels.Select(kernel => kernel.IsSupported ? "yes" : "no").ToArray(), rows.Select(row => row[5]).ToArray());
        string[] chosen = [.. rows.Where(row => row[7] == "yes").Select(row => row[0])];
        CollectionAssert.AreEqual(BloomEncoders.ManagedReason is null ? new[] { native.ChosenKernel } : [], chosen);
    }

    [TestMethod]
    public void ASetThatCanRunHasPassedItsCheckAndShowsItsTileAndOneThatCannotHasNoPeak()
    {
        NativeInfo native = Native();

        ToolRun run = ToolRun.Of("info", "--kernels", "--json");

        using JsonDocument json = JsonDocument.Parse(run.Output);
        Assert.AreEqual(native.Kernels.Count, json.RootElement.GetArrayLength());
        foreach (JsonElement set in json.RootElement.EnumerateArray())
        {
            string name = set.GetProperty("name").GetString()!;
            bool canRun = set.GetProperty("built").GetBoolean() && set.GetProperty("supported").GetBoolean();
            JsonElement peak = set.GetProperty("int8_peak_gops");
            Assert.AreEqual(canRun ? JsonValueKind.True : JsonValueKind.Null, set.GetProperty("self_check_passed").ValueKind, name);
            Assert.IsTrue(canRun || peak.ValueKind == JsonValueKind.Null, name);
            if (canRun)
            {
                string[] tile = set.GetProperty("tile").GetString()!.Split(" x ");
                StringAssert.Contains(set.GetProperty("gemm").GetString(), $"_{tile[0]}x{tile[1]}_{name}");
                Assert.IsTrue(name == "scalar" || peak.GetDouble() > 1, $"{name}: {peak}");
            }
        }
    }

    private static NativeInfo Native()
    {
        NativeInfo native = NativeInfo.Get();
        if (!native.IsAvailable)
        {
            Assert.Inconclusive($"Not run: the native library is not available: {native.UnavailableReason}");
        }
        return native;
    }
}
