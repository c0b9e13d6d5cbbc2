using System.Text;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>The <c>README.md</c> of an exported folder: what hubs ask for, and what is known of the model's making.</summary>
internal static class ExportedCard
{
    private const int LongestLine = 500;

    /// <summary>Text of the card.</summary>
    public static string Of(IReadOnlyDictionary<string, string> provenance)
    {
        var card = new StringBuilder("---\n");
        if (provenance.TryGetValue(ModelProvenance.License, out string? license) && IsPlain(license))
        {
            card.Append("license: ").Append(license).Append('\n');
        }
        card.Append("library_name: sentence-transformers\npipeline_tag: sentence-similarity\n---\n");
        card.Append("# ").Append(OneLine(provenance.GetValueOrDefault(ModelProvenance.Name, "A BLOOM for sentences"))).Append("\n\n");
        card.Append("Written by LACoS for ML.NET.\n");
        foreach ((string key, string value) in provenance.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (key is not (ModelProvenance.Name or ModelProvenance.Scores))
            {
                card.Append("\n* ").Append(OneLine(key)).Append(": ").Append(OneLine(value));
            }
        }
        return card.Append('\n').ToString();
    }

    // What is put into YAML as it is.
    private static bool IsPlain(string text) => text.Length is > 0 and <= 200 && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '+');

    private static string OneLine(string text) => TextInMessage.Of(text, LongestLine);
}
