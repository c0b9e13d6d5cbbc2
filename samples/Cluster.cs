#:project ../src/Microsoft.ML.Lacos
#:property PublishAot=false

// Finds the subjects of texts nobody has sorted: vectors, KMeans for each number of clusters, and the number whose silhouette is best.
//   dotnet run -c Release samples/Cluster.cs                            data/letters.tsv: letters to a town hall in six languages, written for this sample
//   dotnet run -c Release samples/Cluster.cs -- FILE [--k 2-10]         .tsv with a header (column 'text', and 'topic' where the answer is known), or a line a text
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
int range = Array.IndexOf(args, "--k");
string[] files = [.. args.Where((_, at) => range < 0 || (at != range && at != range + 1))];
string path = files.Length == 0 ? Path.Combine((string)AppContext.GetData("EntryPointFileDirectoryPath")!, "data", "letters.tsv") : files[0];
int least = 2;
int most = 8;
if (files.Length > 1 || (range >= 0 && !TryRange(range + 1 < args.Length ? args[range + 1] : "", out least, out most)))
{
    Console.Error.WriteLine($"The arguments '{string.Join(' ', args)}' are not FILE [--k FROM-TO] with 2 <= FROM <= TO. Say for example: letters.tsv --k 2-10");
    return 2;
}
if (!File.Exists(path))
{
    Console.Error.WriteLine($"There is no file '{path}'. Give a .tsv file with a header and a column 'text', or a file with a text on each line.");
    return 1;
}
Letter[] letters = Read(path);
most = Math.Min(most, letters.Length - 1);
if (most < least)
{
    Console.Error.WriteLine($"'{path}' has {letters.Length} text(s), too few for {least} clusters. Give a file with at least {least + 1}.");
    return 1;
}

var mlContext = new MLContext(seed: 1);
bool isSorted = letters.All(letter => letter.Topic.Length > 0);
IDataView loaded = mlContext.Data.LoadFromEnumerable(letters);
IDataView data = mlContext.Transforms.Conversion.MapValueToKey("Label", "Topic").Fit(loaded).Transform(loaded);

// 1. The vectors are computed once; KMeans passes over them many times.
IDataView vectors = mlContext.Data.Cache(mlContext.Transforms.Text.ApplySentenceEmbedding("Features", "Text").Fit(data).Transform(data));
Console.WriteLine($"1. {letters.Length} texts of {Path.GetFileName(path)}: how many clusters?");
Console.WriteLine("   clusters  silhouette (more is better)  Davies-Bouldin (less is better)");
var found = new List<(int Count, IDataView Rows, ClusteringMetrics Metrics, double Silhouette)>();
for (int count = least; count <= most; count++)
{
    var best = Best(vectors, count);
    found.Add((count, best.Rows, best.Metrics, Silhouette(best.Rows)));
    Console.WriteLine($"   {count,8}  {found[^1].Silhouette,10:F3}  {found[^1].Metrics.DaviesBouldinIndex,33:F3}");
}
// The Davies-Bouldin index, ML.NET's own, goes on falling where clusters become as small as these; the silhouette does not.
var chosen = found.MaxBy(one => one.Silhouette);

// 2. What a cluster is about: the texts nearest to its centre. Score holds the squared distances to all centres.
Console.WriteLine($"\n2. {chosen.Count} clusters, and the texts nearest to each centre");
var rows = mlContext.Data.CreateEnumerable<Clustered>(chosen.Rows, reuseRowObject: false);
foreach (var cluster in rows.GroupBy(row => row.PredictedLabel).OrderBy(cluster => cluster.Key))
{
    string topics = isSorted ? ": " + string.Join(", ", cluster.CountBy(row => row.Topic).OrderByDescending(topic => topic.Value).Select(topic => $"{topic.Value} {topic.Key}")) : "";
    Console.WriteLine($"   cluster {cluster.Key}, {cluster.Count()} texts{topics}");
    foreach (Clustered row in cluster.OrderBy(row => row.Score[cluster.Key - 1]).Take(3))
    {
        Console.WriteLine($"      {row.Text}");
    }
}

