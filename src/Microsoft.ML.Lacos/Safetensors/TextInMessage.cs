using System.Globalization;
using System.Text;

namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>Text of a file as a message shows it: short, and without characters that a terminal would obey.</summary>
internal static class TextInMessage
{
    private const int Longest = 120;

    /// <summary>The text with control and formatting characters replaced, and its middle left out where it is long.</summary>
    /// <param name="text">The text.</param>
    /// <param name="longest">Characters to show.</param>
    public static string Of(string text, int longest = Longest)
    {
        var shown = new StringBuilder(Math.Min(text.Length, longest) + 1);
        if (text.Length <= longest)
        {
            return Append(shown, text).ToString();
        }
        // The end of a tensor's name says more than its middle.
        int end = longest / 3;
        Append(shown, text.AsSpan(0, longest - end)).Append('…');
        return Append(shown, text.AsSpan(text.Length - end)).ToString();
    }

    private static StringBuilder Append(StringBuilder shown, ReadOnlySpan<char> text)
    {
        foreach (char letter in text)
        {
            shown.Append(char.IsControl(letter) || char.GetUnicodeCategory(letter) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator ? '\uFFFD' : letter);
        }
        return shown;
    }
}
