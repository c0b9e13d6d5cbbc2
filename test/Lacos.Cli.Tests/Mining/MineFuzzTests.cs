using System.Globalization;
using Lacos.Cli.Input;
using Lacos.Cli.Models;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Tests.Damage;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Lacos.Cli.Tests.Mining;

/// <summary><c>lacos mine</c> on files and command lines that are drawn from seeds, whole, odd and damaged.</summary>
[TestClass]
public sealed class MineFuzzTests
{
    private const string UsualSeeds = "100 1";
    private const string Before = "what stood here before";

    // A number of seeds, and the first of them.
    private static readonly int[] s_asked = [.. (Environment.GetEnvironmentVariable("LACOS_FUZZ_SEEDS") ?? UsualSeeds).Split(' ').Select(number => int.Parse(number, CultureInfo.InvariantCulture))];

    [TestMethod]
    public void WhatIsMinedKeepsTheRulesAndWhatFailsChangesNothing() => Fuzz(s_asked[0], isLetters: false, (_, work) => work(new FakeModels(), [], FakeVectors));

    [TestMethod]
    public void WithPromptsTheVectorsAreThoseBehindThem()
    {
        using var folder = new TemporaryFolder();
        string path = TinyModel.OfLetters().WriteTo(folder.Path);
        using LacosModel model = LacosModel.Load(path);
        Fuzz(Math.Max(1, s_asked[0] / 4), isLetters: true, (@case, work) =>
        {
            using SentenceEncoder anchors = SentenceEncoder.Create(model, new SentenceEncoderOptions { Prompt = @case.Prompt });
            using SentenceEncoder texts = anchors.WithPrompt(@case.SecondPrompt ?? @case.Prompt);
            work(null, ["--model", path], _ => (anchors.Encode, texts.Encode));
        });
    }

    private delegate (Func<string, float[]> Anchor, Func<string, float[]> Text) Vectors(MiningCase @case);

    private static (Func<string, float[]> Anchor, Func<string, float[]> Text) FakeVectors(MiningCase @case)
    {
        float[] Vector(string text) => FakeModels.Vector(text, @case.Dimension == 0 ? FakeModels.FullDimension : @case.Dimension);
        return (Vector, Vector);
    }

    private static void Fuzz(int seeds, bool isLetters, Action<MiningCase, Action<FakeModels?, string[], Vectors>> around)
    {
        int mined = 0, refused = 0;
        foreach (int seed in Enumerable.Range(s_asked[1], seeds))
        {
            var @case = new MiningCase(seed, isLetters);
            around(@case, (models, options, vectors) =>
            {
                using var folder = new TemporaryFolder();
                bool done = Mine(folder, @case, models, options, vectors, $"seed {seed}: {string.Join(' ', @case.Options)} on {(@case.IsDamaged ? "damaged " : "")}{@case.Extension} to {@case.Output}");
                mined += done ? 1 : 0;
                refused += done ? 0 : 1;
            });
        }
        Assert.IsGreaterThan(seeds / 4, mined);
        Assert.IsGreaterThan(seeds / 20, refused);
    }

