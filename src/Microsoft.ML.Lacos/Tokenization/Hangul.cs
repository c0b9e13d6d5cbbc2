namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>The arithmetic by which Hangul syllables decompose and compose (Unicode Standard, section 3.12).</summary>
internal static class Hangul
{
    public const int FirstVowel = 0x1161;
    public const int Vowels = 21;

    /// <summary>One before the first trailing consonant: a syllable without one has index 0.</summary>
    public const int BeforeTrailing = 0x11A7;
    public const int Trailings = 28;

    private const int FirstSyllable = 0xAC00;
    private const int FirstLeading = 0x1100;
    private const int Leadings = 19;
    private const int Syllables = Leadings * Vowels * Trailings;

    public static bool TryDecompose(int point, List<int> points)
    {
        int index = point - FirstSyllable;
        if (index is < 0 or >= Syllables)
        {
            return false;
        }
        points.Add(FirstLeading + (index / (Vowels * Trailings)));
        points.Add(FirstVowel + (index / Trailings % Vowels));
        if (index % Trailings != 0)
        {
            points.Add(BeforeTrailing + (index % Trailings));
        }
        return true;
    }

    public static bool TryCompose(int first, int second, out int composed)
    {
        int leading = first - FirstLeading;
        int vowel = second - FirstVowel;
        if (leading is >= 0 and < Leadings && vowel is >= 0 and < Vowels)
        {
            composed = FirstSyllable + (((leading * Vowels) + vowel) * Trailings);
            return true;
        }
        int syllable = first - FirstSyllable;
        int trailing = second - BeforeTrailing;
        composed = first + trailing;
        return syllable is >= 0 and < Syllables && syllable % Trailings == 0 && trailing is > 0 and < Trailings;
    }
}
