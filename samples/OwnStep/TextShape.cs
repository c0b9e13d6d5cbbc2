using System.Text;

namespace OwnStep;

/// <summary>How a text is written, whatever it says: what sentence vectors hardly tell.</summary>
internal static class TextShape
{
    /// <summary>What each number is.</summary>
    public static readonly string[] Names = ["Capitals", "Digits", "Punctuation", "Repeats", "Length"];

    /// <summary>Measures a text.</summary>
    /// <param name="text">The text; an empty one gives zeros.</param>
    /// <param name="shape">Receives a number for each of <see cref="Names"/>: the share of capitals among its letters; of digits, of punctuation and of signs that repeat the one before among its signs; the natural logarithm of 1 + its signs.</param>
    public static void Measure(ReadOnlySpan<char> text, Span<float> shape)
    {
        int letters = 0, capitals = 0, digits = 0, punctuation = 0, repeats = 0, signs = 0;
        Rune last = default;
        foreach (Rune sign in text.EnumerateRunes())
        {
            letters += Rune.IsLetter(sign) ? 1 : 0;
            capitals += Rune.IsUpper(sign) ? 1 : 0;
            digits += Rune.IsDigit(sign) ? 1 : 0;
            punctuation += Rune.IsPunctuation(sign) ? 1 : 0;
            repeats += signs > 0 && sign == last ? 1 : 0;
            signs++;
            last = sign;
        }
        float all = Math.Max(1, signs);
        shape[0] = capitals / (float)Math.Max(1, letters);
        shape[1] = digits / all;
        shape[2] = punctuation / all;
        shape[3] = repeats / all;
        shape[4] = MathF.Log(1 + signs);
    }
}
