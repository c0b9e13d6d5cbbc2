namespace Lacos.Cli.Terminal;

/// <summary>Makes a message fit to be shown: it may quote a name out of somebody's file, and a terminal obeys control characters.</summary>
internal static class PrintableText
{
    private const int LongestMessage = 16_384;

    /// <summary>The message with spaces for control characters other than line breaks and tabs, and cut where it is longer than anybody reads.</summary>
    public static string Of(string message)
    {
        string text = (message.Length <= LongestMessage ? message : string.Concat(message.AsSpan(0, LongestMessage), "…")).ReplaceLineEndings("\n");
        return text.Any(IsObeyed) ? string.Concat(text.Select(letter => IsObeyed(letter) ? ' ' : letter)) : text;
    }

    private static bool IsObeyed(char letter) => char.IsControl(letter) && letter is not ('\n' or '\t');
}
