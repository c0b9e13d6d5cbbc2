// The main job on the embedded default model: sentences in, vectors out, then what a pipeline does with them.
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Lacos;

var mlContext = new MLContext(seed: 1);
IDataView messages = mlContext.Data.LoadFromTextFile<Message>(Path.Combine(AppContext.BaseDirectory, "messages.tsv"), hasHeader: true);

// 1. One estimator adds a column of sentence vectors.
SentenceEmbeddingEstimator embedding = mlContext.Transforms.Text.ApplySentenceEmbedding("Features", "Text");
using SentenceEmbeddingTransformer embedder = embedding.Fit(messages);
float[][] vectors = [.. embedder.Transform(messages).GetColumn<float[]>("Features")];
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"1. {vectors.Length} sentences in 6 languages became vectors of {vectors[0].Length} dimensions"));
Console.WriteLine($"   on {embedder.Description}");

// 2. Vectors of norm 1: their dot product is the cosine, whatever the languages.
Console.WriteLine("\n2. Similarity across languages");
using var predictor = mlContext.Model.CreatePredictionEngine<Message, Embedded>(embedder, new PredictionEngineOptions { OwnsTransformer = false });
string[][] pairs =
[
    ["A man is playing a guitar.", "Un hombre toca la guitarra."],
    ["A man is playing a guitar.", "Ein Mann spielt Gitarre."],
    ["A man is playing a guitar.", "Un homme joue de la guitare."],
    ["A man is playing a guitar.", "Die Katze schläft auf dem Sofa."],
    ["A man is playing a guitar.", "Mañana va a llover en el norte."],
];
foreach (string[] pair in pairs)
{
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"   {Cosine(Vector(pair[0]), Vector(pair[1])),6:F3}  {pair[0]}  |  {pair[1]}"));
}

// 3. The column feeds any trainer: here KMeans finds the topics, which it has never been told.
var clustering = embedding.Append(mlContext.Clustering.Trainers.KMeans("Features", numberOfClusters: 4));
ITransformer model = clustering.Fit(messages);
IDataView clustered = model.Transform(mlContext.Transforms.Conversion.MapValueToKey("Label", "Topic").Fit(messages).Transform(messages));
ClusteringMetrics metrics = mlContext.Clustering.Evaluate(clustered, labelColumnName: "Label");
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\n3. KMeans on the vectors: NMI {metrics.NormalizedMutualInformation:F3} against the topics (1 = the same grouping)"));
foreach (var group in mlContext.Data.CreateEnumerable<Clustered>(clustered, reuseRowObject: false).GroupBy(row => row.PredictedLabel).OrderBy(group => group.Key))
{
    Console.WriteLine($"   cluster {group.Key}: {string.Join(", ", group.GroupBy(row => row.Topic).OrderByDescending(topic => topic.Count()).Select(topic => $"{topic.Count()} {topic.Key}"))}");
}

// 4. The whole pipeline, weights included, is one file; what comes back needs nothing registered.
string path = Path.Combine(Path.GetTempPath(), $"lacos-quickstart-{Environment.ProcessId}.zip");
try
{
    mlContext.Model.Save(model, messages.Schema, path);
    ITransformer loaded = new MLContext().Model.Load(path, out _);
    using var engine = mlContext.Model.CreatePredictionEngine<Message, Clustered>(loaded);
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\n4. Saved to one file of {new FileInfo(path).Length / 1e6:F1} MB, loaded again, predicting:"));
    foreach (string text in new[] { "Le match commence à vingt heures.", "Una tormenta llega por la tarde." })
    {
        Console.WriteLine($"   cluster {engine.Predict(new Message { Text = text }).PredictedLabel}: {text}");
    }
}
finally
{
    File.Delete(path);
}

float[] Vector(string text) => predictor.Predict(new Message { Text = text }).Features;

static float Cosine(float[] left, float[] right) => left.Zip(right, (x, y) => x * y).Sum();

internal sealed class Message
{
    [LoadColumn(0)]
    public string Topic { get; set; } = "";

    [LoadColumn(2)]
    public string Text { get; set; } = "";
}

internal sealed class Embedded
{
    public float[] Features { get; set; } = [];
}

internal sealed class Clustered
{
    public string Topic { get; set; } = "";

    public uint PredictedLabel { get; set; }
}
