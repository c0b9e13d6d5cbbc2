using System.Text.Json;

namespace Lacos.Cli.Tests.Commands;

/// <summary>Training in several processes. Where there is no launcher, the tests that need one say so.</summary>
[TestClass]
public sealed class TrainMpiTests
{
    private static readonly string[] Launchers = ["mpirun.openmpi", "mpirun.mpich", "mpirun"];

    [TestMethod]
    [DataRow("mpirun.openmpi")]
    [DataRow("mpirun.mpich")]
    public void TwoProcessesTakeTheStepsOfOneAndRankZeroAloneSpeaks(string launcher)
    {
        Require(launcher);
        using var folder = new TemporaryFolder();
        string[] arguments = ["train", "--data", Pairs(folder), "--steps", "4", "--batch-size", "6", "--lora-rank", "2"];
        ToolRun alone = ToolProcess.Run(folder.Path, "", [.. arguments, "--output", "alone"]);
        Assert.AreEqual(0, alone.ExitCode, alone.Error);
        ToolRun together = ToolProcess.RunUnder(launcher, 2, folder.Path, [.. arguments, "--output", "together", "--mpi"]);
        Assert.AreEqual(0, together.ExitCode, together.Error);
        Assert.HasCount(2, together.Error.Split("Rank 0 of 2"), together.Error);
        Assert.HasCount(2, together.Error.Split("Written to"), together.Error);
        double[] expected = Losses(folder.File("alone"));
        double[] actual = Losses(folder.File("together"));
        Assert.HasCount(4, actual);
        for (int step = 0; step < 4; step++)
        {
            Assert.AreEqual(expected[step], actual[step], 0.02 * expected[step], $"step {step + 1}");
        }
        Assert.AreEqual(expected[0], actual[0], 1e-5 * expected[0]);
        Assert.IsTrue(File.Exists(Path.Combine(folder.File("together"), "model.lacos")));
    }

    [TestMethod]
    public void ProcessesThatWouldTrainAloneAreRefused()
    {
        string launcher = Require();
        using var folder = new TemporaryFolder();
        ToolRun run = ToolProcess.RunUnder(launcher, 2, folder.Path, "train", "--data", Pairs(folder), "--output", "out", "--steps", "1");
        Assert.AreEqual(2, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "2 processes");
        Assert.IsFalse(Directory.Exists(folder.File("out")));
    }

    [TestMethod]
    public void AnErrorOnOneRankEndsAll()
    {
        string launcher = Require();
        using var folder = new TemporaryFolder();
        string data = Pairs(folder);

        // Rank 0 finds the folder's lock taken; the others would wait for it.
        Directory.CreateDirectory(folder.File("out"));
        using var other = new FileStream(Path.Combine(folder.File("out"), ".running"), FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        ToolRun run = ToolProcess.RunUnder(launcher, 2, folder.Path, "train", "--data", data, "--output", "out", "--steps", "1", "--batch-size", "2", "--mpi");
        Assert.AreNotEqual(0, run.ExitCode);
        StringAssert.Contains(run.Error, "Another run is writing into 'out'");
    }

    [TestMethod]
    [DataRow("no-such-file.so", "cannot be loaded")]
    [DataRow("libc.so.6", "has no function MPI_")]
    public void ALibraryThatIsNoMpiIsRefused(string library, string expected)
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Inconclusive("Not run: the library's name is that of Linux.");
        }
        using var folder = new TemporaryFolder();
        ToolRun run = ToolProcess.RunWith([("LACOS_MPI_LIBRARY", library)], folder.Path, "", "train", "--data", Pairs(folder), "--output", "out", "--mpi");
        Assert.AreEqual(1, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, expected);
        StringAssert.Contains(run.Error, library);
        Assert.IsFalse(Directory.Exists(folder.File("out")));
    }

    private static string Pairs(TemporaryFolder folder) =>
        folder.Write("pairs.tsv", "anchor\tpositive\n" + string.Concat(Enumerable.Range(0, 24).Select(i => $"sentence number {i} of them\tthe {i}th of the sentences\n")));

    private static double[] Losses(string folder) =>
        [.. File.ReadLines(Path.Combine(folder, "train-log.jsonl")).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("loss").GetDouble())];

    private static string Require() => Launchers.FirstOrDefault(Exists) ?? NotRun(string.Join(", ", Launchers));

    private static void Require(string launcher)
    {
        if (!Exists(launcher))
        {
            NotRun(launcher);
        }
    }

    private static bool Exists(string launcher) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, launcher)));

    private static string NotRun(string launchers)
    {
        Assert.Inconclusive($"Not run: there is no {launchers}. On Debian: apt-get install openmpi-bin mpich.");
        return "";
    }
}
