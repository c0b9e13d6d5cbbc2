using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>How <see cref="LacosModel.Load(string, LacosModelLoadOptions)"/> stores the weights it reads.</summary>
public sealed record LacosModelLoadOptions
{
    /// <summary>
    /// Scheme of the linear layers. <see langword="null"/> (default) keeps what the file holds: a <c>.lacos</c> file's own scheme; a checkpoint folder
    /// is quantised row by row, the scheme that is executed in int8. <see cref="QuantizationScheme.None"/> keeps a checkpoint in 32-bit floats.
    /// A model that is quantised already cannot be given another scheme.
    /// </summary>
    public QuantizationScheme? Scheme { get; init; }

    /// <summary>Elements a block of the block-wise schemes; the default is the reference's.</summary>
    public int BlockSize { get; init; } = LacosModel.DefaultBlockSize;

    /// <summary>Scheme of the embedding table; <see langword="null"/> (default) for row-wise where <see cref="Scheme"/> quantises at all.</summary>
    public QuantizationScheme? EmbeddingScheme { get; init; }

    /// <summary>Folder of a PEFT adapter to merge into the weights; <see langword="null"/> (default) for none.</summary>
    public string? Adapter { get; init; }
}
