namespace Lacos.Cli.Input;

/// <summary>A text and its class, as ML.NET reads it.</summary>
internal sealed class LabelledText
{
    public string Text { get; set; } = "";

    public string Label { get; set; } = "";
}
