namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>Makes any UTF-16 text encodable: a surrogate without its partner becomes U+FFFD.</summary>
internal static class UnpairedSurrogates
{
    private const char Replacement = '\uFFFD';

    /// <summary>The text itself where it is valid, else a copy with every unpaired surrogate replaced.</summary>
    public static ReadOnlySpan<char> Replace(ReadOnlySpan<char> text)
    {
        int at = NextUnpaired(text, 0);
        if (at < 0)
        {
            return text;
        }
        char[] copy = text.ToArray();
        for (; at >= 0; at = NextUnpaired(text, at + 1))
        {
            copy[at] = Replacement;
        }
        return copy;
    }

    private static int NextUnpaired(ReadOnlySpan<char> text, int from)
    {
        while (from < text.Length)
        {
            int skipped = text[from..].IndexOfAnyInRange('\uD800', '\uDFFF');
            if (skipped < 0)
            {
                return -1;
            }
            from += skipped;
            if (from + 1 >= text.Length || !char.IsSurrogatePair(text[from], text[from + 1]))
            {
                return from;
            }
            from += 2;
        }
        return -1;
    }
}
