using Microsoft.ML.Lacos.Native;
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

    /// <summary>Elements a block of the block-wise schemes, at least 1; the default, 4096, is the reference's.</summary>
    public int BlockSize { get; init; } = LacosModel.DefaultBlockSize;

    /// <summary>Scheme of the embedding table; <see langword="null"/> (default) for row-wise where <see cref="Scheme"/> quantises at all. A file that is quantised already keeps its own.</summary>
    public QuantizationScheme? EmbeddingScheme { get; init; }

    /// <summary>Folder of a PEFT adapter to merge into the weights; <see langword="null"/> (default) for none.</summary>
    public string? Adapter { get; init; }

    /// <summary>How the linear layers of a checkpoint folder are packed in memory; <see langword="null"/> for rows. A file that is written of them has rows all the same.</summary>
    internal WeightPanels? Panels { get; init; }

    /// <summary>Told of what is read of a checkpoint folder, and ends the reading; <see langword="null"/> for nobody.</summary>
    internal WeightProgress? Progress { get; init; }

    /// <exception cref="ArgumentException">An option has a value that no model can be loaded with.</exception>
    internal void Validate()
    {
        RequireScheme(nameof(Scheme), Scheme);
        RequireScheme(nameof(EmbeddingScheme), EmbeddingScheme);
        if (BlockSize <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(BlockSize), BlockSize, $"BlockSize is {BlockSize}; it must be at least 1, and {LacosModel.DefaultBlockSize} is the default.");
        }
        if (Adapter is not null && string.IsNullOrWhiteSpace(Adapter))
        {
            throw new ArgumentException($"Adapter is '{Adapter}'. Give a PEFT folder; null takes none.", nameof(Adapter));
        }
    }

    private static void RequireScheme(string name, QuantizationScheme? scheme)
    {
        if (scheme is QuantizationScheme given && !Enum.IsDefined(given))
        {
            throw new ArgumentOutOfRangeException(name, scheme, $"{name} is {(int)given}; it must be one of {string.Join(", ", Enum.GetNames<QuantizationScheme>())}, or null for the file's own.");
        }
    }
}
