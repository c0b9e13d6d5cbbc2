using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Lacos.Benchmarks.Results;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Spectre.Console;

namespace Microsoft.ML.Lacos.Benchmarks.Memory;

/// <summary>Memory of two processes side by side that have the same model open: the default one, and a larger one in a mapped file, packed and not.</summary>
internal static class MemoryTable
{
    /// <summary>What a process says when it has encoded.</summary>
    public const string Ready = "ready";

    private const double Mega = 1e6;

    public static void Run(BloomConfig config)
    {
        if (!OperatingSystem.IsLinux())
        {
            AnsiConsole.WriteLine("Memory is not measured here: it is read from /proc/PID/smaps_rollup, which Linux has.");
            return;
        }
        DirectoryInfo folder = Directory.CreateTempSubdirectory("lacos-memory-");
        try
        {
            string rows = Path.Combine(folder.FullName, "rows.lacos"), packed = Path.Combine(folder.FullName, "packed.lacos");
            using LacosModel embedded = LacosModel.LoadDefault();
            using (var random = new RandomBloom(config with { VocabularySize = embedded.Weights.Config.VocabularySize }))
            using (var model = new LacosModel(random.Weights, embedded.TokenizerJson.ToArray(), embedded.Settings, embedded.Provenance, memory: null))
            {
                model.Save(rows);
                model.Save(packed, LacosModel.ThisMachine);
            }
            string name = $"{config.LayerCount} x {config.HiddenSize}";
            var table = new ResultTable("memory", "Each of two processes with the same model open, after the first vector", "model", Size("int8 weights"), Size("resident", true), Size("proportional", true), Size("private", true), Size("bar: 1.15 x weights + 150 MB"));
            Add(table, "default, embedded", MemoryChild.Default, embedded.Weights.Config);
            Add(table, $"{name}, mapped file", rows, config with { VocabularySize = embedded.Weights.Config.VocabularySize });
            Add(table, $"{name}, packed file", packed, config with { VocabularySize = embedded.Weights.Config.VocabularySize });
            table.Write();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static Column Size(string name, bool isPlotted = false) => new(name, "#,0 MB", isPlotted);

    private static void Add(ResultTable table, string label, string model, BloomConfig config)
    {
        double weights = RandomBloom.LinearElements(config) + ((double)config.VocabularySize * config.HiddenSize);
        using Process first = Start(model), second = Start(model);
        try
        {
            Await(first);
            Await(second);
            Dictionary<string, double> memory = Memory(second.Id);
            double bar = (1.15 * weights / Mega) + 150;
            table.Add(label, weights / Mega, memory["Rss"], memory["Pss"], memory["Private_Clean"] + memory["Private_Dirty"], bar);
            Aims.AtMost($"resident, {label}: times 1.15 x the int8 weights + 150 MB", 1, memory["Rss"] / bar);
        }
        finally
        {
            foreach (Process process in (Process[])[first, second])
            {
                process.StandardInput.Close();
                process.WaitForExit();
            }
        }
    }

    private static Process Start(string model)
    {
        string host = Environment.ProcessPath is string path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        return Process.Start(new ProcessStartInfo(host, ["exec", typeof(MemoryTable).Assembly.Location, MemoryChild.Argument, model]) { RedirectStandardOutput = true, RedirectStandardInput = true })!;
    }

    private static void Await(Process process)
    {
        string? line = process.StandardOutput.ReadLine();
        if (line != Ready)
        {
            throw new InvalidOperationException($"A process of the memory benchmark said '{line}' instead of '{Ready}'; it must open the model and encode.");
        }
    }

    // Of all mappings together, MB by name.
    private static Dictionary<string, double> Memory(int process) => File.ReadLines($"/proc/{process}/smaps_rollup").Skip(1)
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .ToDictionary(parts => parts[0].TrimEnd(':'), parts => double.Parse(parts[1], CultureInfo.InvariantCulture) * 1024 / Mega);
}
