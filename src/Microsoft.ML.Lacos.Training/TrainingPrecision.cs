namespace Microsoft.ML.Lacos;

/// <summary>Type of the products that torch computes over 8-bit weights.</summary>
public enum TrainingPrecision
{
    /// <summary>32-bit floats.</summary>
    Float32 = 0,

    /// <summary>bfloat16, on GPUs that are fast at it: weights, inputs and output gradients are rounded to 8 bits of precision for each product; everything else stays in fp32.</summary>
    BFloat16 = 1,
}
