using Microsoft.ML.Lacos.Training.Losses;
using TorchSharp;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Lacos.Training.Tests.Losses;

/// <summary>A small network with dropout stands for the encoder. Not parallel: torch's random state belongs to the process.</summary>
[TestClass]
[DoNotParallelize]
public sealed class GradientCacheTests
{
    private const int Rows = 10;
    private const int Inputs = 6;

    [TestMethod]
    [DataRow(10)]
    [DataRow(5)]
    [DataRow(3)]
    [DataRow(1)]
    public void GradientsAreThoseOfTheWholeBatch(int chunkRows)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var loss = new MultipleNegativesRankingLoss(bothDirections: true);
        torch.Tensor[] data = [Data(1), Data(2), Data(3)];
        using var whole = new Network(0);
        torch.Tensor value = loss.Forward([.. data.Select(whole.Encode)]);
        value.backward();
        using var cached = new Network(0);
        double cachedValue = GradientCache.Backward(loss, 3, Rows, chunkRows, (column, start, count) => cached.Encode(data[column].narrow(0, start, count)));
        Assert.AreEqual(value.item<double>(), cachedValue, 1e-12);
        AssertEqual(whole, cached, 1e-12);
    }

    [TestMethod]
    public void AnEncoderThatGivesNothingOrNoGradientIsRefused()
    {
        using var loss = new MultipleNegativesRankingLoss();
        Assert.Contains("gave null for 5 rows", Assert.ThrowsExactly<ArgumentException>(() => GradientCache.Backward(loss, 2, Rows, 5, (_, _, _) => null!)).Message);
        Assert.Contains("No gradient flows", Assert.ThrowsExactly<ArgumentException>(() => GradientCache.Backward(loss, 2, Rows, 5, (_, _, count) => torch.ones(count, 8))).Message);
    }

    [TestMethod]
    public void ClassesTellNegativesAcrossChunks()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var loss = new MultipleNegativesRankingLoss(labelsAreClasses: true);
        torch.Tensor[] data = [Data(1), Data(2)];
        torch.Tensor classes = torch.arange(Rows, dtype: torch.ScalarType.Int64).remainder(3);
        using var whole = new Network(0);
        torch.Tensor value = loss.Forward([.. data.Select(whole.Encode)], classes);
        value.backward();
        using var cached = new Network(0);
        double cachedValue = GradientCache.Backward(loss, 2, Rows, 4, (column, start, count) => cached.Encode(data[column].narrow(0, start, count)), classes);
        Assert.AreEqual(value.item<double>(), cachedValue, 1e-12);
        AssertEqual(whole, cached, 1e-12);
    }

    [TestMethod]
    public void DropoutIsTheSameInBothPasses()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var loss = new CoSentLoss();
        torch.Tensor[] data = [Data(1), Data(2)];
        torch.Tensor labels = torch.arange(Rows, dtype: torch.ScalarType.Float64);
        using var cached = new Network(0.5);
        torch.manual_seed(11);
        double cachedValue = GradientCache.Backward(loss, 2, Rows, 4, (column, start, count) => cached.Encode(data[column].narrow(0, start, count)), labels);
        using var chunked = new Network(0.5);
        torch.manual_seed(11);
        torch.Tensor[] vectors = [.. data.Select(column => torch.cat([chunked.Encode(column.narrow(0, 0, 4)), chunked.Encode(column.narrow(0, 4, 4)), chunked.Encode(column.narrow(0, 8, 2))], 0))];
        torch.Tensor value = loss.Forward(vectors, labels);
        value.backward();
        Assert.AreEqual(value.item<double>(), cachedValue, 1e-12);
        AssertEqual(chunked, cached, 1e-12);
    }

    [TestMethod]
    public void WhatTheLossItselfLearnsGetsItsGradient()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.Tensor[] data = [Data(1), Data(2)];
        torch.Tensor labels = torch.arange(Rows, dtype: torch.ScalarType.Int64).remainder(3);
        using var network = new Network(0);
        using var expected = new SoftmaxLoss(4, 3);
        expected.Forward([.. data.Select(network.Encode)], labels).backward();
        using var actual = new SoftmaxLoss(4, 3);
        GradientCache.Backward(actual, 2, Rows, 4, (column, start, count) => network.Encode(data[column].narrow(0, start, count)), labels);
        Assert.IsTrue(torch.allclose(expected.Parameters[0].Value.grad!, actual.Parameters[0].Value.grad!, 1e-6, 1e-7));
    }

    [TestMethod]
    public void ALossWithNothingToLearnFromLeavesZeroGradients()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var loss = new CoSentLoss();
        using var network = new Network(0);
        double value = GradientCache.Backward(loss, 2, Rows, 4, (column, start, count) => network.Encode(Data(column).narrow(0, start, count)), torch.ones(Rows, dtype: torch.ScalarType.Float64));
        Assert.AreEqual(0, value);
        Assert.AreEqual(0, network.Weight.grad!.abs().max().item<double>());
    }

    [TestMethod]
    public void AnEncoderThatChangesItsMindIsRefused()
    {
        using var loss = new MultipleNegativesRankingLoss();
        using var network = new Network(0);
        int calls = 0;
        InvalidOperationException error = Assert.ThrowsExactly<InvalidOperationException>(() =>
            GradientCache.Backward(loss, 2, Rows, 5, (column, start, count) => network.Encode(Data(column).narrow(0, start, count)) * ++calls));
        StringAssert.Contains(error.Message, "rows 0 to 4");
    }

    private static void AssertEqual(Network expected, Network actual, double tolerance)
    {
        Assert.IsGreaterThan(1e-6, expected.Weight.grad!.abs().max().item<double>());
        double difference = (expected.Weight.grad! - actual.Weight.grad!).abs().max().item<double>();
        Assert.IsLessThanOrEqualTo(tolerance, difference);
    }

    private static torch.Tensor Data(int seed)
    {
        var random = new Random(seed);
        return torch.tensor(Enumerable.Range(0, Rows * Inputs).Select(_ => random.NextDouble() - 0.5).ToArray(), [Rows, Inputs]);
    }

    private sealed class Network : IDisposable
    {
        private readonly double _dropout;

        public Network(double dropout)
        {
            _dropout = dropout;
            var random = new Random(9);
            Weight = torch.tensor(Enumerable.Range(0, 4 * Inputs).Select(_ => random.NextDouble() - 0.5).ToArray(), [4, Inputs]).requires_grad_();
        }

        public torch.Tensor Weight { get; }

        public torch.Tensor Encode(torch.Tensor rows) => functional.linear(functional.dropout(rows, _dropout, training: true), Weight).tanh();

        public void Dispose() => Weight.Dispose();
    }
}
