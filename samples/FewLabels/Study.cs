using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Lacos;

namespace FewLabels;

/// <summary>Accuracies of three featurisers before the same linear trainer, and of the first and the last together.</summary>
internal sealed record Accuracies(double FeaturizeText, double Frozen, double FineTuned, double Together, double Strength, double Seconds)
{
    public double[] Values() => [FeaturizeText, Frozen, FineTuned, Together];
}

/// <summary>Compares what a linear trainer makes of bags of words, of vectors as they are, of vectors tuned on the same few labels, and of these and bags of words side by side.</summary>
internal sealed class Study(MLContext ml, LacosBloomTrainer.Options options, double[] strengths, float regularization)
{
    public Accuracies Compare(LabelledRow[] train, LabelledRow[] test)
    {
        IDataView taught = ml.Data.LoadFromEnumerable(train), asked = ml.Data.LoadFromEnumerable(test);
        double words = Accuracy(ml.Transforms.Text.FeaturizeText("Features", "Text"), taught, asked);
        double frozen = Accuracy(ml.Transforms.Text.ApplySentenceEmbedding("Features", "Text"), taught, asked);
        var clock = Stopwatch.StartNew();
        double strength = Choose(train);
        (double fineTuned, double together) = Tuned(train, [strength], tuned =>
        {
            (IDataView known, IDataView unknown) = (tuned.Transform(taught), tuned.Transform(asked));
            double alone = Accuracy(ml.Transforms.Concatenate("Features", "Vector"), known, unknown);
            return (alone, Accuracy(ml.Transforms.Text.FeaturizeText("Words", "Text").Append(ml.Transforms.Concatenate("Features", "Vector", "Words")), known, unknown));
        })[0];
        return new Accuracies(words, frozen, fineTuned, together, strength, clock.Elapsed.TotalSeconds);
    }

    /// <summary>The strength that does best when each half of the labels is classified by what the other half taught. The test texts take no part.</summary>
    private double Choose(LabelledRow[] train)
    {
        if (strengths.Length == 1)
        {
            return strengths[0];
        }
        // What says the same stays in one half.
        ILookup<int, LabelledRow> halves = train.GroupBy(row => row.Label)
            .SelectMany(group => group.GroupBy(row => row.Utterance).SelectMany((same, i) => same.Select(row => (row, half: i % 2))))
            .ToLookup(pair => pair.half, pair => pair.row);
        LabelledRow[] one = [.. halves[0]];
        HashSet<string> taught = [.. halves[1].Select(row => row.Label)];
        LabelledRow[] other = [.. halves[1]], asked = [.. one.Where(row => taught.Contains(row.Label))];
        double[] right = [.. Right(one, other).Zip(Right(other, asked), (first, second) => first + second)];
        Console.Error.WriteLine($"of {other.Length + asked.Length} labels right, strength by strength: {string.Join(", ", right.Zip(strengths, (count, strength) => $"{count:F0} ({strength})"))}");
        return strengths[Array.IndexOf(right, right.Max())];
    }

    private double[] Right(LabelledRow[] train, LabelledRow[] test)
    {
        IDataView taught = ml.Data.LoadFromEnumerable(train), asked = ml.Data.LoadFromEnumerable(test);
        return Tuned(train, strengths, tuned => test.Length * Accuracy(ml.Transforms.Concatenate("Features", "Vector"), tuned.Transform(taught), tuned.Transform(asked)));
    }

    /// <summary>Trains once and asks about the model at each strength: a finished run that is resumed writes its adapter anew, without training.</summary>
    private T[] Tuned<T>(LabelledRow[] train, double[] asked, Func<SentenceEmbeddingTransformer, T> ask)
    {
        options.OutputFolder = Directory.CreateTempSubdirectory("few-labels-").FullName;
        options.Resume = false;
        try
        {
            return [.. asked.Select(strength =>
            {
                using SentenceEmbeddingTransformer tuned = Fit(ml.Data.LoadFromEnumerable(train), strength);
                return ask(tuned);
            })];
        }
        finally
        {
            Directory.Delete(options.OutputFolder, recursive: true);
        }
    }

    private SentenceEmbeddingTransformer Fit(IDataView train, double strength)
    {
        if (strength == 0)
        {
            return ml.Transforms.Text.ApplySentenceEmbedding(options.EmbeddingColumnName, options.TextColumnName).Fit(train);
        }
        options.Strength = strength;
        SentenceEmbeddingTransformer tuned = ml.Regression.Trainers.LacosBloom(options).Fit(train);
        options.Resume = true;
        return tuned;
    }

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
