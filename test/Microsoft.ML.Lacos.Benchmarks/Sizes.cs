using Microsoft.ML.Lacos.Bloom;

namespace Microsoft.ML.Lacos.Benchmarks;

/// <summary>How much is measured, and for how long.</summary>
internal sealed record Sizes
{
    /// <summary>For the numbers of the documentation.</summary>
    public static readonly Sizes Full = new();

    /// <summary>Fewer shapes and turns.</summary>
    public static readonly Sizes Quick = new()
    {
        Seconds = 0.5,
        KernelSeconds = 0.1,
        AllKernelShapes = false,
        Encoders = [("bloom-mini", EncoderTable.BloomMini)],
        Training = ("bloom-mini", EncoderTable.BloomMini),
        PipelineTurns = 5,
        PipelineRows = 512,
        LatencySeconds = 1,
        StartUpTurns = 5,
    };

    /// <summary>Everything once, on almost nothing: shows that the program works, and no speed.</summary>
    public static readonly Sizes Smoke = new()
    {
        Seconds = 0,
        KernelSeconds = 0,
        AllKernelShapes = false,
        Encoders = [("tiny", Tiny)],
        Training = ("tiny", Tiny),
        TrainingSteps = 1,
        PipelineTurns = 1,
        PipelineRows = 32,
        LatencySeconds = 0.02,
        StartUpTurns = 1,
    };

    private static BloomConfig Tiny => new(64, 2, 2, 512);

    public double Seconds { get; private init; } = 5;

    public double KernelSeconds { get; private init; } = 0.5;

    public bool AllKernelShapes { get; private init; } = true;

    public IReadOnlyList<(string Name, BloomConfig Config)> Encoders { get; private init; } = [("bloom-mini", EncoderTable.BloomMini), ("bloom-560m", EncoderTable.Bloom560m)];

    public (string Name, BloomConfig Config) Training { get; private init; } = ("bloom-560m", EncoderTable.Bloom560m with { VocabularySize = 250880 });

    public int TrainingSteps { get; private init; } = 3;

    public int PipelineTurns { get; private init; } = 15;

    public int PipelineRows { get; private init; } = 2048;

    public IReadOnlyList<int> Callers { get; } = [1, 2, 8, 32];

    public double LatencySeconds { get; private init; } = 5;

    public int StartUpTurns { get; private init; } = 15;
}
