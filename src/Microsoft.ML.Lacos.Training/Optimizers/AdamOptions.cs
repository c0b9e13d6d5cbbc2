using System.Globalization;

namespace Microsoft.ML.Lacos.Training.Optimizers;

/// <summary>Settings of the Adam optimisers (Kingma and Ba 2014, arXiv 1412.6980), with decoupled weight decay (Loshchilov and Hutter 2017, arXiv 1711.05101).</summary>
/// <param name="LearningRate">Size of a step; the optimiser's own property can change it between steps.</param>
/// <param name="Beta1">Decay of the mean of the gradients, from 0 to below 1.</param>
/// <param name="Beta2">Decay of the mean of their squares, from 0 to below 1.</param>
/// <param name="Epsilon">Added to the root of the second moment; positive.</param>
/// <param name="WeightDecay">Share of a weight that a step of learning rate 1 would take away; 0 for none.</param>
public sealed record AdamOptions(double LearningRate = 1e-3, double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, double WeightDecay = 0)
{
    /// <summary>Refuses settings that no run can use.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A setting is out of its range.</exception>
    public void Check()
    {
        CheckLearningRate(LearningRate);
        Require(Beta1 is >= 0 and < 1, nameof(Beta1), Beta1, "from 0 to below 1");
        Require(Beta2 is >= 0 and < 1, nameof(Beta2), Beta2, "from 0 to below 1");
        Require(double.IsFinite(Epsilon) && Epsilon > 0, nameof(Epsilon), Epsilon, "above 0");
        Require(double.IsFinite(WeightDecay) && WeightDecay >= 0, nameof(WeightDecay), WeightDecay, "from 0");
    }

    internal static void CheckLearningRate(double rate) => Require(double.IsFinite(rate) && rate >= 0, nameof(LearningRate), rate, "from 0");

    private static void Require(bool holds, string name, double value, string range)
    {
        if (!holds)
        {
            throw new ArgumentOutOfRangeException(name, value, string.Create(CultureInfo.InvariantCulture, $"Adam's {name} must be a number {range}, got {value}."));
        }
    }
}
