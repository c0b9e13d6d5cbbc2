using Microsoft.ML.Lacos.Bloom;

namespace Study;

/// <summary>A question, and the cells that answer it; cells that two questions share are made once.</summary>
internal sealed record Question(string Name, IReadOnlyList<Cell> Cells)
{
    /// <summary>The four questions, those that cost least first.</summary>
    public static Question[] Of(Settings settings)
    {
        Cell middle = new(settings.Models[settings.Models.Length / 2], BloomCompute.Int8, settings.Pairs, settings.Rank);
        Cell smallest = middle with { Model = settings.Models[0] };
        return
        [
            new("pairs", [.. settings.PairCounts.Select(pairs => smallest with { Pairs = pairs })]),
            new("size", [.. settings.Models.Select(model => smallest with { Model = model })]),
            new("base", [middle, middle with { Base = BloomCompute.Float32 }]),
            new("rank", [.. settings.Ranks.Select(rank => smallest with { Rank = rank })]),
        ];
    }
}
