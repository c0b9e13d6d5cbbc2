using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Training.Optimizers;

/// <summary>One array of an optimiser's state, as a checkpoint stores it.</summary>
/// <param name="Name">Unique within the state, for example <c>h.0.query_key_value.lora_A.moment1.codes</c>.</param>
/// <param name="Values"><c>byte[]</c>, <c>float[]</c> or <c>long[]</c>; the optimiser's own memory, not a copy.</param>
public readonly record struct OptimizerArray(string Name, Array Values)
{
    /// <inheritdoc/>
    public override string ToString() => RecordText.Of(this);
}
