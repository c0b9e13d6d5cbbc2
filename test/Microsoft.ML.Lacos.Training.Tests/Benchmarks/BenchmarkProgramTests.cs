using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Tests;

namespace Microsoft.ML.Lacos.Training.Tests.Benchmarks;

/// <summary>The benchmark program as people start it, on almost nothing. Speed is not asked for here.</summary>
[TestClass]
public sealed class BenchmarkProgramTests
{
    private static readonly string s_program = Path.Combine(
        Root(), "test", "Microsoft.ML.Lacos.Benchmarks", "bin", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, new DirectoryInfo(AppContext.BaseDirectory).Name, "Microsoft.ML.Lacos.Benchmarks.dll");

    [TestMethod]
    public void EveryTableHasAllItsRowsAndNumbersAndAPicture()
    {
        if (!NativeLibraryLoader.IsAvailable)
        {
            Assert.Inconclusive($"Not run: the native library is not available: {NativeLibraryLoader.UnavailableReason}");
        }
        using var folder = new TemporaryFolder();
        string texts = folder.File("texts.txt");
        File.WriteAllLines(texts, Enumerable.Range(0, 70).Select(i => $"Sentence number {i} of a short file."));

        Run("--smoke", "--kernels", "--peers", "--training", "--mlnet", "--dotnet", "--latency", "--startup", "--memory", "--texts", texts, "--threads", "2", "--output", folder.Path);

        AssertTable(folder, "kernels", "1024 x 3072", "1024 x 1024");
        foreach (int rows in new[] { 1, 16, 128, 512 })
        {
            AssertTable(folder, $"kernels-m{rows}", "1024 x 3072", "1024 x 1024");
        }
        AssertTable(folder, "encoder-tiny", "1 x 20", "8 x 20", "32 x 20", "32 x 128", "32 x 5-60");
        AssertTable(folder, "training", "LACoS int8, activations kept", "LACoS int8, blocks computed again", "LACoS int8, layer by layer in torch", "torch fp32", "torch bf16");
        AssertTable(folder, "texts", "LACoS int8, text to vector, 1", "LACoS int8, text to vector, 2", "LACoS int8, behind a prompt of 11 tokens, 2", "ONNX Runtime int8, ids to vector, 2", "ONNX Runtime int8, with the prompt, 2", "TorchSharp fp32, ids to vector, 2");
        AssertTable(folder, "mlnet", "SentenceEncoder", "Transform + cursor", "ONNX int8, row by row", "FeaturizeText");
        AssertTable(folder, "mlnet-dotnet", "SentenceEncoder", "Transform + cursor", "ONNX int8, row by row", "FeaturizeText");
        AssertTable(folder, "latency", "1", "2", "8", "32");
        if (OperatingSystem.IsLinux())
        {
            AssertTable(folder, "memory", "default, embedded", "2 x 64, mapped file", "2 x 64, packed file");
        }
        AssertTable(folder, "startup", "empty", "one vector, default model", "bar: 1.5 x empty + 0.3 s");
        string[] aims = AssertRows(folder, "aims");
        foreach (string aim in new[] { "int8 layer, M = 1:", "int8 layer, M = 512:", "texts,", "rows a second", "first vector" })
        {
            Assert.IsTrue(Array.Exists(aims, label => label.StartsWith(aim, StringComparison.Ordinal)), $"No aim begins with '{aim}'.");
        }
        Assert.AreEqual(OperatingSystem.IsLinux() ? 14 : 13, Directory.GetFiles(folder.Path, "*.md").Length, "A table that this test does not know; add it here.");
    }

    private static void AssertTable(TemporaryFolder folder, string name, params string[] labels)
    {
        CollectionAssert.AreEqual(labels, AssertRows(folder, name), name);
        byte[] picture = File.ReadAllBytes(folder.File(name + ".png"));
        CollectionAssert.AreEqual("PNG"u8.ToArray(), picture[1..4], name);
    }

    /// <summary>The labels of a table's rows, all of whose cells are numbers.</summary>
    private static string[] AssertRows(TemporaryFolder folder, string name)
    {
        string[][] rows = [.. File.ReadLines(folder.File(name + ".md")).Where(line => line.StartsWith('|')).Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries))];
        foreach (string[] row in rows.Skip(2))
        {
            Assert.AreEqual(rows[0].Length, row.Length, $"{name}, {row[0]}");
            string[] measured = [.. row.Skip(1).Where(cell => cell != "-")];
            Assert.IsNotEmpty(measured, $"{name}, {row[0]}");
            foreach (string cell in measured)
            {
                Assert.IsTrue(double.TryParse(cell.Split(' ')[0], CultureInfo.InvariantCulture, out double value) && double.IsFinite(value) && value >= 0, $"{name}, {row[0]}: '{cell}'");
            }
        }
        return [.. rows.Skip(2).Select(row => row[0])];
    }

    private static void Run(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [s_program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        // Beside other tests, threads that spin while they wait for each other take minutes.
        start.Environment["OMP_WAIT_POLICY"] = "PASSIVE";
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(5)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail("The benchmark program did not end within five minutes.");
        }
        Assert.AreEqual(0, process.ExitCode, output.Result + errors.Result);
    }

    private static string Root()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Lacos.MLNet.sln")))
        {
            folder = folder.Parent;
        }
        return folder?.FullName ?? throw new DirectoryNotFoundException("The tests do not run from within a checkout, so the benchmark program cannot be found.");
    }
}
