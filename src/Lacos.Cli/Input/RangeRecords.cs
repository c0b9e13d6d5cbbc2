using System.Globalization;

namespace Lacos.Cli.Input;

/// <summary>A range of the records of a file.</summary>
/// <param name="inner">All of them, none read yet; disposed with this.</param>
/// <param name="first">The first record wanted, from 0.</param>
/// <param name="end">The one after the last.</param>
internal sealed class RangeRecords(RecordReader inner, long first, long end) : RecordReader(inner.File)
{
    private long _next;

    public override IReadOnlyList<string> Columns => inner.Columns;

    public override string Place => inner.Place;

    /// <inheritdoc/>
    /// <exception cref="InvalidDataException">Also: there are fewer records than the range needs.</exception>
    public override bool Read(ReadOnlySpan<int> columns, Span<string?> values)
    {
        if (first == end)
        {
            return false;
        }
        if (_next < first)
        {
            _next = inner.Skip(first, columns, values);
            RequireRecord(_next == first);
        }
        if (_next == end)
        {
            return false;
        }
        RequireRecord(inner.Read(columns, values));
        _next++;
        return true;
    }

    private void RequireRecord(bool isThere)
    {
        if (!isThere)
        {
            throw new InvalidDataException(string.Create(
                CultureInfo.InvariantCulture, $"{File.DisplayName} ends after {_next} rows where {end} were counted: it has changed meanwhile. Run the command again when nothing writes to the file."));
        }
    }
}
