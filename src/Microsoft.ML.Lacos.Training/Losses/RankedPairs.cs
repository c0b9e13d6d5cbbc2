using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Losses;

/// <summary>The ranking objective that CoSENT and AnglE share.</summary>
internal static class RankedPairs
{
    /// <summary><c>log(1 + sum of exp(s_i - s_j))</c> over all i, j with <c>label_i &lt; label_j</c>: every such pair whose scores stand the wrong way round costs.</summary>
    /// <param name="scores">Scaled similarities, [rows].</param>
    /// <param name="labels">[rows].</param>
    public static torch.Tensor Loss(torch.Tensor scores, torch.Tensor labels)
    {
        using torch.Tensor wrongIfAbove = labels.unsqueeze(1).less(labels.unsqueeze(0));
        torch.Tensor differences = (scores.unsqueeze(1) - scores.unsqueeze(0)).masked_select(wrongIfAbove);
        return torch.cat([torch.zeros(1, dtype: scores.dtype, device: scores.device), differences], 0).logsumexp(0);
    }
}
