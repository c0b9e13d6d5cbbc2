using System.IO.Compression;

namespace Study;

internal sealed class SentencePair
{
    public string Sentence1 { get; set; } = "";

    public string Sentence2 { get; set; } = "";
}

/// <summary>Translations and paraphrases in one shuffled order, so that fewer pairs are always part of more.</summary>
internal static class UnlabelledPairs
{
    public static IEnumerable<string> Files(Settings settings) =>
        new[] { "tatoeba_parallel", "tatoeba_paraphrase", "wikisplit_en" }.Select(name => Path.Combine(settings.Shared, "data", "pairs", $"{name}.tsv.gz"));

    public static SentencePair[] Read(Settings settings)
    {
        (string, string)[] pairs = [.. Files(settings).SelectMany(file => Read(file, settings.Languages)).Distinct()];
        new Random(settings.Seed).Shuffle(pairs);
        return [.. pairs.Select(pair => new SentencePair { Sentence1 = pair.Item1, Sentence2 = pair.Item2 })];
    }

    /// <summary>Rows of a file whose language columns, where it has any, all name one of the languages.</summary>
    private static IEnumerable<(string, string)> Read(string file, string[] languages)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(file), CompressionMode.Decompress));
        string[] header = reader.ReadLine()!.Split('\t');
        int text = Array.IndexOf(header, "text1");
        while (reader.ReadLine() is string line)
        {
            string[] row = line.Split('\t');
            if (row[..text].All(languages.Contains) && row[text] != row[text + 1])
            {
                yield return (row[text], row[text + 1]);
            }
        }
    }
}
