#:project ../src/Microsoft.ML.Lacos.Training
#:package libtorch-cpu-$(NETCoreSdkPortableRuntimeIdentifier)
#:property PublishAot=false

// Teaches the model what belongs together in your field: pairs of texts, a short training, similarity before and after, one file to keep.
//   dotnet run -c Release samples/FineTune.cs                           data/repairs.tsv: complaints about machines and the fault behind them, written for this sample
//   dotnet run -c Release samples/FineTune.cs -- PAIRS.tsv SCORED.tsv [--steps 60]
//                                                                       headers: sentence1, sentence2 (what belongs together), and sentence1, sentence2, score
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Lacos;
using Microsoft.ML.Lacos.Evaluation;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
int at = Array.IndexOf(args, "--steps");
string[] files = [.. args.Where((_, position) => at < 0 || (position != at && position != at + 1))];
int steps = 60;
if (files.Length is not (0 or 2) || (at >= 0 && (!int.TryParse(args.ElementAtOrDefault(at + 1), out steps) || steps < 1)))
{
    Console.Error.WriteLine($"The arguments '{string.Join(' ', args)}' are not [PAIRS.tsv SCORED.tsv] [--steps N] with N of at least 1.");
    return 2;
}
if (files.Length == 0)
{
    string data = Path.Combine((string)AppContext.GetData("EntryPointFileDirectoryPath")!, "data");
    files = [Path.Combine(data, "repairs.tsv"), Path.Combine(data, "repairs-scored.tsv")];
}
if (Array.Find(files, file => !File.Exists(file)) is string missing)
{
    Console.Error.WriteLine($"There is no file '{missing}'. Give a .tsv file of pairs and one of scored pairs.");
    return 1;
}

var mlContext = new MLContext(seed: 1);
IDataView pairs = mlContext.Data.LoadFromTextFile<Pair>(files[0], hasHeader: true);
IDataView scored = mlContext.Data.LoadFromTextFile<ScoredPair>(files[1], hasHeader: true);

// 1. The embedded model as it is. No complaint of the scored pairs stands among the pairs it learns from.
using SentenceEmbeddingTransformer untuned = mlContext.Transforms.Text.ApplySentenceEmbedding(new SentenceEmbeddingEstimator.Options
{
    Columns = [new("Embedding1", "Sentence1"), new("Embedding2", "Sentence2")],
}).Fit(scored);
SentenceSimilarityMetrics before = mlContext.Regression.EvaluateSentenceSimilarity(untuned.Transform(scored));
Console.WriteLine($"1. {before.Count} scored pairs before: Spearman {before.CosineSpearman:F3}, Pearson {before.CosinePearson:F3}");

// 2. Low-rank adapters over the 8-bit weights: each text is pulled to its partner and pushed away from the partners of the others in its batch.
var trainer = mlContext.Regression.Trainers.LacosBloom(new LacosBloomTrainer.Options
{
    Steps = steps,
    LearningRate = 1e-3,
    LoraRank = 16,
    LoraTargets = ["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"],
    Progress = new Steps(),
});
Console.WriteLine("\n2. Training");
using SentenceEmbeddingTransformer tuned = trainer.Fit(pairs);
SentenceSimilarityMetrics after = mlContext.Regression.EvaluateSentenceSimilarity(tuned.Transform(scored));
Console.WriteLine($"   after: Spearman {after.CosineSpearman:F3}, Pearson {after.CosinePearson:F3}");

// 3. The tuned model is one file. What reads it needs neither the trainer nor libtorch.
string path = Path.Combine(Path.GetTempPath(), $"lacos-finetune-{Environment.ProcessId}.zip");
try
{
    mlContext.Model.Save(tuned, pairs.Schema, path);
    ITransformer loaded = new MLContext().Model.Load(path, out _);
    using var engine = mlContext.Model.CreatePredictionEngine<Pair, Judged>(loaded);
    Console.WriteLine($"\n3. Saved to one file of {new FileInfo(path).Length / 1e6:F1} MB, loaded again: the partners nearest to a text");
    string[] partners = [.. mlContext.Data.CreateEnumerable<Pair>(pairs, reuseRowObject: false).Select(pair => pair.Sentence2).Distinct()];
    foreach (string text in mlContext.Data.CreateEnumerable<ScoredPair>(scored, reuseRowObject: false).Select(pair => pair.Sentence1).Distinct().Where((_, row) => row % 6 == 0))
    {
        Console.WriteLine($"   {text}");
        foreach (var (score, partner) in partners.Select(partner => (engine.Predict(new Pair { Sentence1 = text, Sentence2 = partner }).Score, partner)).OrderByDescending(hit => hit.Score).Take(2))
        {
            Console.WriteLine($"      {score,6:F3}  {partner}");
        }
    }
}
finally
{
    File.Delete(path);
}
return 0;

// Reports on the thread that trains, so that lines come in order.
internal sealed class Steps : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value)
    {
        if (value.Step == 1 || value.Step % 20 == 0)
        {
            Console.WriteLine($"   step {value.Step}, loss {value.Loss:F3}");
        }
    }
}

internal class Pair
{
    [LoadColumn(0)]
    public string Sentence1 { get; set; } = "";

    [LoadColumn(1)]
    public string Sentence2 { get; set; } = "";
}

internal sealed class ScoredPair : Pair
{
    [LoadColumn(2), ColumnName("Label")]
    public float Score { get; set; }
}

internal sealed class Judged
{
    public float Score { get; set; }
}
