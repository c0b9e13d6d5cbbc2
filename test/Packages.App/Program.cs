using System.Runtime.Intrinsics.X86;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Lacos;

// Fits on ten pairs, saves, loads in a new context, and checks that the loaded model gives the same scores; then looks at what the packages brought.
const int Pairs = 10;
string[] nouns = ["cat", "river", "teacher", "engine", "violin", "window", "bread", "garden", "train", "letter"];
var mlContext = new MLContext(seed: 1);
mlContext.Log += (_, message) =>
{
    if (message.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning)
    {
        Console.WriteLine($"warning: {message.Message}");
    }
};
IDataView data = mlContext.Data.LoadFromEnumerable(nouns.Take(Pairs).Select(noun => new Pair { Sentence1 = $"The {noun} is here.", Sentence2 = $"Here we see the {noun}." }));
LacosBloomTrainer trainer = mlContext.Regression.Trainers.LacosBloom(new LacosBloomTrainer.Options { Epochs = 2, BatchSize = 5 });
using SentenceEmbeddingTransformer tuned = trainer.Fit(data);
float[] scores = Scores(tuned);
string path = Path.Combine(AppContext.BaseDirectory, "tuned.zip");
mlContext.Model.Save(tuned, data.Schema, path);
float[] again = Scores(new MLContext().Model.Load(path, out _));
File.Delete(path);
Console.WriteLine($"{Pairs} pairs, mean cosine {scores.Average():F3}, on {tuned.Description}");
if (!scores.SequenceEqual(again))
{
    Console.WriteLine("failed: the loaded model gives other scores");
    return 1;
}
Console.WriteLine("fitted, saved, loaded: same scores");
foreach (Type type in new[] { typeof(SentenceEncoder), typeof(LacosBloomTrainer), typeof(Microsoft.ML.Lacos.Mini.BloomMini) })
{
    if (Symbols.FaultOf(type.Assembly) is string fault)
    {
        Console.WriteLine($"failed: {type.Assembly.Location} {fault}");
        return 1;
    }
}

// Where the build made the native library and the processor can run its kernels, the package has to bring them.
if (args.Contains("--expect-native") && Avx2.IsSupported && !tuned.Description.StartsWith("native", StringComparison.Ordinal))
{
    Console.WriteLine($"failed: the package's native kernels are not used, vectors come from: {tuned.Description}");
    return 1;
}
return 0;

float[] Scores(ITransformer model) => [.. model.Transform(data).GetColumn<float>("Score")];

internal sealed class Pair
{
    public string Sentence1 { get; set; } = "";

    public string Sentence2 { get; set; } = "";
}
