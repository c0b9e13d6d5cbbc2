using Microsoft.ML.Lacos.Bloom;

namespace Microsoft.ML.Lacos.Benchmarks;

/// <summary>A model whose speed is measured on random weights.</summary>
/// <param name="Name">As the tables call it.</param>
/// <param name="Config">Sizes; the vocabulary is cut where that costs no time, to save memory.</param>
internal sealed record Shape(string Name, BloomConfig Config)
{
    /// <summary>The embedded model.</summary>
    public static readonly Shape Mini = new("bloom-mini", new BloomConfig(384, 6, 6, 30080));

    public static readonly Shape Bloom560m = new("bloom-560m", new BloomConfig(1024, 24, 16, 2048));

    /// <summary>One block of thirty: what one costs, all cost.</summary>
    public static readonly Shape Block7b1 = new("bloom-7b1-block", new BloomConfig(4096, 1, 32, 2048));

    /// <summary>For a run that checks the program.</summary>
    public static readonly Shape Tiny = new("tiny", new BloomConfig(64, 2, 2, 512));

    /// <summary>Shapes that people can ask for.</summary>
    public static IReadOnlyList<Shape> All { get; } = [Mini, Bloom560m, Block7b1, Tiny];

    /// <summary>Inputs and outputs of the linear layers of a block.</summary>
    public IReadOnlyList<(int K, int N)> Layers { get; } =
        [(Config.HiddenSize, 3 * Config.HiddenSize), (Config.HiddenSize, Config.HiddenSize), (Config.HiddenSize, 4 * Config.HiddenSize), (4 * Config.HiddenSize, Config.HiddenSize)];
}
