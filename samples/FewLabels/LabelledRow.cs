namespace FewLabels;

/// <summary>A text with its class.</summary>
internal sealed class LabelledRow
{
    public string Text { get; set; } = "";

    public string Label { get; set; } = "";

    public string Language { get; set; } = "";

    /// <summary>What the text says: rows that say the same, in any language, share it and never stand on both sides of a split.</summary>
    public int Utterance { get; set; }
}