// 3. The same KMeans over ML.NET's bags of words and characters.
if (isSorted)
{
    int topics = letters.DistinctBy(letter => letter.Topic).Count();
    IDataView bags = mlContext.Data.Cache(mlContext.Transforms.Text.FeaturizeText("Features", "Text").Fit(data).Transform(data));
    Console.WriteLine("\n3. NMI against the topics in the file (1 = the same grouping, 0 = chance)");
    Console.WriteLine($"   clusters  sentence vectors  FeaturizeText");
    foreach (int count in new[] { chosen.Count, topics }.Distinct())
    {
        Console.WriteLine($"   {count,8}  {Best(vectors, count).Metrics.NormalizedMutualInformation,16:F3}  {Best(bags, count).Metrics.NormalizedMutualInformation,13:F3}");
    }
}
return 0;

// KMeans ends in the optimum nearest to its random start, so the best of ten starts counts: the one whose texts lie closest to their centres.
(IDataView Rows, ClusteringMetrics Metrics) Best(IDataView features, int count) => Enumerable.Range(1, 10).Select(seed =>
{
    var context = new MLContext(seed);
    IDataView clustered = context.Clustering.Trainers.KMeans("Features", numberOfClusters: count).Fit(features).Transform(features);
    return (Rows: clustered, Metrics: context.Clustering.Evaluate(clustered, isSorted ? "Label" : null, featureColumnName: "Features"));
}).MinBy(one => one.Metrics.AverageDistance);

// Mean of (b - a) / max(a, b): a is a text's mean distance (1 - cosine) to its own cluster, b that to the nearest other one; a text alone counts 0. Time grows with the square of the texts.
static double Silhouette(IDataView rows)
{
    float[][] vectors = [.. rows.GetColumn<float[]>("Features")];
    uint[] clusters = [.. rows.GetColumn<uint>("PredictedLabel")];
    return Enumerable.Range(0, vectors.Length).Average(row =>
    {
        Dictionary<uint, double> distances = Enumerable.Range(0, vectors.Length).Where(other => other != row)
            .GroupBy(other => clusters[other], other => 1 - vectors[row].Zip(vectors[other], (x, y) => (double)x * y).Sum()).ToDictionary(cluster => cluster.Key, cluster => cluster.Average());
        double nearest = distances.Where(cluster => cluster.Key != clusters[row]).Select(cluster => cluster.Value).DefaultIfEmpty().Min();
        return distances.TryGetValue(clusters[row], out double own) && Math.Max(own, nearest) > 0 ? (nearest - own) / Math.Max(own, nearest) : 0;
    });
}

static bool TryRange(string range, out int least, out int most)
{
    string[] ends = range.Split('-');
    most = 0;
    return int.TryParse(ends[0], out least) && int.TryParse(ends[^1], out most) && ends.Length <= 2 && least >= 2 && most >= least;
}

static Letter[] Read(string path)
{
    string[] lines = [.. File.ReadLines(path).Where(line => line.Trim().Length > 0)];
    string[] header = path.EndsWith(".tsv", StringComparison.OrdinalIgnoreCase) && lines.Length > 0 ? lines[0].Split('\t') : [];
    int text = Array.IndexOf(header, "text");
    int topic = Array.IndexOf(header, "topic");
    return text < 0
        ? [.. lines.Select(line => new Letter { Text = line })]
        : [.. lines.Skip(1).Select(line => line.Split('\t')).Select(cells => new Letter { Text = cells.ElementAtOrDefault(text) ?? "", Topic = cells.ElementAtOrDefault(topic) ?? "" })];
}

internal sealed class Letter
{
    public string Topic { get; set; } = "";

    public string Text { get; set; } = "";
}

internal sealed class Clustered
{
    public string Topic { get; set; } = "";

    public string Text { get; set; } = "";

    public uint PredictedLabel { get; set; }

    public float[] Score { get; set; } = [];
}
