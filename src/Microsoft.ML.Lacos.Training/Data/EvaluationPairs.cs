using System.Buffers.Binary;
using System.Globalization;

namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>The pairs on which a run is judged, to find those that it would also train on.</summary>
/// <remarks>Two pairs count as the same in either order of their texts, whatever the case of letters and the white space.</remarks>
internal sealed class EvaluationPairs
{
    private const int Named = 5;

    private readonly HashSet<UInt128> _pairs;
    private readonly bool _leaveOut;
    private readonly List<string> _examples = [];

    /// <param name="pairs">The pairs.</param>
    /// <param name="leaveOut">Whether a row that is one of them is left out of training.</param>
    public EvaluationPairs(IEnumerable<(string First, string Second)> pairs, bool leaveOut)
    {
        _pairs = [.. pairs.Select(pair => Hash(pair.First, pair.Second))];
        _leaveOut = leaveOut;
    }

    /// <summary>Looks for single texts, where classes are learned, and for the pairs that were made of them, in data sets of pairs.</summary>
    /// <param name="pairs">The pairs.</param>
    /// <param name="leaveOut">Whether a row with one of the texts, or that is one of the pairs, is left out of training.</param>
    public static EvaluationPairs OfTexts(IEnumerable<(string First, string Second)> pairs, bool leaveOut)
    {
        (string First, string Second)[] all = [.. pairs];
        return new(all.SelectMany(pair => new[] { pair.First, pair.Second }).Distinct(StringComparer.Ordinal).Select(text => (text, text)).Concat(all), leaveOut);
    }

    /// <summary>Training rows that are among the pairs.</summary>
    public long Count { get; private set; }

    /// <summary>What a person should know; null where no row was met.</summary>
    public string? Message => Count == 0 ? null : string.Create(
        CultureInfo.InvariantCulture,
        $"{Count} training row(s) stand in the validation set too{(_leaveOut ? " and are left out" : ", which makes it look better than it is")}: {string.Join("; ", _examples)}{(Count > _examples.Count ? "; …" : "")}.{(_leaveOut ? "" : " Leave them out (LeaveOutValidationPairs, --exclude-eval).")}");

    /// <summary>Looks for a row among the pairs.</summary>
    /// <returns>Whether to leave it out.</returns>
    public bool Meets(ReadOnlyMemory<char> first, ReadOnlyMemory<char> second, string dataset, long row)
    {
        if (!_pairs.Contains(Hash(first.Span, second.Span)))
        {
            return false;
        }
        Note($"'{Short(first)}' | '{Short(second)}'", dataset, row);
        return _leaveOut;
    }

    /// <summary>Looks for a row of a single text among the texts.</summary>
    /// <returns>Whether to leave it out.</returns>
    public bool Meets(ReadOnlyMemory<char> text, string dataset, long row)
    {
        if (!_pairs.Contains(Hash(text.Span, text.Span)))
        {
            return false;
        }
        Note($"'{Short(text)}'", dataset, row);
        return _leaveOut;
    }

    private void Note(string what, string dataset, long row)
    {
        Count++;
        if (_examples.Count < Named)
        {
            _examples.Add(string.Create(CultureInfo.InvariantCulture, $"row {row} of {dataset}, {what}"));
        }
    }

    private static string Short(ReadOnlyMemory<char> text) => text.Length <= 40 ? text.ToString() : $"{text[..40]}…";

    private static UInt128 Hash(ReadOnlySpan<char> first, ReadOnlySpan<char> second)
    {
        UInt128 one = Hash(first), other = Hash(second);
        Span<byte> both = stackalloc byte[32];
        BinaryPrimitives.WriteUInt128LittleEndian(both, one < other ? one : other);
        BinaryPrimitives.WriteUInt128LittleEndian(both[16..], one < other ? other : one);
        return TextHash.Of(both);
    }

    private static UInt128 Hash(ReadOnlySpan<char> text) =>
        TextHash.Of(string.Join(' ', text.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).ToUpperInvariant());
}
