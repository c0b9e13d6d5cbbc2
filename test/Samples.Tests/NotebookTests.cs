using System.Text.Json;

namespace Samples.Tests;

/// <summary>The cells of the notebook, in their order, as one program against the projects of the checkout: what a runner of notebooks would run, without one.</summary>
[TestClass]
public sealed class NotebookTests
{
    private static readonly string s_folder = Path.Combine(SampleRun.Root, "samples", "notebooks");

    [TestMethod]
    public void CellsRunInTheirOrderAndPrintWhatTheNotebookShows()
    {
        JsonElement[] cells = CodeCells();
        string program = Program(cells);
        string file = Path.Combine(SampleRun.Root, "artifacts", "sentence-vectors-notebook.cs");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, program);
        SampleRun build = SampleRun.Build(file);
        Assert.AreEqual(0, build.Code, build.All);
        SampleRun run = SampleRun.Run(file);
        Assert.AreEqual(0, run.Code, run.All);
        string[] shown = Lines(string.Concat(cells.SelectMany(cell => cell.GetProperty("outputs").EnumerateArray()).SelectMany(output => output.GetProperty("text").EnumerateArray()).Select(line => line.GetString())));
        Assert.IsNotEmpty(shown);

        // Numbers may differ in their last digits from one kind of CPU to another, and with them the order of near ones.
        CollectionAssert.AreEqual(shown.Select(Words).ToArray(), Lines(run.Output).Select(Words).ToArray(), run.All);
    }

    [TestMethod]
    public void NoOutputIsAnErrorAndEveryCellWasRun()
    {
        JsonElement[] cells = CodeCells();
        CollectionAssert.AreEqual(Enumerable.Range(1, cells.Length).ToArray(), cells.Select(cell => cell.GetProperty("execution_count").GetInt32()).ToArray());
        Assert.IsTrue(cells.SelectMany(cell => cell.GetProperty("outputs").EnumerateArray()).All(output => output.GetProperty("output_type").GetString() == "stream"));
    }

    private static JsonElement[] CodeCells()
    {
        using JsonDocument notebook = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(s_folder, "sentence-vectors.ipynb")));
        return [.. notebook.RootElement.GetProperty("cells").EnumerateArray().Where(cell => cell.GetProperty("cell_type").GetString() == "code").Select(cell => cell.Clone())];
    }

    // A program has its usings before and its types behind the statements; a notebook has them where they are needed. Packages are the projects here.
    private static string Program(IEnumerable<JsonElement> cells)
    {
        List<string> usings = [], statements = [], types = [];
        foreach (JsonElement cell in cells)
        {
            string[] lines = [.. cell.GetProperty("source").EnumerateArray().Select(line => line.GetString()!.TrimEnd('\n'))];
            usings.AddRange(lines.Where(line => line.StartsWith("using ", StringComparison.Ordinal)));
            string[] rest = [.. lines.Where(line => !line.StartsWith("using ", StringComparison.Ordinal) && !line.StartsWith("#r ", StringComparison.Ordinal))];
            (rest.Any(line => line.StartsWith("public ", StringComparison.Ordinal)) ? types : statements).AddRange(rest);
        }
        string project = Path.Combine(SampleRun.Root, "src", "Microsoft.ML.Lacos");
        return string.Join('\n', [
            $"#:project {project}", "#:property PublishAot=false", "#:property TreatWarningsAsErrors=false",
            .. usings, $"Directory.SetCurrentDirectory(@\"{s_folder}\");", .. statements, .. types, ""]);
    }

    private static string[] Lines(string text) => [.. text.Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0)];

    private static string Words(string line) => string.Concat(line.Where(letter => !char.IsAsciiDigit(letter)));
}
