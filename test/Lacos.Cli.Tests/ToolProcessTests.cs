using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Lacos.Cli.Tests;

[TestClass]
public sealed class ToolProcessTests
{
    [TestMethod]
    public void VectorsAreOnStandardOutputAloneAndOfNorm1()
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolProcess.Run(folder.Path, "A cat sleeps.\n\n", "embed", "--input", "-", "--output", "-");
        Assert.AreEqual(0, run.ExitCode, run.Error);
        string[] lines = run.Output.TrimEnd('\n').Split('\n');
        Assert.HasCount(2, lines);
        Assert.AreEqual(1, SquaredNorm(lines[0]), 1e-5);
        Assert.AreEqual(0, SquaredNorm(lines[1]), "an empty text has no direction");
        StringAssert.Contains(run.Error, "2 texts");
    }

    [TestMethod]
    [DataRow("3", "managed int8, 3 threads")]
    [DataRow("1", "managed int8, 1 thread)")]
    public void TheManagedEncoderTakesTheThreadsThatTheEnvironmentSays(string threads, string expected)
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolProcess.RunWith([("LACOS_FORCE_ISA", "managed"), ("LACOS_NUM_THREADS", threads)], folder.Path, "A cat.\n", "embed", "--input", "-", "--output", "-");
        Assert.AreEqual(0, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, expected);
    }

    [TestMethod]
    public void AWishForThreadsThatCannotBeFollowedIsWarnedOfOnceAndTheWorkIsDone()
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolProcess.RunWith([("LACOS_NUM_THREADS", "many")], folder.Path, "", "similarity", "A cat.", "Un gato.");
        Assert.AreEqual(0, run.ExitCode, run.Error);
        Assert.AreEqual("lacos: warning: LACOS_NUM_THREADS is 'many', not a number from 1 to 256, and has no effect. Correct or unset the variable.\n", run.Error);
    }

    [TestMethod]
    public void SimilarityKnowsATranslationFromAnotherSentence()
    {
        using var folder = new TemporaryFolder();
        ToolRun same = ToolProcess.Run(folder.Path, "", "similarity", "A man plays the guitar.", "Un homme joue de la guitare.");
        ToolRun other = ToolProcess.Run(folder.Path, "", "similarity", "A man plays the guitar.", "It will rain tomorrow.");
        Assert.AreEqual("", same.Error);
        Assert.IsGreaterThan(0.3 + double.Parse(other.Output, CultureInfo.InvariantCulture), double.Parse(same.Output, CultureInfo.InvariantCulture));
    }

    [TestMethod]
    public void EndsWith2OnAWrongCommandLineAnd1OnAMissingModel()
    {
        using var folder = new TemporaryFolder();
        ToolRun usage = ToolProcess.Run(folder.Path, "", "embed", "--what");
        Assert.AreEqual(2, usage.ExitCode);
        Assert.AreEqual("", usage.Output);
        ToolRun failure = ToolProcess.Run(folder.Path, "a\n", "embed", "-i", "-", "-o", "v.npy", "--model", "nowhere.lacos");
        Assert.AreEqual(1, failure.ExitCode);
        StringAssert.Contains(failure.Error, "nowhere.lacos");
        Assert.IsFalse(failure.Error.Contains("   at ", StringComparison.Ordinal), failure.Error);
        Assert.AreEqual("", failure.Output);
        CollectionAssert.AreEqual(Array.Empty<string>(), folder.FileNames.ToArray());
    }

    [TestMethod]
    [DataRow(">/dev/full")]
    [DataRow(">&-")]
    public void OutputThatCannotBeWrittenIsAnErrorAndNotACrash(string redirection)
    {
        RequireFullDevice();
        using var folder = new TemporaryFolder();
        ToolRun run = ToolProcess.RunRedirected(redirection, folder.Path, "similarity", "a cat", "a dog");
        Assert.AreEqual(1, run.ExitCode, run.Error);
        StringAssert.StartsWith(run.Error, "lacos: ");
        Assert.HasCount(1, run.Error.TrimEnd('\n').Split('\n'), run.Error);
    }

    [TestMethod]
    [DataRow("2>/dev/full")]
    [DataRow("2>&-")]
    public void MessagesThatCannotBeWrittenDoNotEndTheWork(string redirection)
    {
        RequireFullDevice();
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("texts.txt"), "A cat sleeps.\nA dog runs.\n");
        Assert.AreEqual(0, ToolProcess.RunRedirected(redirection, folder.Path, "embed", "-i", "texts.txt", "-o", "v.npy").ExitCode);
        Assert.IsTrue(File.Exists(folder.File("v.npy")));
        Assert.AreEqual(2, ToolProcess.RunRedirected(redirection, folder.Path, "embed", "--what").ExitCode);
    }

    [TestMethod]
    [DataRow("INT", 130)]
    [DataRow("TERM", 143)]
    [DataRow("HUP", 129)]
    public async Task ASignalEndsTheToolAtOnceAndLeavesNoFile(string signal, int exitCode)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Inconclusive("Not run: Windows has no signals to send to a process.");
        }
        using var folder = new TemporaryFolder();
        using Process process = ToolProcess.Start(folder.Path, "embed", "-i", "-", "-o", "v.npy");
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();

        // Standard input stays open: the tool has begun its file and waits for more texts.
        await process.StandardInput.WriteLineAsync("a text");
        await process.StandardInput.FlushAsync();
        var clock = Stopwatch.StartNew();
        while (!folder.FileNames.Any() && !process.HasExited && clock.Elapsed < TimeSpan.FromSeconds(40))
        {
            await Task.Delay(20);
        }
        Assert.HasCount(1, folder.FileNames.ToArray());

        // Twice, as `timeout` does.
        await SendAsync(signal, process, times: 2);
        ToolRun run = ToolProcess.Finish(process, output, error);
        Assert.AreEqual(exitCode, run.ExitCode, run.Error);
        Assert.AreEqual("", run.Output);
        CollectionAssert.AreEqual(Array.Empty<string>(), folder.FileNames.ToArray());
    }

    [TestMethod]
    public async Task ASignalEndsAToolThatStillWaitsForItsFirstByte()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Inconclusive("Not run: Windows has no signals to send to a process.");
        }
        using var folder = new TemporaryFolder();
        using Process process = ToolProcess.Start(folder.Path, "tokenize", "-i", "-");
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();

        // Nothing tells when the tool has begun to wait; a signal that comes too early would kill it without a word.
        await Task.Delay(3000);
        await SendAsync("INT", process);
        ToolRun run = ToolProcess.Finish(process, output, error);
        Assert.AreEqual(130, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "stopped");
    }

    [TestMethod]
    public void AReaderThatLeavesEarlyIsNoError()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Inconclusive("Not run: needs a POSIX shell.");
        }
        using var folder = new TemporaryFolder();
        string tool = Path.Combine(AppContext.BaseDirectory, "lacos.dll");
        folder.Write("t.txt", string.Concat(Enumerable.Repeat("word after word after word\n", 20_000)));
        var start = new ProcessStartInfo("bash", ["-c", $"dotnet '{tool}' tokenize -i t.txt | head -1; echo \"${{PIPESTATUS[0]}}\""])
        {
            WorkingDirectory = folder.Path, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        ToolRun run = ToolProcess.Finish(process, process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        string[] lines = run.Output.TrimEnd('\n').Split('\n');
        Assert.HasCount(2, lines, run.Output + run.Error);
        Assert.AreEqual("0", lines[1]);
        Assert.AreEqual("", run.Error);
    }

    [TestMethod]
    [DataRow("tokenize -i -")]
    [DataRow("embed -i - -o -")]
    [DataRow("embed -i - -o - --output-format arrows")]
    public void AToolWhoseReaderHasLeftEndsThoughItsInputDoesNot(string arguments)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Inconclusive("Not run: needs a POSIX shell.");
        }
        using var folder = new TemporaryFolder();
        string tool = Path.Combine(AppContext.BaseDirectory, "lacos.dll");
        var start = new ProcessStartInfo("bash", ["-c", $"yes word | dotnet '{tool}' {arguments} 2>error.txt | head -c 10 | wc -c; echo \"${{PIPESTATUS[1]}}\""])
        {
            WorkingDirectory = folder.Path, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        ToolRun run = ToolProcess.Finish(process, process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        Assert.AreEqual("10\n0", run.Output.Trim());
        Assert.AreEqual("", File.ReadAllText(folder.File("error.txt")));
    }

    [TestMethod]
    public void InfoAsJsonNamesTheModelAndWhatRuns()
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolProcess.Run(folder.Path, "", "info", "--json");
        Assert.AreEqual(0, run.ExitCode, run.Error);
        using JsonDocument info = JsonDocument.Parse(run.Output);
        Assert.AreEqual(64, info.RootElement.GetProperty("model").GetProperty("fingerprint").GetString()!.Length);
        JsonElement native = info.RootElement.GetProperty("native");
        bool available = native.GetProperty("available").GetBoolean();
        Assert.AreEqual(available ? JsonValueKind.Null : JsonValueKind.String, native.GetProperty("unavailable_reason").ValueKind);
        ToolRun text = ToolProcess.Run(folder.Path, "", "info");
        StringAssert.Contains(text.Output, info.RootElement.GetProperty("model").GetProperty("fingerprint").GetString()!);
    }

    [TestMethod]
    public void ShardsInProcessesOfTheirOwnAreTheBytesOfOneRun()
    {
        using var folder = new TemporaryFolder();
        folder.WriteGzip("in.csv.gz", "id,text\n" + string.Concat(Enumerable.Range(0, 40).Select(i => $"{i},\"Sentence {i},\nand {string.Concat(Enumerable.Repeat("more ", i))}\"\n")));
        Assert.AreEqual(0, ToolProcess.Run(folder.Path, "", "embed", "-i", "in.csv.gz", "-o", "v.jsonl").ExitCode);
        ToolRun[] runs = new ToolRun[3];
        Parallel.For(0, 3, i => runs[i] = ToolProcess.Run(folder.Path, "", "embed", "-i", "in.csv.gz", "-o", "v.jsonl", "--threads", "1", "--shard", $"{i + 1}/3"));
        Assert.IsTrue(runs.All(run => run.ExitCode == 0), string.Concat(runs.Select(run => run.Error)));
        string parts = string.Concat(Enumerable.Range(1, 3).Select(i => File.ReadAllText(folder.File($"v-0000{i}-of-00003.jsonl"))));
        Assert.AreEqual(File.ReadAllText(folder.File("v.jsonl")), parts);
        ToolRun again = ToolProcess.Run(folder.Path, "", "embed", "-i", "in.csv.gz", "-o", "v.jsonl", "--shard", "2/3");
        Assert.AreEqual(0, again.ExitCode, again.Error);
        StringAssert.Contains(again.Error, "is there already, whole");
        ToolRun other = ToolProcess.Run(folder.Path, "", "embed", "-i", "in.csv.gz", "-o", "v.jsonl", "--shard", "2/3", "--prompt", "query: ");
        StringAssert.Contains(other.Error, "13 texts");
    }

    [TestMethod]
    public async Task AKilledShardLeavesNothingThatCountsAsWhole()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Inconclusive("Not run: Windows has no signals to send to a process.");
        }
        using var folder = new TemporaryFolder();
        folder.Write("in.txt", string.Concat(Enumerable.Repeat("A sentence that takes its time.\n", 400_000)));
        using Process process = ToolProcess.Start(folder.Path, "embed", "-i", "in.txt", "-o", "v.npy", "--shard", "1/2");
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        var clock = Stopwatch.StartNew();
        while (folder.FileNames.Count() < 2 && !process.HasExited && clock.Elapsed < TimeSpan.FromSeconds(40))
        {
            await Task.Delay(20);
        }
        await SendAsync("KILL", process);
        ToolRun killed = ToolProcess.Finish(process, output, error);
        Assert.AreNotEqual(0, killed.ExitCode, killed.Error);
        Assert.HasCount(1, folder.FileNames.Where(name => name.EndsWith(".tmp", StringComparison.Ordinal)).ToArray());
        Assert.HasCount(2, folder.FileNames.ToArray());

        folder.Write("in.txt", "A sentence.\nAnother one.\n");
        ToolRun run = ToolProcess.Run(folder.Path, "", "embed", "-i", "in.txt", "-o", "v.npy", "--shard", "1/2");
        Assert.AreEqual(0, run.ExitCode, run.Error);
        CollectionAssert.AreEqual(new[] { "in.txt", "v-00001-of-00002.json", "v-00001-of-00002.npy" }, folder.FileNames.ToArray(), "what the killed run had begun is gone");
    }

    private static async Task SendAsync(string signal, Process process, int times = 1)
    {
        string send = $"kill -s {signal} {process.Id.ToString(CultureInfo.InvariantCulture)}";
        using Process kill = Process.Start("sh", ["-c", string.Join("; ", Enumerable.Repeat(send, times))]);
        await kill.WaitForExitAsync();
    }

    private static void RequireFullDevice()
    {
        if (!File.Exists("/dev/full"))
        {
            Assert.Inconclusive("Not run: this system has no /dev/full.");
        }
    }

    private static double SquaredNorm(string line)
    {
        using JsonDocument record = JsonDocument.Parse(line);
        return record.RootElement.GetProperty("embedding").EnumerateArray().Sum(element => element.GetDouble() * element.GetDouble());
    }
}
