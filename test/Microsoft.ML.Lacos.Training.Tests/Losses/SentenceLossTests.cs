using Microsoft.ML.Lacos.Training.Losses;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Losses;

[TestClass]
public sealed class SentenceLossTests
{
    [TestMethod]
    public void TooFewColumnsAreRefusedWithTheNumbers()
    {
        using var loss = new MultipleNegativesRankingLoss();
        StringAssert.Contains(Refusal(() => loss.Forward([Vectors(4, 8)])), "needs 2 or more columns of sentences, got 1");
    }

    [TestMethod]
    public void AMissingColumnAndVectorsOfWholeNumbersAreRefused()
    {
        using var loss = new CoSentLoss();
        StringAssert.Contains(Refusal(() => loss.Forward([Vectors(4, 8), null!], torch.zeros(4))), "Column 1 (from 0) of the vectors is null");
        StringAssert.Contains(Refusal(() => loss.Forward([torch.ones(4, 8, dtype: torch.ScalarType.Int32), torch.ones(4, 8, dtype: torch.ScalarType.Int32)], torch.zeros(4))), "floating-point type, got Int32");
    }

    [TestMethod]
    public void ADisposedClassifierSaysSo()
    {
        var loss = new MatryoshkaLoss(new SoftmaxLoss(8, 3), [8, 4]);
        loss.Dispose();
        loss.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => loss.Forward([Vectors(4, 8), Vectors(4, 8)], torch.zeros(4, dtype: torch.ScalarType.Int64)));
    }

    [TestMethod]
    [DataRow(int.MaxValue, 3)]
    [DataRow(384, int.MaxValue)]
    public void AClassifierThatNoMemoryHoldsIsRefused(int dimension, int classes) =>
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new SoftmaxLoss(dimension, classes)).Message, $"and {classes} classes");

    [TestMethod]
    public void ColumnsOfDifferentShapeAreRefused()
    {
        using var loss = new CosineSimilarityLoss();
        StringAssert.Contains(Refusal(() => loss.Forward([Vectors(4, 8), Vectors(3, 8)], torch.zeros(4))), "[4, 8]");
    }

    [TestMethod]
    public void TooManyColumnsOfAnotherTypeOrWithoutRowsAreRefused()
    {
        using var loss = new CosineSimilarityLoss();
        StringAssert.Contains(Refusal(() => loss.Forward([Vectors(4, 8), Vectors(4, 8), Vectors(4, 8)], torch.zeros(4))), "needs 2 columns of sentences, got 3");
        StringAssert.Contains(Refusal(() => loss.Forward([Vectors(4, 8), Vectors(4, 8).to_type(torch.ScalarType.Float64)], torch.zeros(4))), "of one shape and type, got [4, 8] Float32 and [4, 8] Float64");
        StringAssert.Contains(Refusal(() => loss.Forward([torch.zeros(0, 8), torch.zeros(0, 8)], torch.zeros(0))), "got [0, 8]");
        StringAssert.Contains(Refusal(() => loss.Forward([torch.zeros(4, 0), torch.zeros(4, 0)], torch.zeros(4))), "got [4, 0]");
    }

    [TestMethod]
    public void MissingOrWronglyShapedLabelsAreRefused()
    {
        using var loss = new CoSentLoss();
        StringAssert.Contains(Refusal(() => loss.Forward([Vectors(4, 8), Vectors(4, 8)])), "needs labels (Similarity)");
        StringAssert.Contains(Refusal(() => loss.Forward([Vectors(4, 8), Vectors(4, 8)], torch.zeros(3))), "got [3]");
    }

    [TestMethod]
    public void FloatsAsClassesAreRefused()
    {
        using var loss = new SoftmaxLoss(8, 3);
        StringAssert.Contains(Refusal(() => loss.Forward([Vectors(4, 8), Vectors(4, 8)], torch.zeros(4))), "needs whole numbers (Int64) as labels, got Float32");
    }

    [TestMethod]
    [DataRow(3)]
    [DataRow(-1)]
    public void AClassThatTheClassifierDoesNotHaveIsRefused(int label)
    {
        using var loss = new SoftmaxLoss(8, 3);
        StringAssert.Contains(Refusal(() => loss.Forward([Vectors(4, 8), Vectors(4, 8)], torch.tensor(new long[] { 0, 2, label, 1 }))), $"has the label {label}; it must be from 0 to 2");
    }

    [TestMethod]
    public void VectorsOfMoreDimensionsThanTheClassifiersAreRefused()
    {
        using var loss = new SoftmaxLoss(8, 3);
        StringAssert.Contains(Refusal(() => loss.Forward([Vectors(4, 10), Vectors(4, 10)], torch.zeros(4, dtype: torch.ScalarType.Int64))), "at most 8 dimensions, got 10");
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void MatryoshkaOfSoftmaxIsTheSumOverTheLeadingColumnsOfEachBlock(bool withProduct)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        const int Rows = 5, Dimension = 8, Classes = 3;
        var inner = new SoftmaxLoss(Dimension, Classes, withProduct);
        using var loss = new MatryoshkaLoss(inner, [8, 3], [1, 0.5]);
        torch.Tensor u = Vectors(Rows, Dimension), v = Vectors(Rows + 1, Dimension).narrow(0, 0, Rows);
        long[] labels = [0, 2, 1, 1, 0];
        torch.Tensor value = loss.Forward([u, v], torch.tensor(labels));
        value.backward();
        Assert.AreEqual(Expected(8) + (0.5 * Expected(3)), value.item<float>(), 1e-5);
        Assert.IsTrue(inner.Parameters.All(item => item.Value.grad!.ne(0).all().item<bool>()), "the gradient reaches the whole classifier");

        double Expected(int dimension)
        {
            float[] weight = [.. inner.Parameters[0].Value.data<float>()], bias = [.. inner.Parameters[1].Value.data<float>()];
            int blocks = withProduct ? 4 : 3;
            double sum = 0;
            for (int row = 0; row < Rows; row++)
            {
                double[] a = Unit(u, row, dimension), b = Unit(v, row, dimension);
                double[] exponentials = [.. Enumerable.Range(0, Classes).Select(label => Math.Exp(bias[label] + Enumerable.Range(0, blocks * dimension).Sum(i =>
                {
                    (int block, int at) = (i / dimension, i % dimension);
                    double feature = block switch { 0 => a[at], 1 => b[at], 2 => Math.Abs(a[at] - b[at]), _ => a[at] * b[at] };
                    return feature * weight[(((label * blocks) + block) * Dimension) + at];
                })))];
                sum -= Math.Log(exponentials[labels[row]] / exponentials.Sum());
            }
            return sum / Rows;
        }

        static double[] Unit(torch.Tensor vectors, int row, int dimension)
        {
            double[] values = [.. Enumerable.Range(0, dimension).Select(i => (double)vectors[row, i].item<float>())];
            double norm = Math.Sqrt(values.Sum(value => value * value));
            return [.. values.Select(value => value / norm)];
        }
    }

    [TestMethod]
    public void AngleOfAnOddDimensionIsRefused()
    {
        using var loss = new AngleLoss();
        StringAssert.Contains(Refusal(() => loss.Forward([Vectors(4, 7), Vectors(4, 7)], torch.zeros(4))), "got 7");
    }

    [TestMethod]
    public void MatryoshkaRefusesWhatItCannotCut()
    {
        using var loss = new MatryoshkaLoss(new CosineSimilarityLoss(), [16, 8]);
        StringAssert.Contains(Refusal(() => loss.Forward([Vectors(4, 8), Vectors(4, 8)], torch.zeros(4))), "16 dimensions");
        Refusal(() => _ = new MatryoshkaLoss(new MatryoshkaLoss(new CoSentLoss(), [8]), [4]));
        Refusal(() => _ = new MatryoshkaLoss(new CoSentLoss(), [8, 8]));
        Refusal(() => _ = new MatryoshkaLoss(new CoSentLoss(), [8, 4], [1]));
    }

    [TestMethod]
    public void ImpossibleNumbersAreRefused()
    {
        foreach (double value in new[] { 0, -1, double.NaN, double.PositiveInfinity })
        {
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new MultipleNegativesRankingLoss(value));
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new ContrastiveLoss(value));
        }
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new ContrastiveLoss(2.5));
    }

    [TestMethod]
    public void EqualLabelsGiveNoRankingLossAndNoGradient()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var loss = new CoSentLoss();
        torch.Tensor first = Vectors(4, 8).requires_grad_();
        torch.Tensor value = loss.Forward([first, Vectors(4, 8)], torch.ones(4));
        value.backward();
        Assert.AreEqual(0f, value.item<float>());
        Assert.AreEqual(0f, first.grad!.abs().max().item<float>());
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void OnlyRowsOfOtherClassesAreNegatives(bool bothDirections)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var loss = new MultipleNegativesRankingLoss(7, bothDirections, labelsAreClasses: true);
        (torch.Tensor anchors, torch.Tensor positives) = (Vectors(6, 8), Vectors(6, 9).narrow(1, 0, 8));
        long[] classes = [0, 1, 0, 2, 1, 0];
        double[,] cosines = new double[6, 6];
        for (int i = 0; i < 36; i++)
        {
            cosines[i / 6, i % 6] = torch.nn.functional.cosine_similarity(anchors[i / 6], positives[i % 6], dim: 0).item<float>();
        }
        double expected = Mean((row, column) => cosines[row, column]);
        expected = bothDirections ? (expected + Mean((row, column) => cosines[column, row])) / 2 : expected;
        Assert.AreEqual(expected, loss.Forward([anchors, positives], torch.tensor(classes)).item<float>(), 1e-5);

        double Mean(Func<int, int, double> cosine) => Enumerable.Range(0, 6).Average(row =>
            Math.Log(Enumerable.Range(0, 6).Where(column => column == row || classes[column] != classes[row]).Sum(column => Math.Exp(7 * cosine(row, column)))) - (7 * cosine(row, row)));
    }

    [TestMethod]
    public void ClassesThatAllDifferChangeNothingAndOneForAllLeavesNothingToLearn()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var plain = new MultipleNegativesRankingLoss();
        using var loss = new MultipleNegativesRankingLoss(labelsAreClasses: true);
        torch.Tensor anchors = Vectors(4, 8).requires_grad_(), positives = Vectors(5, 8).narrow(0, 0, 4);
        Assert.AreEqual(plain.Forward([anchors, positives]).item<float>(), loss.Forward([anchors, positives], torch.tensor(new long[] { 3, 0, 2, 1 })).item<float>());
        torch.Tensor nothing = loss.Forward([anchors, positives], torch.tensor(new long[] { 2, 2, 2, 2 }));
        nothing.backward();
        Assert.AreEqual(0f, nothing.item<float>());
        Assert.AreEqual(0f, anchors.grad!.abs().max().item<float>());
        StringAssert.Contains(Refusal(() => loss.Forward([anchors, positives, positives], torch.zeros(4, dtype: torch.ScalarType.Int64))), "needs 2 columns of sentences, got 3");
        StringAssert.Contains(Refusal(() => loss.Forward([anchors, positives])), "needs labels (Class)");
    }

    [TestMethod]
    public void DistillationIntoSeveralColumnsIsTheMeanOfEach()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var loss = new MeanSquaredErrorLoss();
        (torch.Tensor first, torch.Tensor second, torch.Tensor teacher) = (Vectors(4, 8), Vectors(4, 8), Vectors(4, 8));
        float both = loss.Forward([first, second], teacher).item<float>();
        float mean = (loss.Forward([first], teacher).item<float>() + loss.Forward([second], teacher).item<float>()) / 2;
        Assert.AreEqual(mean, both, 1e-6f);
    }

    [TestMethod]
    public void MatryoshkaOfOneFullDimensionIsTheInnerLossOfNormalisedVectors()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (torch.Tensor student, torch.Tensor teacher) = (Vectors(4, 8), Vectors(4, 8));
        using var inner = new MeanSquaredErrorLoss();
        using var outer = new MatryoshkaLoss(new MeanSquaredErrorLoss(), [8]);
        float expected = inner.Forward([student / student.norm(1, keepdim: true)], teacher / teacher.norm(1, keepdim: true)).item<float>();
        Assert.AreEqual(expected, outer.Forward([student], teacher).item<float>(), 1e-6f);
    }

    [TestMethod]
    public void ClassifierStartsUniformlyWithinOneOverRootOfItsInputsAndTheSeedDecides()
    {
        using var one = new SoftmaxLoss(16, 3, seed: 5);
        using var same = new SoftmaxLoss(16, 3, seed: 5);
        using var other = new SoftmaxLoss(16, 3, seed: 6);
        float[] weights = [.. one.Parameters[0].Value.data<float>()];
        float bound = 1 / MathF.Sqrt(48);
        Assert.IsTrue(weights.All(weight => Math.Abs(weight) <= bound));
        Assert.IsGreaterThan(0.9f * bound, weights.Max(Math.Abs));
        CollectionAssert.AreEqual(weights, same.Parameters[0].Value.data<float>().ToArray());
        CollectionAssert.AreNotEqual(weights, other.Parameters[0].Value.data<float>().ToArray());
    }

    [TestMethod]
    public void AZeroVectorsGradientFollowsTheBoundOfTheReferencesCosine()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var loss = new CosineSimilarityLoss();
        torch.Tensor zero = torch.zeros(1, 4).requires_grad_();
        torch.Tensor axis = torch.tensor(new[] { 0f, 3f, 0f, 0f }, [1, 4]);
        loss.Forward([zero, axis], torch.tensor(new[] { 1f })).backward();
        // (cos - 1)^2 at cos = 0, and the cosine is x / 1e-8 times the other vector's direction.
        float[] gradient = [.. zero.grad!.data<float>()];
        Assert.AreEqual(-2e8f, gradient[1], 1e3f);
        Assert.AreEqual(0, Math.Abs(gradient[0]) + Math.Abs(gradient[2]) + Math.Abs(gradient[3]));
    }

    private static string Refusal(Action action)
    {
        try
        {
            action();
        }
        catch (ArgumentException error)
        {
            return error.Message;
        }
        throw new AssertFailedException("Nothing was refused.");
    }

    private static torch.Tensor Vectors(int rows, int dimension)
    {
        var random = new Random((rows * 100) + dimension);
        return torch.tensor(Enumerable.Range(0, rows * dimension).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray(), [rows, dimension]);
    }
}
