namespace Lacos.Cli.Input;

/// <summary>A row of training or validation data, as ML.NET reads it.</summary>
internal sealed class TrainingPair
{
    public string Sentence1 { get; set; } = "";

    public string Sentence2 { get; set; } = "";

    public string Negative { get; set; } = "";

    /// <summary>The value that balances, or the name of the set.</summary>
    public string Group { get; set; } = "";

    public float Label { get; set; }
}