    private static bool Mine(TemporaryFolder folder, MiningCase @case, FakeModels? models, string[] options, Vectors vectors, string where)
    {
        string data = folder.Write("pairs" + @case.Extension, @case.Content), output = folder.File("out" + @case.Output);
        bool wasThere = @case.Content.Length % 2 == 0;
        if (wasThere)
        {
            File.WriteAllText(output, Before);
        }
        string[] before = [.. folder.FileNames];
        ToolRun run = Run("1", output);
        if (run.ExitCode != ExitCode.Success)
        {
            Assert.IsTrue(@case.IsDamaged || @case.IsOdd || IsTooLittle(@case) || run.Error.Contains("a .tsv file cannot hold", StringComparison.Ordinal), $"{where}: {run.Error}");
            CollectionAssert.AreEqual(before, folder.FileNames.ToArray(), where);
            Assert.IsTrue(!wasThere || File.ReadAllText(output) == Before, where);
            return false;
        }
        CollectionAssert.AreEqual(before.Append(Path.GetFileName(output)).Distinct().Order(StringComparer.Ordinal).ToArray(), folder.FileNames.ToArray(), where);
        byte[] bytes = File.ReadAllBytes(output);
        (Func<string, float[]> anchor, Func<string, float[]> text) = vectors(@case);
        MinedPairs pairs = @case.IsDamaged || @case.IsOdd ? Read(data, @case) : MinedPairs.Of(@case);
        new MinedRules(@case, pairs, anchor, text).Check(output, where);
        Assert.AreEqual(ExitCode.Success, Run("3", folder.File("again" + @case.Output)).ExitCode, where);
        CollectionAssert.AreEqual(bytes, File.ReadAllBytes(folder.File("again" + @case.Output)), $"{where}: other bytes with other threads");
        Assert.AreEqual(ExitCode.Success, Run("1", output).ExitCode, where);
        CollectionAssert.AreEqual(bytes, File.ReadAllBytes(output), $"{where}: other bytes the second time");
        return true;

        ToolRun Run(string threads, string path)
        {
            ToolRun? run = null;
            string[] arguments = ["mine", "--data", data, "--output", path, "--threads", threads, .. options, .. @case.Options];
            Exception? error = Refusal.Of(() => run = models is null ? OfModelFile(arguments) : ToolRun.Of(models, "", default, arguments), where);
            Assert.IsNull(error, where);
            Assert.IsTrue(run!.ExitCode is ExitCode.Success or ExitCode.Failed or ExitCode.Usage, $"{where}: {run.ExitCode}");
            if (run.Error.Length > 0)
            {
                Refusal.CheckMessage(run.Error, $"{where}: {run.Error}");
            }
            Assert.DoesNotContain("unexpected error", run.Error, where);
            Assert.DoesNotContain("   at ", run.Error, where);
            return run;
        }
    }

    private static ToolRun OfModelFile(string[] arguments)
    {
        using var error = new StringWriter { NewLine = "\n" };
        using var streams = new ToolStreams(Stream.Null, Stream.Null, error, errorIsTerminal: false);
        var models = new LacosModelSource(streams);
        int exitCode = LacosTool.RunAsync(arguments, streams, models, models, default).GetAwaiter().GetResult();
        return new ToolRun(exitCode, "", error.ToString());
    }

    private static bool IsTooLittle(MiningCase @case) => @case.Rows.Count == 0 || MinedPairs.Of(@case).Texts.Length < 2;

    // What a damaged file holds is for its reader to say; what is made of it is not.
    private static MinedPairs Read(string path, MiningCase @case)
    {
        int format = @case.Options.ToList().IndexOf("--format");
        using RecordReader records = RecordReader.Open(path, format < 0 ? null : @case.Options[format + 1], @case.HasHeader, Stream.Null);
        int[] pair = TrainingColumns.Choose(records, @case.PairColumns?.Split(',', StringSplitOptions.TrimEntries), group: null, PairNeeds.Sentences).Indices[..2];
        string[] replaced = [.. MinedPairs.NegativeNames(@case.Negatives)];
        int[] carried = [.. Enumerable.Range(0, records.Columns.Count).Where(column => !replaced.Contains(records.Columns[column].Trim(), StringComparer.OrdinalIgnoreCase))];
        var rows = new List<(string?[] Values, string Anchor, string Positive)>();
        var values = new string?[carried.Length];
        while (records.Read(carried, values))
        {
            string? anchor = values[Array.IndexOf(carried, pair[0])], positive = values[Array.IndexOf(carried, pair[1])];
            if (!string.IsNullOrWhiteSpace(anchor) && !string.IsNullOrWhiteSpace(positive))
            {
                rows.Add(([.. values], anchor, positive));
            }
        }
        return new MinedPairs([.. carried.Select(column => records.Columns[column])], rows);
    }
}
