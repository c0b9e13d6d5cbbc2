// What fine-tuning on unlabelled pairs adds: by size of the model, by number of pairs, over 8-bit and fp32 weights, by rank. docs/study.md tells what came out.
using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Study;

return Settings.Command(Run).Parse(args).Invoke();

static int Run(Settings settings)
{
    string[] missing = [.. settings.Missing()];
    if (missing.Length > 0)
    {
        Console.Error.WriteLine($"The study needs language models, pairs and test sets, and does not find:\n  {string.Join("\n  ", missing)}\nName the folder that has them with --shared.");
        return 1;
    }
    Directory.CreateDirectory(settings.Output);
    var results = new Results(Path.Combine(settings.Output, "study-results.tsv"), settings.Common);
    var laboratory = new Laboratory(new MLContext(settings.Seed), settings);
    Question[] questions = Question.Of(settings);

    // 1. The cells, each told when it is made.
    foreach (Cell cell in questions.SelectMany(question => question.Cells).SelectMany(cell => new[] { cell.Untuned, cell }).Where(cell => results[cell] is null).Distinct().ToArray())
    {
        var watch = Stopwatch.StartNew();
        results.Add(cell, laboratory.Score(cell));
        (double sts, double years) = Table.Means(results[cell]!, settings.Languages.Length);
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{cell.Model}, {cell.Base}, pairs {cell.PairsName}, rank {cell.Rank}: STS-B {sts:F1}, STS12-14 {years:F1} ({watch.Elapsed.TotalSeconds:F0} s)"));
    }

    // 2. One table.
    Console.WriteLine(Table.Header);
    foreach ((Question question, Cell cell) in questions.SelectMany(question => question.Cells.Select(cell => (question, cell))))
    {
        Console.WriteLine(Table.Row(question.Name, cell, results[cell.Untuned]!, results[cell]!, settings.Languages.Length));
    }

    // 3. Two plots.
    Cell[] pairs = [.. questions[0].Cells], sizes = [.. questions[1].Cells];
    Plots.Save(Path.Combine(settings.Output, "study-pairs.png"), $"{pairs[0].Model}, {settings.Steps} steps of {settings.BatchSize} pairs", [.. pairs.Select(cell => cell.PairsName).Prepend("none")],
        Lines("", [pairs[0].Untuned, .. pairs]));
    Plots.Save(Path.Combine(settings.Output, "study-size.png"), $"Before and after {settings.Steps} steps of {settings.BatchSize} pairs", settings.Models,
        [.. Lines(" before", sizes.Select(cell => cell.Untuned)), .. Lines(" after", sizes)]);
    return 0;

    (string, double[])[] Lines(string suffix, IEnumerable<Cell> cells)
    {
        (double Sts, double Years)[] means = [.. cells.Select(cell => Table.Means(results[cell]!, settings.Languages.Length))];
        return [("STS-B" + suffix, [.. means.Select(mean => mean.Sts)]), ("STS12-14" + suffix, [.. means.Select(mean => mean.Years)])];
    }
}
