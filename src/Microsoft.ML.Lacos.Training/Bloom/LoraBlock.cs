using Microsoft.ML.Lacos.Bloom;
using TorchSharp;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Lacos.Training.Bloom;

/// <summary>One BLOOM block: attention and feed-forward part, each behind a layer norm and added to its input.</summary>
internal sealed class LoraBlock(BloomConfig config, FrozenNorm inputNorm, LoraLinear queryKeyValue, LoraLinear dense, FrozenNorm postAttentionNorm, LoraLinear hTo4H, LoraLinear fourHToH) : IDisposable
{
    /// <summary>The linear layers in the order in which they run.</summary>
    public IReadOnlyList<LoraLinear> Linears { get; } = [queryKeyValue, dense, hTo4H, fourHToH];

    /// <summary>Runs the block.</summary>
    /// <param name="x">[tokens, hidden].</param>
    /// <param name="rows">The batch.</param>
    /// <param name="attention">Attention of the batch.</param>
    /// <param name="dropout">Run and step; null for no dropout.</param>
    public torch.Tensor Forward(torch.Tensor x, TokenRows rows, TrainableAttention attention, DropoutKey? dropout)
    {
        // What the way back needs is held by the graph; everything else goes at the end of the block and not of the step.
        using DisposeScope scope = torch.NewDisposeScope();
        torch.Tensor normed = inputNorm.Forward(x);
        torch.Tensor mixed = dense.Forward(attention.Forward(queryKeyValue.Forward(normed, rows, dropout)), rows, dropout);
        torch.Tensor middle = mixed.Plus(config.ResidualPostLayerNorm ? normed : x);
        normed = postAttentionNorm.Forward(middle);
        torch.Tensor inner = functional.gelu(hTo4H.Forward(normed, rows, dropout), TorchSharp.Modules.GELU.Approximate.tanh);
        return fourHToH.Forward(inner, rows, dropout).Plus(config.ResidualPostLayerNorm ? normed : middle).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        inputNorm.Dispose();
        postAttentionNorm.Dispose();
        foreach (LoraLinear linear in Linears)
        {
            linear.Dispose();
        }
    }
}

/// <summary>A layer norm of the base model; it never changes.</summary>
internal sealed class FrozenNorm(LayerNormWeights weights, float epsilon, torch.Device? device = null) : IDisposable
{
    private readonly torch.Tensor _weight = DeviceTensors.Of(weights.Weight, [weights.Weight.Length], device);
    private readonly torch.Tensor _bias = DeviceTensors.Of(weights.Bias, [weights.Bias.Length], device);

    /// <summary>Normalises each token: [tokens, hidden].</summary>
    public torch.Tensor Forward(torch.Tensor x) => functional.layer_norm(x, [_weight.NumberOfElements], _weight, _bias, epsilon);

    public void Dispose()
    {
        _weight.Dispose();
        _bias.Dispose();
    }
}
