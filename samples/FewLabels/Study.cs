using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Lacos;

namespace FewLabels;

/// <summary>Accuracies of three featurisers before the same linear trainer.</summary>
internal sealed record Accuracies(double FeaturizeText, double Frozen, double FineTuned, int Recipe, double Seconds)
{
    public double[] Values() => [FeaturizeText, Frozen, FineTuned];
}

/// <summary>Compares what a linear trainer makes of bags of words, of vectors as they are, and of vectors tuned on the same few labels.</summary>
internal sealed class Study(MLContext ml, LacosBloomTrainer.Options[] recipes, float regularization)
{
    public Accuracies Compare(LabelledRow[] train, LabelledRow[] test)
    {
        double words = Accuracy(ml.Transforms.Text.FeaturizeText("Features", "Text"), train, test);
        double frozen = Accuracy(ml.Transforms.Text.ApplySentenceEmbedding("Features", "Text"), train, test);
        var clock = Stopwatch.StartNew();
        int recipe = Choose(train);
        double tuned = Accuracy(ml.Regression.Trainers.LacosBloom(recipes[recipe]), train, test);
        return new Accuracies(words, frozen, tuned, recipe, clock.Elapsed.TotalSeconds);
    }

    /// <summary>The recipe that does best when each half of the labels is classified by what the other half taught. The test texts take no part.</summary>
    private int Choose(LabelledRow[] train)
    {
        if (recipes.Length == 1)
        {
            return 0;
        }
        // What says the same stays in one half.
        ILookup<int, LabelledRow> halves = train.GroupBy(row => row.Label)
            .SelectMany(group => group.GroupBy(row => row.Utterance).SelectMany((same, i) => same.Select(row => (row, half: i % 2))))
            .ToLookup(pair => pair.half, pair => pair.row);
        LabelledRow[] one = [.. halves[0]];
        HashSet<string> taught = [.. halves[1].Select(row => row.Label)];
        LabelledRow[] other = [.. halves[1]], asked = [.. one.Where(row => taught.Contains(row.Label))];
        double[] right = [.. recipes.Select(recipe =>
            (Accuracy(ml.Regression.Trainers.LacosBloom(recipe), one, other) * other.Length) + (Accuracy(ml.Regression.Trainers.LacosBloom(recipe), other, asked) * asked.Length))];
        Console.Error.WriteLine($"of {other.Length + asked.Length} labels right, recipe by recipe: {string.Join(", ", right.Select(count => count.ToString("F0")))}");
        return Array.IndexOf(right, right.Max());
    }

    private double Accuracy<T>(IEstimator<T> featurizer, LabelledRow[] train, LabelledRow[] test)
        where T : class, ITransformer
    {
        var pipeline = ml.Transforms.Conversion.MapValueToKey("Label")
            .Append(featurizer)
            .Append(ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(l1Regularization: 0, l2Regularization: regularization));
        using var model = pipeline.Fit(ml.Data.LoadFromEnumerable(train));
        return ml.MulticlassClassification.Evaluate(model.Transform(ml.Data.LoadFromEnumerable(test))).MicroAccuracy;
    }
}
