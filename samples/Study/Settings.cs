using System.CommandLine;

namespace Study;

/// <summary>The arguments, each with its default.</summary>
internal sealed record Settings(
    string Shared, string Output, string[] Models, int[] PairCounts, int[] Ranks, int Pairs, int Rank, int Steps, int BatchSize, double LearningRate, string[] Targets, string[] Languages, int Seed)
{
    /// <summary>The command, which hands the arguments to <paramref name="run"/>.</summary>
    public static RootCommand Command(Func<Settings, int> run)
    {
        var command = new RootCommand("Fine-tunes small language models on unlabelled pairs: by size, by number of pairs, over 8-bit and fp32 weights, by rank.");
        Option<string> shared = Add("--shared", "../shared", "Folder with models/, data/pairs/ and data/sts/");
        Option<string> output = Add("--output", "docs", "Folder for study-size.png and study-pairs.png, and for study-results.tsv: cells found there are not made again");
        Option<string[]> models = Add("--models", new[] { "bloom-lm-5m", "bloom-lm-8m", "bloom-lm-12m" }, "Models, the smallest first");
        Option<int[]> counts = Add("--pair-counts", new[] { 1_000, 10_000, 100_000, Cell.All }, "Numbers of pairs to compare; the largest integer for all");
        Option<int[]> ranks = Add("--ranks", new[] { 2, 4, 8, 16, 32, 64 }, "Ranks to compare");
        Option<int> pairs = Add("--pairs", 100_000, "Pairs where they are not compared");
        Option<int> rank = Add("--rank", 16, "Rank where it is not compared; alpha is twice the rank");
        Option<int> steps = Add("--steps", 200, "Steps of every cell");
        Option<int> batch = Add("--batch-size", 128, "Pairs of a step");
        Option<double> rate = Add("--learning-rate", 5e-4, "Largest learning rate");
        Option<string[]> targets = Add("--targets", new[] { "query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h" }, "Layers to adapt");
        Option<string[]> languages = Add("--languages", new[] { "de", "en", "es", "fr", "it" }, "Languages of the pairs and of the STS-B tests");
        Option<int> seed = Add("--seed", 1, "Decides which pairs, their order and the adapters' first values");
        command.SetAction(parse => run(new Settings(
            parse.GetValue(shared)!, parse.GetValue(output)!, parse.GetValue(models)!, parse.GetValue(counts)!, parse.GetValue(ranks)!, parse.GetValue(pairs), parse.GetValue(rank),
            parse.GetValue(steps), parse.GetValue(batch), parse.GetValue(rate), parse.GetValue(targets)!, parse.GetValue(languages)!, parse.GetValue(seed))));
        return command;

        Option<T> Add<T>(string name, T value, string description)
        {
            var option = new Option<T>(name) { Description = description, DefaultValueFactory = _ => value, AllowMultipleArgumentsPerToken = true };
            command.Options.Add(option);
            return option;
        }
    }

    /// <summary>What all cells have in common.</summary>
    public string Common => FormattableString.Invariant(
        $"{Steps} steps of {BatchSize} pairs, learning rate {LearningRate}, layers {string.Join(' ', Targets)}, languages {string.Join(' ', Languages)}, seed {Seed}");

    public string ModelFolder(string model) => Path.Combine(Shared, "models", model);

    /// <summary>What the run needs and does not find.</summary>
    public IEnumerable<string> Missing() =>
        Models.Select(ModelFolder).Where(folder => !Directory.Exists(folder))
            .Concat(UnlabelledPairs.Files(this).Concat(Judge.Files(this)).Where(file => !File.Exists(file)));
}
