using Microsoft.ML.Lacos.Bloom;

namespace Study;

/// <summary>One fine-tuning, or a model as it is where the rank is 0.</summary>
internal sealed record Cell(string Model, BloomCompute Base, int Pairs, int Rank)
{
    /// <summary>Number of pairs that stands for every pair there is.</summary>
    public const int All = int.MaxValue;

    public Cell Untuned => this with { Pairs = 0, Rank = 0 };

    public string PairsName => Pairs == All ? "all" : Pairs == 0 ? "none" : $"{Pairs}";
}
