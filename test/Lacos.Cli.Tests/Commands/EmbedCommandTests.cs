using System.Text.Json;
using Microsoft.ML.Lacos.Tests;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class EmbedCommandTests
{
    [TestMethod]
    public void VectorsGoToStandardOutputInOrderAndNotesToStandardError()
    {
        ToolRun run = ToolRun.Of(new FakeModels(), "hello\n\nwörld 好\n", default, "embed", "--input", "-", "--output", "-");
        Assert.AreEqual(0, run.ExitCode, run.Error);
        string[] lines = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.HasCount(3, lines);
        string[] texts = ["hello", "", "wörld 好"];
        for (int i = 0; i < 3; i++)
        {
            using JsonDocument line = JsonDocument.Parse(lines[i]);
            Assert.AreEqual(texts[i], line.RootElement.GetProperty("text").GetString());
            float[] vector = [.. line.RootElement.GetProperty("embedding").EnumerateArray().Select(element => element.GetSingle())];
            CollectionAssert.AreEqual(FakeModels.Vector(texts[i]), vector);
        }
        StringAssert.Contains(run.Output, "wörld 好");
        StringAssert.Contains(run.Error, "3 texts");
    }

    [TestMethod]
    public void BesideTheVectorsStandsWhatTheyAre()
    {
        using var folder = new TemporaryFolder();
        string input = folder.Write("in.tsv", "text\ta\nx\t1\ny\t2\n");
        ToolRun run = ToolRun.Of("embed", "-i", input, "-o", folder.File("v.npy"), "--precision", "int8", "--prompt", "query: ", "--dim", "5");
        Assert.AreEqual(0, run.ExitCode, run.Error);
        Assert.AreEqual("", run.Output);
        CollectionAssert.AreEqual(new[] { "in.tsv", "v.json", "v.npy" }, folder.FileNames.ToArray());
        using JsonDocument side = JsonDocument.Parse(File.ReadAllText(folder.File("v.json")));
        Assert.AreEqual("v.npy", side.RootElement.GetProperty("file").GetString());
        Assert.AreEqual(2, side.RootElement.GetProperty("rows").GetInt32());
        Assert.AreEqual(5, side.RootElement.GetProperty("dimension").GetInt32());
        Assert.AreEqual("int8", side.RootElement.GetProperty("precision").GetString());
        Assert.AreEqual("f00d", side.RootElement.GetProperty("fingerprint").GetString());
        Assert.AreEqual("mean", side.RootElement.GetProperty("pooling").GetString());
        Assert.AreEqual("query: ", side.RootElement.GetProperty("prompt").GetString());
    }

    [TestMethod]
    [DataRow("""{"text":"somebody's data"}""")]
    [DataRow("[1]")]
    [DataRow("no JSON")]
    [DataRow("""{"file":"v.jsonl","rows":1,"dimension":12,"precision":"int8","fingerprint":"f00d"}""")]
    [DataRow("""{"file":"v.npy","rows":1,"rows":2,"dimension":12,"precision":"int8","fingerprint":"f00d"}""")]
    [DataRow("""{"file":7,"rows":1,"dimension":12,"precision":"int8","fingerprint":"f00d"}""")]
    public void AFileThatDoesNotDescribeTheVectorsIsNotReplaced(string content)
    {
        using var folder = new TemporaryFolder();
        string input = folder.Write("in.txt", "a\n");
        folder.Write("v.json", content);
        ToolRun run = ToolRun.Of("embed", "-i", input, "-o", folder.File("v.npy"));
        Assert.AreEqual(2, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "v.json', which exists and does not describe it");
        Assert.AreEqual(content, File.ReadAllText(folder.File("v.json")));
        Assert.IsFalse(File.Exists(folder.File("v.npy")));
    }

    [TestMethod]
    [DataRow("""{"rows":7,"dimension":12,"precision":"int8","fingerprint":"f00d"}""")]
    [DataRow("""{"file":"v.npy","rows":7,"dimension":12,"precision":"int8","fingerprint":"f00d"}""")]
    public void TheDescriptionOfTheSameVectorsIsReplaced(string content)
    {
        using var folder = new TemporaryFolder();
        folder.Write("v.json", content);
        ToolRun run = ToolRun.Of("embed", "-i", folder.Write("in.txt", "a\n"), "-o", folder.File("v.npy"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        StringAssert.Contains(File.ReadAllText(folder.File("v.json")), "\"rows\": 1");
    }

    [TestMethod]
    public void ADescriptionOfTheNameInAnotherCaseIsReplacedWhereTheSystemSeesOneName()
    {
        using var folder = new TemporaryFolder();
        folder.Write("v.json", """{"file":"V.NPY","rows":7,"dimension":12,"precision":"int8","fingerprint":"f00d"}""");
        ToolRun run = ToolRun.Of("embed", "-i", folder.Write("in.txt", "a\n"), "-o", folder.File("v.npy"));
        Assert.AreEqual(OperatingSystem.IsWindows() || OperatingSystem.IsMacOS() ? 0 : 2, run.ExitCode, run.Error);
    }

    [TestMethod]
    public void ADescriptionOfMoreThanItCanHaveIsNotReadAndNotReplaced()
    {
        using var folder = new TemporaryFolder();
        string start = """{"file":"v.npy","rows":7,"dimension":12,"precision":"int8","fingerprint":"f00d","more":[""";
        folder.Write("v.json", start + string.Join(',', Enumerable.Repeat("0", 990)) + "]}");
        Assert.IsNull(Lacos.Cli.Output.SideFile.Read(folder.File("v.npy")));
        Assert.AreEqual(2, ToolRun.Of("embed", "-i", folder.Write("in.txt", "a\n"), "-o", folder.File("v.npy")).ExitCode);
        folder.Write("v.json", start + string.Join(',', Enumerable.Repeat("0", 900)) + "]}");
        Assert.IsNotNull(Lacos.Cli.Output.SideFile.Read(folder.File("v.npy")));
    }

    [TestMethod]
    public void ALinkAtTheDescriptionsNameStays()
    {
        using var folder = new TemporaryFolder();
        string elsewhere = folder.Write("elsewhere.json", """{"file":"v.npy","rows":7,"dimension":12,"precision":"int8","fingerprint":"f00d"}""");
        SpecialFile.Link(folder.File("v.json"), elsewhere);
        ToolRun run = ToolRun.Of("embed", "-i", folder.Write("in.txt", "a\n"), "-o", folder.File("v.npy"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        Assert.AreEqual(elsewhere, new FileInfo(folder.File("v.json")).LinkTarget);
        StringAssert.Contains(File.ReadAllText(elsewhere), "\"rows\": 1");
    }

    [TestMethod]
    public void AnOldDescriptionIsGoneBeforeTheVectorsAreReplaced()
    {
        using var folder = new TemporaryFolder();
        folder.Write("v.json", """{"file":"v.npy","rows":7,"dimension":12,"precision":"int8","fingerprint":"f00d"}""");

        // What stands in the way of the vectors appears only while they are made, and ends the command where a kill would.
        var models = new FakeModels { Encoding = _ => Directory.CreateDirectory(folder.File("v.npy")) };
        ToolRun run = ToolRun.Of(models, "", default, "embed", "-i", folder.Write("in.txt", "a\n"), "-o", folder.File("v.npy"));
        Assert.AreNotEqual(0, run.ExitCode);
        CollectionAssert.AreEqual(new[] { "in.txt" }, folder.FileNames.ToArray());
    }

    [TestMethod]
    public void ManyWindowsKeepTheirOrder()
    {
        using var folder = new TemporaryFolder();
        string input = folder.WriteGzip("in.txt.gz", string.Concat(Enumerable.Range(0, 10_000).Select(i => $"text {i}\n")));
        var models = new FakeModels();
        var windows = new List<int>();
        models.Encoding = windows.Add;
        ToolRun run = ToolRun.Of(models, "", default, "embed", "-i", input, "-o", folder.File("v.jsonl"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        Assert.IsGreaterThan(2, windows.Count);
        int row = 0;
        foreach (string line in File.ReadLines(folder.File("v.jsonl")))
        {
            StringAssert.StartsWith(line, $"{{\"text\":\"text {row++}\",");
        }
        Assert.AreEqual(10_000, row);
    }

    [TestMethod]
    public void OptionsReachTheEncoder()
    {
        var models = new FakeModels();
        ToolRun run = ToolRun.Of(
            models, "a\n", default, "embed", "-i", "-", "-o", "-", "-q", "--model", "m.lacos", "--pooling", "cls,weightedmean", "--no-normalize", "--max-tokens", "9", "--long-text", "window",
            "--compute", "int8-weight-only", "--batch-tokens", "77", "--threads", "3");
        Assert.AreEqual(0, run.ExitCode, run.Error);
        Assert.AreEqual("", run.Error);
        Assert.AreEqual("m.lacos", models.ModelPath);
        Assert.AreEqual(Microsoft.ML.Lacos.Bloom.PoolingModes.FirstToken | Microsoft.ML.Lacos.Bloom.PoolingModes.WeightedMean, models.Options!.Pooling);
        Assert.IsFalse(models.Options.Normalize);
        Assert.AreEqual(9, models.Options.MaximumTokenCount);
        Assert.AreEqual(Microsoft.ML.Lacos.LongText.Window, models.Options.LongText);
        Assert.AreEqual(Microsoft.ML.Lacos.Bloom.BloomCompute.Int8WeightOnly, models.Options.Compute);
        Assert.AreEqual(77, models.Options.BatchTokens);
        Assert.AreEqual(3, models.Options.ThreadCount);
        Assert.IsNull(models.Options.Prompt);
    }

    [TestMethod]
    [DataRow("x.orc", ".npy", DisplayName = "unknown output format")]
    [DataRow("in.json.jsonl", "overwrite", DisplayName = "output is the input")]
    public void AnOutputThatCannotBeIsAUsageError(string output, string expected)
    {
        using var folder = new TemporaryFolder();
        string input = folder.Write("in.json.jsonl", "\"a\"\n");
        ToolRun run = ToolRun.Of("embed", "-i", input, "-o", folder.File(output));
        Assert.AreEqual(2, run.ExitCode);
        StringAssert.Contains(run.Error, expected);
        CollectionAssert.AreEqual(new[] { "in.json.jsonl" }, folder.FileNames.ToArray());
    }

    [TestMethod]
    public void AFailureInTheMiddleLeavesNoFile()
    {
        using var folder = new TemporaryFolder();
        string input = folder.Write("in.jsonl", string.Concat(Enumerable.Repeat("\"a\"\n", 9000)) + "{\n");
        ToolRun run = ToolRun.Of("embed", "-i", input, "-o", folder.File("v.npy"));
        Assert.AreEqual(1, run.ExitCode);
        StringAssert.Contains(run.Error, "Line 9001 ");
        CollectionAssert.AreEqual(new[] { "in.jsonl" }, folder.FileNames.ToArray());
    }

    [TestMethod]
    public void CancellationInTheMiddleLeavesNoFile()
    {
        using var folder = new TemporaryFolder();
        string input = folder.Write("in.txt", string.Concat(Enumerable.Repeat("a\n", 20_000)));
        using var stop = new CancellationTokenSource();
        int windows = 0;
        var models = new FakeModels
        {
            Encoding = _ =>
            {
                if (++windows == 2)
                {
                    Assert.HasCount(2, folder.FileNames.ToArray());
                    stop.Cancel();
                }
            },
        };
        Assert.Throws<OperationCanceledException>(() => ToolRun.Of(models, "", stop.Token, "embed", "-i", input, "-o", folder.File("v.npy")));
        Assert.AreEqual(2, windows);
        CollectionAssert.AreEqual(new[] { "in.txt" }, folder.FileNames.ToArray());
    }

    [TestMethod]
    public void NoTextsGiveAMatrixOfNoRows()
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of("embed", "-i", folder.Write("in.txt", ""), "-o", folder.File("v.npy"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        StringAssert.Contains(File.ReadAllText(folder.File("v.npy")), "'shape': (0, 12)");
    }

    [TestMethod]
    public void InvalidUtf8IsWarnedOfOnceEvenWhenQuiet()
    {
        ToolRun run = ToolRun.Of(new FakeModels(), new MemoryStream([(byte)'a', 0xFF, (byte)'\n', 0xFF, (byte)'\n']), default, "embed", "-q", "-i", "-", "-o", "-");
        Assert.AreEqual(0, run.ExitCode, run.Error);
        Assert.AreEqual(1, run.Error.Split("warning").Length - 1);
        StringAssert.Contains(run.Error, "2 place(s)");
    }

    [TestMethod]
    public void AHeaderInUtf16WithoutAMarkIsSaidToBeOne()
    {
        ToolRun run = ToolRun.Of(new FakeModels(), new MemoryStream(System.Text.Encoding.Unicode.GetBytes("text\tlang\none\ten\n")), default, "embed", "-i", "-", "--format", "tsv", "-o", "-");
        Assert.AreEqual(2, run.ExitCode);
        StringAssert.Contains(run.Error, "convert it to UTF-8");
    }

    [TestMethod]
    public void Utf16WithoutAByteOrderMarkIsWarnedOf()
    {
        ToolRun run = ToolRun.Of(new FakeModels(), new MemoryStream(System.Text.Encoding.Unicode.GetBytes("one\ntwo\n")), default, "embed", "-q", "-i", "-", "-o", "-");
        Assert.AreEqual(0, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "lacos: warning: standard input has 8 NUL character(s)");
    }

    [TestMethod]
    public void LongTextsAreCounted()
    {
        ToolRun run = ToolRun.Of(new FakeModels(), "short\nlonger than eight\n", default, "embed", "-i", "-", "-o", "-");
        StringAssert.Contains(run.Error, "1 text(s) had more than 8 tokens");
    }

    /// <summary>Not beside other tests, whose memory would be counted too.</summary>
    [TestMethod]
    [DoNotParallelize]
    public void MemoryHoldsAFewWindowsHoweverLongTheInput()
    {
        GC.Collect();
        using var source = new EndlessLines(2_000_000);
        var models = new FakeModels();
        long largest = 0;
        models.Encoding = _ => largest = Math.Max(largest, GC.GetTotalMemory(forceFullCollection: false));
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of(models, source, default, "embed", "-i", "-", "-o", folder.File("v.npy"), "--precision", "binary", "--dim", "2");
        Assert.AreEqual(0, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "2,000,000 texts");
        Assert.AreEqual(128 + 2_000_000, new FileInfo(folder.File("v.npy")).Length);
        Assert.IsLessThan(400L << 20, largest);
    }

    /// <summary>Lines made as they are read: 100 bytes each.</summary>
    private sealed class EndlessLines(long count) : Stream
    {
        private static readonly byte[] Line = [.. Enumerable.Repeat((byte)'x', 99), (byte)'\n'];
        private long _position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => _position; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            int read = (int)Math.Min(buffer.Length, (count * Line.Length) - _position);
            for (int i = 0; i < read; i++)
            {
                buffer[i] = Line[(int)(_position++ % Line.Length)];
            }
            return read;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
