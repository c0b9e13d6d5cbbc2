namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>A token that is found in the text before it is split into pieces, such as <c>&lt;/s&gt;</c>.</summary>
/// <param name="Content">Its spelling.</param>
/// <param name="Id">Its id.</param>
/// <param name="Special">Whether decoding may leave it out.</param>
/// <param name="Normalized">Whether it is looked for in the normalised text (else in the text as given).</param>
/// <param name="SingleWord">Whether it counts only where no word character touches it.</param>
/// <param name="LeftStrip">Whether it swallows white space before it.</param>
/// <param name="RightStrip">Whether it swallows white space after it.</param>
internal sealed record AddedToken(string Content, int Id, bool Special, bool Normalized, bool SingleWord, bool LeftStrip, bool RightStrip);
