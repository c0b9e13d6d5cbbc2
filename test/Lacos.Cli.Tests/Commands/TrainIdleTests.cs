using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class TrainIdleTests
{
    private const string Pairs = "anchor\tpositive\nab\tcd\nef\tgh\nij\tkl\nace\tbdf\n";

    [TestMethod]
    [DataRow("--base-scheme float32 --precision bfloat16", "--precision bfloat16 has no effect on this base, whose products are in fp32 as its weights are.")]
    [DataRow("--base-scheme float32 --activation-memory 1MiB", "--activation-memory has no effect without int8 weights")]
    [DataRow("--base-scheme blockwise-dynamic --precision bfloat16", null)]
    [DataRow("--steps 5 --stop-at 10", "--stop-at 10 has no effect: --steps is 5, and the run ends there.")]
    [DataRow("--steps 5 --stop-at 4", null)]
    public void AnOptionWithoutEffectIsNamed(string arguments, string? expected)
    {
        using var folder = new TemporaryFolder();
        string warnings = DryRun(folder, ["--model", TinyModel.OfLetters().WriteTo(folder.File("model")), .. arguments.Split(' ')]).Error;
        if (expected is null)
        {
            Assert.DoesNotContain("no effect", warnings);
        }
        else
        {
            StringAssert.Contains(warnings, expected);
        }
    }

    [TestMethod]
    public void NativeInt8ProductsHaveNoPrecisionToChoose()
    {
        if (!NativeInfo.Get().IsAvailable)
        {
            Assert.Inconclusive($"Not run: {NativeInfo.Get().UnavailableReason}");
        }
        using var folder = new TemporaryFolder();
        string warnings = DryRun(folder, "--precision", "bfloat16", "--activation-memory", "1GiB").Error;
        StringAssert.Contains(warnings, "--precision bfloat16 has no effect on this base, whose products are int8 in the native kernels.");
        Assert.DoesNotContain("--activation-memory", warnings);
    }

    [TestMethod]
    public void ADryRunTellsAShortTime()
    {
        using var folder = new TemporaryFolder();
        string output = DryRun(folder, "--model", TinyModel.OfLetters().WriteTo(folder.File("model"))).Output;
        StringAssert.Matches(output, new(@"time +about \d+ (ms|s|min \d+ s), without evaluations"));
    }

    private static ToolRun DryRun(TemporaryFolder folder, params string[] options)
    {
        ToolRun run = ToolRun.Of(["train", "--data", folder.Write("pairs.tsv", Pairs), "--output", folder.File("out"), "--batch-size", "2", "--dry-run", .. options]);
        Assert.AreEqual(ExitCode.Success, run.ExitCode, run.Error);
        return run;
    }
}
