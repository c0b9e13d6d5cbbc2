using Microsoft.ML.Lacos.Benchmarks.Kernels;
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
        Kernels = new KernelTime(0.1, 5, 128L << 20),
        Shapes = [Shape.Mini],
        Layers = [.. Shape.Bloom560m.Layers.Take(2)],
        Training = Shape.Mini,
        PipelineTurns = 5,
        PipelineRows = 512,
        DotNetTurns = 3,
        LatencySeconds = 1,
        StartUpTurns = 5,
    };

    /// <summary>Everything once, on almost nothing: shows that the program works, and no speed.</summary>
    public static readonly Sizes Smoke = new()
    {
        Seconds = 0,
        Kernels = new KernelTime(0, 1, 0),
        Shapes = [Shape.Tiny],
        Layers = [.. Shape.Bloom560m.Layers.Take(2)],
        Training = Shape.Tiny,
        Memory = Shape.Tiny.Config,
        TrainingSteps = 1,
        PipelineTurns = 1,
        PipelineRows = 32,
        DotNetTurns = 1,
        DotNetRows = 32,
        LatencySeconds = 0.02,
        StartUpTurns = 1,
    };

    public double Seconds { get; private init; } = 5;

    public KernelTime Kernels { get; private init; } = new(0.5, 25, 512L << 20);

    /// <summary>Whole encoders.</summary>
    public IReadOnlyList<Shape> Shapes { get; private init; } = [Shape.Mini, Shape.Bloom560m, Shape.Block7b1];

    /// <summary>Inputs and outputs of linear layers.</summary>
    public IReadOnlyList<(int K, int N)> Layers { get; private init; } = [.. Shape.Bloom560m.Layers, .. Shape.Block7b1.Layers];

    public Shape Training { get; private init; } = Shape.Bloom560m with { Config = Shape.Bloom560m.Config with { VocabularySize = 250880 } };

    public int TrainingSteps { get; private init; } = 3;

    /// <summary>The larger model whose memory is counted; with the default model's tokenizer.</summary>
    public BloomConfig Memory { get; private init; } = Shape.Bloom560m.Config;

    public int PipelineTurns { get; private init; } = 15;

    public int PipelineRows { get; private init; } = 2048;

    public int DotNetTurns { get; private init; } = 11;

    public int DotNetRows { get; private init; } = 512;

    public IReadOnlyList<int> Callers { get; } = [1, 2, 8, 32];

    public double LatencySeconds { get; private init; } = 5;

    public int StartUpTurns { get; private init; } = 15;

    /// <summary>One shape only.</summary>
    public Sizes Of(Shape shape) => this with { Shapes = [shape], Layers = shape.Layers };
}
