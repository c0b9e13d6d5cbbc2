using System.Text;

namespace Microsoft.ML.Lacos.Tests.Tokenization.Reference;

/// <summary>Texts on which tokenizers disagree: scripts, marks, white space, control characters, emoji, unassigned code points, unpaired surrogates and the added tokens' own text.</summary>
internal sealed class RandomTexts(int seed, string[] tokens)
{
    private const string WhiteSpace = "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";
    private const string Odd = "\0\u001c\u001f\u007f\u009f\u00ad\u180e\u200b\u200c\u200d\u2060\ufeff\ufffd\uffff\ue000\ufe0f\u20e3\u0301\u0308\u0327\u0345\ud800\udfff";
    private const string Marks = "(|)[].,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c;:'\"-_";
    private static readonly string[] Words =
    [
        "it's", "don't", "we're", "I've", "I'm", "we'll", "'S", "''s", " the", "\r\n", "\U0001F468\u200D\U0001F469\u200D\U0001F467", "\U0001F1E9\U0001F1EA", "1\uFE0F\u20E3",
        "e\u0301", "q\u0307\u0323", "\u1100\u1161\u11a8", "\u212b", "\u0958",
    ];

    private static readonly (int First, int Last)[] Scripts =
    [
        (0x41, 0x7a), (0xc0, 0x24f), (0x370, 0x52f), (0x591, 0x6ff), (0x900, 0xdff), (0xe00, 0x10ff), (0x1100, 0x139f), (0x1e00, 0x218f), (0x2460, 0x24ff), (0x3040, 0x31ff), (0x4e00, 0x9fff),
        (0xac00, 0xd7a3), (0xf900, 0xffef), (0x10000, 0x123ff), (0x16800, 0x16fff), (0x1d100, 0x1faff), (0x20000, 0x323af), (0xe0000, 0x10ffff),
    ];

    private readonly Random _random = new(seed);

    public string Next()
    {
        var text = new StringBuilder();
        (int first, int last) = Any(Scripts);
        for (int parts = _random.Next(1, 16); parts > 0; parts--)
        {
            switch (_random.Next(10))
            {
                case 0 or 1 or 2:
                    AppendPoints(text, first, last, _random.Next(1, 6));
                    break;
                case 3:
                    text.Append(WhiteSpace[_random.Next(WhiteSpace.Length)]);
                    break;
                case 4:
                    text.Append(' ', _random.Next(1, 4));
                    break;
                case 5:
                    text.Append(Marks[_random.Next(Marks.Length)]);
                    break;
                case 6:
                    text.Append(Odd[_random.Next(Odd.Length)]);
                    break;
                case 7:
                    text.Append(Any(Words));
                    break;
                case 8 when tokens.Length > 0:
                    text.Append(Any(tokens));
                    break;
                default:
                    (first, last) = Any(Scripts);
                    AppendPoints(text, 0, 0x10ffff, 1);
                    break;
            }
        }
        return text.ToString();
    }

    private T Any<T>(T[] items) => items[_random.Next(items.Length)];

    private void AppendPoints(StringBuilder text, int first, int last, int count)
    {
        for (; count > 0; count--)
        {
            int point = _random.Next(first, last + 1);
            text.Append(Rune.IsValid(point) ? new Rune(point).ToString() : "\ud900");
        }
    }
}
