using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Tests.Bloom;
using Microsoft.ML.Lacos.Training.Bloom;
using Microsoft.ML.Lacos.Training.Losses;
using Microsoft.ML.Lacos.Training.Optimizers;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Bloom;

/// <summary>Not parallel: torch counts the tensors of the whole process.</summary>
[TestClass]
[DoNotParallelize]
public sealed class StepMemoryTests
{
    [TestMethod]
    [DataRow(QuantizationScheme.None)]
    [DataRow(QuantizationScheme.Rowwise)]
    public void AStepLeavesNoTensorBehind(QuantizationScheme scheme)
    {
        using var bloom = new RandomBloom(RandomBloom.Small, scheme);
        using var model = new LoraBloom(bloom.Weights, new LoraConfig { Rank = 4, Dropout = 0.1, TargetPattern = LoraConfig.AllLinear });
        using var loss = new MultipleNegativesRankingLoss();
        var optimizer = new Adam8bit(model.Parameters);
        Step(model, loss, optimizer, 0);
        long before = torch.Tensor.TotalCount;
        for (int step = 1; step < 5; step++)
        {
            Step(model, loss, optimizer, step);
        }
        Assert.AreEqual(before, torch.Tensor.TotalCount);
    }

    private static void Step(LoraBloom model, MultipleNegativesRankingLoss loss, Adam8bit optimizer, int step)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var pooling = new PoolingOptions(PoolingModes.Mean);
        torch.Tensor first = model.Encode(TestRows.Of(model.Config, [[1, 2, 3], [4, 5]]), pooling, new DropoutKey(1, step));
        torch.Tensor second = model.Encode(TestRows.Of(model.Config, [[6, 7], [8]]), pooling, new DropoutKey(1, step));
        loss.Forward([first, second]).backward();
        model.Failure.ThrowIfAny();
        optimizer.Step();
        optimizer.ZeroGradients();
    }
}
