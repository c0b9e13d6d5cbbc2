using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Tests.Bloom;
using Microsoft.ML.Lacos.Training.Bloom;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Bloom;

[TestClass]
public sealed class LoraLinearTests
{
    [TestMethod]
    [DataRow(8.0, false, 2.0)]
    [DataRow(8.0, true, 4.0)]
    [DataRow(4.0, false, 1.0)]
    public void TheUpdateIsScaledByAlphaOverTheRankOrOverItsRoot(double alpha, bool rankStabilized, double scale)
    {
        using var bloom = new RandomBloom(RandomBloom.Small);
        LinearWeights weights = bloom.Weights.Blocks[0].QueryKeyValue;
        var config = new LoraConfig { Rank = 4, Alpha = alpha, RankStabilized = rankStabilized };
        using var layer = new LoraLinear(new SinglePrecisionLinear(weights), "h.0.self_attention.query_key_value", 0, config, new Random(1));
        using DisposeScope scope = torch.NewDisposeScope();
        using IDisposable noGradient = torch.no_grad();
        torch.Tensor x = torch.randn([3, layer.A!.shape[1]], generator: new torch.Generator(1));
        TokenRows rows = TestRows.Of(RandomBloom.Small, [[1, 2, 3]]);
        torch.Tensor before = layer.Forward(x, rows, null);
        DeviceTensors.Write(layer.B!, [.. Enumerable.Range(0, (int)layer.B!.NumberOfElements).Select(i => MathF.Cos(i))]);
        torch.Tensor expected = before + (x.matmul(layer.A!.t()).matmul(layer.B!.t()) * scale);
        Assert.IsLessThan(1e-5f * expected.abs().max().item<float>(), (layer.Forward(x, rows, null) - expected).abs().max().item<float>());
    }
}
