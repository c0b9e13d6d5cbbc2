using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Lacos;

namespace FewLabels;

/// <summary>Accuracies of three featurisers before the same linear trainer.</summary>
internal sealed record Accuracies(double FeaturizeText, double Frozen, double FineTuned, double Seconds)
{
    public double[] Values() => [FeaturizeText, Frozen, FineTuned];
}

/// <summary>Compares what a linear trainer makes of bags of words, of vectors as they are, and of vectors tuned on the same few labels.</summary>
internal sealed class Study(MLContext ml, LacosBloomTrainer.Options options, float regularization)
{
    public Accuracies Compare(LabelledRow[] train, LabelledRow[] test)
    {
        double words = Accuracy(ml.Transforms.Text.FeaturizeText("Features", "Text"), train, test);
        double frozen = Accuracy(ml.Transforms.Text.ApplySentenceEmbedding("Features", "Text"), train, test);
        var clock = Stopwatch.StartNew();
        double tuned = Accuracy(ml.Regression.Trainers.LacosBloom(options), train, test);
        return new Accuracies(words, frozen, tuned, clock.Elapsed.TotalSeconds);
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
