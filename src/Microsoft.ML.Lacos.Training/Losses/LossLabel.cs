namespace Microsoft.ML.Lacos.Training.Losses;

/// <summary>What a loss learns from, beside the sentences themselves.</summary>
public enum LossLabel
{
    /// <summary>Nothing: which sentences belong together says it all.</summary>
    None = 0,

    /// <summary>How similar the two sentences are; a larger number means more similar. Float tensor [rows].</summary>
    Similarity = 1,

    /// <summary>A class from 0. Int64 tensor [rows].</summary>
    Class = 2,

    /// <summary>1 where the two sentences belong together, 0 where not. Float tensor [rows].</summary>
    Match = 3,

    /// <summary>The vector that a teacher gives the sentence. Float tensor [rows, dimension].</summary>
    Vector = 4,
}
