using System.Globalization;
using Lacos.Cli.Input.Arrow;
using Lacos.Cli.Input.Parquet;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Input;

/// <summary>Reads a file record by record, a few named columns of it.</summary>
internal abstract class RecordReader(InputFile file) : IDisposable
{
    private const int LongestName = 40;

    /// <summary>The file read.</summary>
    public InputFile File { get; } = file;

    /// <summary>Names of the columns; where the file has no header line, their numbers from 0.</summary>
    public abstract IReadOnlyList<string> Columns { get; }

    /// <summary>Where the record read last stands, for messages.</summary>
    public abstract string Place { get; }

    /// <summary>Reads the next record.</summary>
    /// <param name="columns">Indices into <see cref="Columns"/>.</param>
    /// <param name="values">Output: their values, <see langword="null"/> where one is missing.</param>
    /// <returns><see langword="false"/> after the last record.</returns>
    /// <exception cref="InvalidDataException">The record does not fit the format or the header; the message names its line.</exception>
    public abstract bool Read(ReadOnlySpan<int> columns, Span<string?> values);

    /// <summary>Goes past records.</summary>
    /// <param name="count">How many.</param>
    /// <param name="columns">Columns that they must have.</param>
    /// <param name="values">Room for these.</param>
    /// <returns>How many there were, less than <paramref name="count"/> only at the end.</returns>
    public virtual long Skip(long count, ReadOnlySpan<int> columns, Span<string?> values)
    {
        long skipped = 0;
        while (skipped < count && Read(columns, values))
        {
            skipped++;
        }
        return skipped;
    }

    /// <summary>Opens a file in its format.</summary>
    /// <param name="path">A path, or <c>-</c>.</param>
    /// <param name="format">Name of the format, or <see langword="null"/> to go by the path.</param>
    /// <param name="hasHeader">Whether the first line of a .tsv or .csv names the columns.</param>
    /// <param name="standardInput">Where <c>-</c> reads from.</param>
    /// <param name="isHashed">Whether the hash of the file will be asked for.</param>
    public static RecordReader Open(string path, string? format, bool hasHeader, Stream standardInput, bool isHashed = false)
    {
        TextFormat textFormat = TextFormats.Of(path, format);
        InputFile file = textFormat == TextFormat.Parquet ? InputFile.OpenBinary(path, isHashed) : InputFile.Open(path, standardInput, isHashed, isText: textFormat != TextFormat.Arrow);
        try
        {
            return textFormat switch
            {
                TextFormat.Lines => new LineRecords(file),
                TextFormat.Tabs => new TabRecords(file, hasHeader),
                TextFormat.Commas => new CommaRecords(file, hasHeader),
                TextFormat.Parquet => new ParquetRecords(file),
                TextFormat.Arrow => new ArrowRecords(file),
                _ => new JsonRecords(file),
            };
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Opens a file without holding up a signal: even a header may never come from a terminal or a pipe.</summary>
    /// <param name="open">Opens it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static Task<T> OpenAsync<T>(Func<T> open, CancellationToken cancellationToken) => Task.Run(open, CancellationToken.None).WaitAsync(cancellationToken);

    /// <summary>Fields of the first line, for a message that says what else the file may be.</summary>
    protected virtual IReadOnlyList<string> FirstFields => [];

    /// <summary>Finds a column by name or, failing that, by its index from 0.</summary>
    /// <exception cref="UsageException">There is no such column, or there are two; the message lists those there are.</exception>
    public int Find(string column)
    {
        if (IndexOf(name => string.Equals(name, column, StringComparison.Ordinal)) is int found and >= 0)
        {
            return found;
        }
        if (int.TryParse(column, NumberStyles.None, CultureInfo.InvariantCulture, out int index) && index < Columns.Count)
        {
            return index;
        }
        throw new UsageException($"{File.DisplayName} has no column '{column}'. It has {ListColumns()}.");
    }

    /// <summary>Finds a column by name, whatever the case of its letters; -1 where there is none.</summary>
    /// <exception cref="UsageException">There are two.</exception>
    public int IndexOf(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (IndexOf(column => string.Equals(column.Trim(), name, StringComparison.OrdinalIgnoreCase)) is int found and >= 0)
            {
                return found;
            }
        }
        return -1;
    }

    /// <summary>The columns, for a message.</summary>
    public string ListColumns()
    {
        const int Shown = 20;
        string list = string.Join(", ", Columns.Take(Shown).Select(name => $"'{InMessage(name)}'"));
        return Columns.Count switch
        {
            0 => "no columns",
            1 => $"one column, {list}",
            <= Shown => $"the columns {list}",
            _ => string.Create(CultureInfo.InvariantCulture, $"{Columns.Count} columns, the first {Shown} of them {list}"),
        } + OtherFormat();
    }

    /// <summary>The name of a column, as a message shows it: a header may be anything.</summary>
    public static string InMessage(string column) => TextInMessage.Of(column, LongestName);

    public void Dispose() => File.Dispose();

    protected InvalidDataException NoHeader() =>
        new($"{File.DisplayName} is empty: its first line should name the columns. Add a header line, or say --no-header if the file is meant to have none.");

    protected InvalidDataException MissingField(int column, int fieldCount) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{Place} has {fieldCount} field(s) and none for column '{InMessage(Columns[column])}'. Correct the line; the file has {ListColumns()}."));

    protected InvalidDataException TooManyFields(int fieldCount, string hint) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{Place} has {fieldCount} fields where there should be {Columns.Count}. {hint}"));

    private int IndexOf(Func<string, bool> isMeant)
    {
        int[] found = [.. Enumerable.Range(0, Columns.Count).Where(index => isMeant(Columns[index])).Take(2)];
        return found switch
        {
            [] => -1,
            [int one] => one,
            _ => throw new UsageException(string.Create(
                CultureInfo.InvariantCulture, $"{File.DisplayName} has two columns '{InMessage(Columns[found[0]])}', number {found[0]} and number {found[1]} from 0. Give one of them another name, or name the column by its number.")),
        };
    }

    private string OtherFormat() =>
        FirstFields.Any(field => field.Contains('\0', StringComparison.Ordinal)) ? " (there are NUL characters in its first line, as UTF-16 without a byte order mark has: if it is in another encoding, convert it to UTF-8)"
        : FirstFields.Any(field => field.Contains('\t', StringComparison.Ordinal)) ? " (there are tabs in its first line: if they separate the columns, say --format tsv or name it .tsv)"
        : FirstFields is [string only] && only.Contains(';', StringComparison.Ordinal) ? " (there are semicolons in its first line: if they separate the columns, export it with commas)"
        : "";

    protected static string[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(index => index.ToString(CultureInfo.InvariantCulture))];
}
