using System.Text.Json.Nodes;

namespace Lacos.Cli.Models;

/// <summary>What decides a vector's value, besides the text, and who made it.</summary>
/// <param name="Name">Name of the model.</param>
/// <param name="Fingerprint">sha256 of the model as a <c>.lacos</c> file; computed over all the weights when asked for.</param>
/// <param name="Dimension">Elements of a vector.</param>
/// <param name="Pooling">Pooling modes.</param>
/// <param name="Normalized">Whether vectors have norm 1.</param>
/// <param name="Prompt">Text put before every sentence; empty for none.</param>
/// <param name="MaximumTokenCount">Token limit of a text.</param>
/// <param name="LongText">What was done with longer ones.</param>
/// <param name="Compute">Arithmetic.</param>
/// <param name="Engine">What ran.</param>
internal sealed record ModelFacts(
    string Name, Lazy<string> Fingerprint, int Dimension, string Pooling, bool Normalized, string Prompt, int MaximumTokenCount, string LongText, string Compute, string Engine)
{
    /// <summary>The facts as JSON, under the names used in every file the tool writes.</summary>
    public JsonObject ToJson() => new()
    {
        ["model"] = Name,
        ["fingerprint"] = Fingerprint.Value,
        ["pooling"] = Pooling,
        ["normalized"] = Normalized,
        ["prompt"] = Prompt,
        ["maximum_token_count"] = MaximumTokenCount,
        ["long_text"] = LongText,
        ["compute"] = Compute,
        ["engine"] = Engine,
    };
}
