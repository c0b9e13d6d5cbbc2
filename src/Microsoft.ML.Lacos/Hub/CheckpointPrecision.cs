namespace Microsoft.ML.Lacos.Hub;

/// <summary>Element type of the weights that <see cref="LacosModel.SaveFolder"/> writes.</summary>
public enum CheckpointPrecision
{
    /// <summary>32-bit floats: the weights as they are computed with.</summary>
    Float32 = 0,

    /// <summary>16-bit floats, rounded to nearest even; half the size. A weight beyond 65,504 is refused.</summary>
    Float16 = 1,
}
