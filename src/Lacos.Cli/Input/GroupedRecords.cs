using System.Globalization;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Input;

/// <summary>The rows of a file of columns, texts or numbers, in groups. The wanted columns of one group are in memory.</summary>
internal abstract class GroupedRecords(InputFile file) : RecordReader(file)
{
    /// <summary>Rows that a group may have; writers make groups of a tenth of that and less.</summary>
    public const int MostRows = 1 << 24;

    private const int LongestReason = 400;

    private readonly Dictionary<int, ColumnValues> _loaded = [];
    private int _groupRows;
    private int _next;
    private long _before;

    public sealed override string Place => string.Create(CultureInfo.InvariantCulture, $"Row {RowsRead} of {File.DisplayName}");

    /// <summary>Rows gone through so far.</summary>
    protected long RowsRead => _before + _next;

    /// <summary>Name of the format, for messages.</summary>
    protected abstract string FormatName { get; }

    public sealed override bool Read(ReadOnlySpan<int> columns, Span<string?> values)
    {
        if (!HasRow())
        {
            return false;
        }
        int row = _next++;
        for (int i = 0; i < columns.Length; i++)
        {
            ColumnValues column = Column(columns[i]);
            try
            {
                values[i] = column[row];
            }
            catch (InvalidDataException error)
            {
                throw new InvalidDataException($"{Place} has {error.Message} in its column '{InMessage(Columns[columns[i]])}'. Check that the file is whole, and write or fetch it again.", error);
            }
        }
        OnRead();
        return true;
    }

    public sealed override long Skip(long count, ReadOnlySpan<int> columns, Span<string?> values)
    {
        long skipped = 0;
        while (skipped < count && HasRow())
        {
            int here = (int)Math.Min(count - skipped, _groupRows - _next);
            _next += here;
            skipped += here;
        }
        return skipped;
    }

    /// <summary>Goes to the next group.</summary>
    /// <returns>Its rows, from 0 to <see cref="MostRows"/>; -1 after the last group.</returns>
    protected abstract int NextGroup();

    /// <summary>Reads a column of the group.</summary>
    /// <param name="column">Its number, from 0.</param>
    /// <param name="rows">Rows of the group.</param>
    /// <returns><see langword="null"/> where its values are neither texts nor numbers.</returns>
    protected abstract ColumnValues? Load(int column, int rows);

    /// <summary>What a column holds that is neither texts nor numbers, for messages.</summary>
    protected abstract string Kind(int column);

    /// <summary>Called after each row that is read.</summary>
    protected virtual void OnRead()
    {
    }

    /// <summary>Calls a parser. It says in many ways that bytes make no sense to it, out of range among them.</summary>
    /// <exception cref="InvalidDataException">They make none.</exception>
    protected T Guarded<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is not (OutOfMemoryException or UnauthorizedAccessException))
        {
            throw new InvalidDataException($"{File.DisplayName} cannot be read as {FormatName}: {Reason(error)}. Check that it is whole, and write or fetch it again.", error);
        }
    }

    // A parser that trips says nothing of the file.
    private static string Reason(Exception error) => error is NullReferenceException or IndexOutOfRangeException or InvalidCastException or KeyNotFoundException
        ? "its parts do not fit together"
        : TextInMessage.Of(error.Message.TrimEnd('.'), LongestReason);

    // Columns of a group are read when they are asked for.
    private bool HasRow()
    {
        while (_next == _groupRows)
        {
            _loaded.Clear();
            int rows = NextGroup();
            if (rows < 0)
            {
                return false;
            }
            (_before, _next, _groupRows) = (_before + _groupRows, 0, rows);
        }
        return true;
    }

    private ColumnValues Column(int index)
    {
        if (!_loaded.TryGetValue(index, out ColumnValues? column))
        {
            column = Guarded(() => Load(index, _groupRows)) ?? throw new InvalidDataException(
                $"The column '{InMessage(Columns[index])}' of {File.DisplayName} holds {Kind(index)} where texts (or numbers, for a score) were expected. Name another column, or cast it to a string column.");
            _loaded.Add(index, column);
        }
        return column;
    }
}
