using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Training.Bloom;

namespace Microsoft.ML.Lacos.Training.Tests.Bloom;

/// <summary>Adapters as after some training: B of zeros, as a fresh adapter has it, would hide A's gradient.</summary>
internal static class TrainedAdapters
{
    /// <summary>Fills B of every adapter with random values, the same for every model of one shape.</summary>
    /// <returns>The model.</returns>
    public static LoraBloom WithTrainedAdapters(this LoraBloom model)
    {
        PeftAdapter adapter = model.ToAdapter();
        var random = new Random(8);
        foreach (LoraMatrices matrices in adapter.Modules.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value))
        {
            for (int i = 0; i < matrices.B.Length; i++)
            {
                matrices.B[i] = (float)(random.NextDouble() - 0.5) / 4;
            }
        }
        model.Load(adapter);
        return model;
    }
}
