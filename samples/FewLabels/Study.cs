using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Lacos;

namespace FewLabels;

/// <summary>Accuracies of three featurisers before the same linear trainer, and of the first and the last together.</summary>
internal sealed record Accuracies(double FeaturizeText, double Frozen, double FineTuned, double Together, int Recipe, double Seconds)
{
    public double[] Values() => [FeaturizeText, Frozen, FineTuned, Together];
}

/// <summary>Compares what a linear trainer makes of bags of words, of vectors as they are, of vectors tuned on the same few labels, and of these and bags of words side by side.</summary>
internal sealed class Study(MLContext ml, LacosBloomTrainer.Options[] recipes, float regularization)
{
    public Accuracies Compare(LabelledRow[] train, LabelledRow[] test)
    {
        IDataView taught = ml.Data.LoadFromEnumerable(train), asked = ml.Data.LoadFromEnumerable(test);
        double words = Accuracy(ml.Transforms.Text.FeaturizeText("Features", "Text"), taught, asked);
        double frozen = Accuracy(ml.Transforms.Text.ApplySentenceEmbedding("Features", "Text"), taught, asked);
        var clock = Stopwatch.StartNew();
        int recipe = Choose(train);
        using SentenceEmbeddingTransformer tuned = ml.Regression.Trainers.LacosBloom(recipes[recipe]).Fit(taught);
        (taught, asked) = (tuned.Transform(taught), tuned.Transform(asked));
        double fineTuned = Accuracy(ml.Transforms.Concatenate("Features", "Vector"), taught, asked);
        double seconds = clock.Elapsed.TotalSeconds;
        double together = Accuracy(ml.Transforms.Text.FeaturizeText("Words", "Text").Append(ml.Transforms.Concatenate("Features", "Vector", "Words")), taught, asked);
        return new Accuracies(words, frozen, fineTuned, together, recipe, seconds);
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
        double[] right = [.. recipes.Select(recipe => Right(recipe, one, other) + Right(recipe, other, asked))];
        Console.Error.WriteLine($"of {other.Length + asked.Length} labels right, recipe by recipe: {string.Join(", ", right.Select(count => count.ToString("F0")))}");
        return Array.IndexOf(right, right.Max());
    }

    private double Right(LacosBloomTrainer.Options recipe, LabelledRow[] train, LabelledRow[] test) =>
        test.Length * Accuracy(ml.Regression.Trainers.LacosBloom(recipe).Append(ml.Transforms.Concatenate("Features", "Vector")), ml.Data.LoadFromEnumerable(train), ml.Data.LoadFromEnumerable(test));

    private double Accuracy<T>(IEstimator<T> featurizer, IDataView train, IDataView test)
        where T : class, ITransformer
    {
        var pipeline = ml.Transforms.Conversion.MapValueToKey("Label")
            .Append(featurizer)
            .Append(ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(l1Regularization: 0, l2Regularization: regularization));
        using var model = pipeline.Fit(train);
        return ml.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy;
    }
}
