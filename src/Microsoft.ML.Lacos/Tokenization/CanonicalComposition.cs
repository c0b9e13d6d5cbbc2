using System.Collections;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>Unicode normalisation form C.</summary>
/// <remarks>
/// Own, because <see cref="string.Normalize()"/> silently returns its input where a process runs with invariant globalisation, as containers and this project's own tool do.
/// Linear in the text, up to the sorting of marks within one run.
/// </remarks>
internal static class CanonicalComposition
{
    private const int CodePoints = 0x110000;
    private const int EndOfClasses = 0x20000;
    private const char FirstOfInterest = '\u0300';
    private static readonly byte[] Classes = new byte[EndOfClasses];
    private static readonly Dictionary<int, (int First, int Second)> Decompositions = [];
    private static readonly Dictionary<(int First, int Second), int> Compositions = [];

    // Code points that may not stay as they are or may join what is before them; the others are boundaries behind which nothing looks back.
    private static readonly BitArray Unsettled = new(CodePoints);

    static CanonicalComposition()
    {
        ReadClasses();
        ReadDecompositions();
        for (int jamo = Hangul.FirstVowel; jamo < Hangul.FirstVowel + Hangul.Vowels; jamo++)
        {
            Unsettled[jamo] = true;
        }
        for (int jamo = Hangul.BeforeTrailing + 1; jamo < Hangul.BeforeTrailing + Hangul.Trailings; jamo++)
        {
            Unsettled[jamo] = true;
        }
    }

    /// <summary>The text in form C: itself where it already is (or seems to need no look), else a copy.</summary>
    /// <param name="text">Text without unpaired surrogates.</param>
    public static ReadOnlySpan<char> Normalize(ReadOnlySpan<char> text)
    {
        int unsettled = NextUnsettled(text, 0);
        if (unsettled < 0)
        {
            return text;
        }
        var result = new StringBuilder(text.Length);
        int copied = 0;
        while (unsettled >= 0)
        {
            int start = unsettled;
            if (start > copied)
            {
                start -= start - copied > 1 && char.IsLowSurrogate(text[start - 1]) ? 2 : 1;
            }
            int end = EndOfUnsettled(text, unsettled);
            result.Append(text[copied..start]);
            NormalizeRun(text[start..end], result);
            copied = end;
            unsettled = NextUnsettled(text, end);
        }
        result.Append(text[copied..]);
        return result.ToString();
    }

    private static int NextUnsettled(ReadOnlySpan<char> text, int from)
    {
        while (from < text.Length)
        {
            int skipped = text[from..].IndexOfAnyInRange(FirstOfInterest, char.MaxValue);
            if (skipped < 0)
            {
                return -1;
            }
            from += skipped;
            Rune.DecodeFromUtf16(text[from..], out Rune rune, out int units);
            if (Unsettled[rune.Value])
            {
                return from;
            }
            from += units;
        }
        return -1;
    }

    private static int EndOfUnsettled(ReadOnlySpan<char> text, int from)
    {
        while (from < text.Length)
        {
            Rune.DecodeFromUtf16(text[from..], out Rune rune, out int units);
            if (!Unsettled[rune.Value])
            {
                break;
            }
            from += units;
        }
        return from;
    }

    private static void NormalizeRun(ReadOnlySpan<char> run, StringBuilder result)
    {
        var points = new List<int>(run.Length * 2);
        foreach (Rune rune in run.EnumerateRunes())
        {
            Decompose(rune.Value, points);
        }
        Span<int> decomposed = CollectionsMarshal.AsSpan(points);
        SortMarks(decomposed);
        Span<char> units = stackalloc char[2];
        foreach (int point in decomposed[..Compose(decomposed)])
        {
            result.Append(units[..new Rune(point).EncodeToUtf16(units)]);
        }
    }

    private static void Decompose(int point, List<int> points)
    {
        if (Hangul.TryDecompose(point, points))
        {
            return;
        }
        if (!Decompositions.TryGetValue(point, out (int First, int Second) parts))
        {
            points.Add(point);
            return;
        }
        Decompose(parts.First, points);
        if (parts.Second != 0)
        {
            Decompose(parts.Second, points);
        }
    }

    private static void SortMarks(Span<int> points)
    {
        for (int start = 0; start < points.Length;)
        {
            int end = start + 1;
            if (ClassOf(points[start]) != 0)
            {
                while (end < points.Length && ClassOf(points[end]) != 0)
                {
                    end++;
                }
                SortByClass(points[start..end]);
            }
            start = end;
        }
    }

    private static void SortByClass(Span<int> marks)
    {
        if (marks.Length < 2)
        {
            return;
        }
        // Class above position: a stable order.
        var keys = new ulong[marks.Length];
        for (int at = 0; at < keys.Length; at++)
        {
            keys[at] = (ulong)ClassOf(marks[at]) << 32 | (uint)at;
        }
        Array.Sort(keys);
        int[] unsorted = marks.ToArray();
        for (int at = 0; at < keys.Length; at++)
        {
            marks[at] = unsorted[(int)(uint)keys[at]];
        }
    }

    private static int Compose(Span<int> points)
    {
        int written = 0;
        int starter = -1;
        int lastClass = -1;
        foreach (int point in points)
        {
            int combiningClass = ClassOf(point);
            // A mark is blocked by one of its own class or above, or by another starter, between it and the starter.
            if (starter >= 0 && lastClass < combiningClass && TryCompose(points[starter], point, out int composed))
            {
                points[starter] = composed;
                continue;
            }
            if (combiningClass == 0)
            {
                starter = written;
                lastClass = -1;
            }
            else
            {
                lastClass = combiningClass;
            }
            points[written++] = point;
        }
        return written;
    }

    private static bool TryCompose(int first, int second, out int composed) =>
        Hangul.TryCompose(first, second, out composed) || Compositions.TryGetValue((first, second), out composed);

    private static int ClassOf(int point) => point < EndOfClasses ? Classes[point] : 0;

    private static void ReadClasses()
    {
        foreach (string entry in CanonicalCompositionTable.CombiningClasses.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            string[] sides = entry.Split('=');
            string[] range = sides[0].Split('-');
            byte combiningClass = byte.Parse(sides[1], CultureInfo.InvariantCulture);
            for (int point = Hexadecimal(range[0]); point <= Hexadecimal(range[^1]); point++)
            {
                Classes[point] = combiningClass;
                Unsettled[point] = true;
            }
        }
    }

    private static void ReadDecompositions()
    {
        foreach (string entry in CanonicalCompositionTable.Decompositions.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            string[] sides = entry.TrimEnd('!').Split('=');
            string[] parts = sides[1].Split('+');
            int composed = Hexadecimal(sides[0]);
            (int First, int Second) pair = (Hexadecimal(parts[0]), parts.Length > 1 ? Hexadecimal(parts[1]) : 0);
            Decompositions.Add(composed, pair);
            if (pair.Second == 0 || entry[^1] == '!')
            {
                Unsettled[composed] = true;
                continue;
            }
            Compositions.Add(pair, composed);
            Unsettled[pair.Second] = true;
        }
    }

    private static int Hexadecimal(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
