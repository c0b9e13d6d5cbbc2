// A few labels a class: three featurisers before the same linear trainer, and two of them together.
//   dotnet run -c Release --project samples/FewLabels                                  requests.tsv, written for this sample
//   dotnet run -c Release --project samples/FewLabels -- FILE.tsv [--labels 8,16,64] [--seeds 3] [--loss CoSent] [--steps N] ...
using System.Globalization;
using FewLabels;
using Microsoft.ML;
using Microsoft.ML.Lacos;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
string? file = args.FirstOrDefault(argument => !argument.StartsWith("--", StringComparison.Ordinal) && argument.EndsWith(".tsv", StringComparison.Ordinal));
string path = file ?? Path.Combine(AppContext.BaseDirectory, "requests.tsv");
if (!File.Exists(path))
{
    Console.Error.WriteLine($"There is no file '{path}'. Give a TSV file with the columns 'label' and 'text'.");
    return 1;
}
string lossName = Argument("loss", nameof(TrainingLoss.MultipleNegativesRanking));
if (!Enum.GetNames<TrainingLoss>().Contains(lossName))
{
    Console.Error.WriteLine($"There is no loss '{lossName}'. Choose one of {string.Join(", ", Enum.GetNames<TrainingLoss>())}.");
    return 1;
}
List<LabelledRow> rows = LabelledFile.Read(path, Console.WriteLine);
int[] labels = [.. Argument("labels", file is null ? "8" : "8,16,64").Split(',').Select(int.Parse)];
float regularization = float.Parse(Argument("l2", "0.1"));
int seeds = int.Parse(Argument("seeds", "3"));

var options = new LacosBloomTrainer.Options
{
    TextColumnName = "Text",
    LabelColumnName = "Label",
    EmbeddingColumnName = "Vector",
    Loss = Enum.Parse<TrainingLoss>(lossName),
    Steps = int.Parse(Argument("steps", "40")),
    LearningRate = double.Parse(Argument("learning-rate", "3e-3")),
    BatchSize = int.Parse(Argument("batch-size", "32")),
    PairsPerText = int.Parse(Argument("pairs-per-text", "8")),
    LoraRank = int.Parse(Argument("lora-rank", "16")),
    LoraTargets = Argument("lora-targets", "query_key_value,dense,dense_h_to_4h,dense_4h_to_h").Split(','),
};
// How much of the update to keep; 0 is the model as it is. With few labels the choice is left to cross-validation inside them.
double[] strengths = [0, 0.25, 0.5, 0.75, 1];
int few = int.Parse(Argument("choose-up-to", "8"));

Console.WriteLine($"{rows.Count} texts of {rows.DistinctBy(row => row.Label).Count()} classes; accuracy x 100 on a fifth of them, mean of {seeds} split(s).\n");
Console.WriteLine("| labels a class | in all | FeaturizeText | frozen vectors | fine-tuned vectors | these and FeaturizeText | seconds to tune and test |\n|---:|---:|---:|---:|---:|---:|---:|");
foreach (int count in labels)
{
    var results = new List<Accuracies>();
    int total = 0;
    for (int seed = 1; seed <= seeds; seed++)
    {
        var split = new Split(rows, seed);
        LabelledRow[] train = split.Train(count);
        total = train.Length;
        options.Seed = seed;
        results.Add(new Study(new MLContext(seed), options, count <= few ? strengths : [1], regularization).Compare(train, split.Test));
        Console.Error.WriteLine($"{count} labels, seed {seed}, {split.Test.Length} tested: {results[^1]}");
    }
    Console.WriteLine($"| {count} | {total:N0} | {Mean(0)} | {Mean(1)} | {Mean(2)} | {Mean(3)} | {results.Average(result => result.Seconds):F0} |");

    string Mean(int featurizer)
    {
        double mean = results.Average(result => 100 * result.Values()[featurizer]);
        return results.Count < 2
            ? $"{mean:F1}"
            : $"{mean:F1} ± {Math.Sqrt(results.Sum(result => Math.Pow((100 * result.Values()[featurizer]) - mean, 2)) / (results.Count - 1)):F1}";
    }
}

return 0;

string Argument(string name, string usual) => Array.IndexOf(args, "--" + name) is int at and >= 0 && at + 1 < args.Length ? args[at + 1] : usual;
