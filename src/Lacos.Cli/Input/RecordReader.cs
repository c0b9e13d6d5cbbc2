using System.Globalization;
using Lacos.Cli.Terminal;

namespace Lacos.Cli.Input;

/// <summary>Reads a file record by record, a few named columns of it.</summary>
internal abstract class RecordReader(InputFile file) : IDisposable
{
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

    /// <summary>Opens a file in its format.</summary>
    /// <param name="path">A path, or <c>-</c>.</param>
    /// <param name="format">Name of the format, or <see langword="null"/> to go by the path.</param>
    /// <param name="hasHeader">Whether the first line of a .tsv or .csv names the columns.</param>
    /// <param name="standardInput">Where <c>-</c> reads from.</param>
    public static RecordReader Open(string path, string? format, bool hasHeader, Stream standardInput)
    {
        TextFormat textFormat = TextFormats.Of(path, format);
        InputFile file = InputFile.Open(path, standardInput);
        try
        {
            return textFormat switch
            {
                TextFormat.Lines => new LineRecords(file),
                TextFormat.Tabs => new TabRecords(file, hasHeader),
                TextFormat.Commas => new CommaRecords(file, hasHeader),
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

    /// <summary>Finds a column by name or, failing that, by its index from 0.</summary>
    /// <exception cref="UsageException">There is no such column; the message lists those there are.</exception>
    public int Find(string column)
    {
        for (int i = 0; i < Columns.Count; i++)
        {
            if (string.Equals(Columns[i], column, StringComparison.Ordinal))
            {
                return i;
            }
        }
        if (int.TryParse(column, NumberStyles.None, CultureInfo.InvariantCulture, out int index) && index < Columns.Count)
        {
            return index;
        }
        throw new UsageException($"{File.DisplayName} has no column '{column}'. It has {ListColumns()}.");
    }

    /// <summary>Finds a column by name, whatever the case of its letters; -1 where there is none.</summary>
    public int IndexOf(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            for (int i = 0; i < Columns.Count; i++)
            {
                if (string.Equals(Columns[i].Trim(), name, StringComparison.OrdinalIgnoreCase))
                {
                    return i;
                }
            }
        }
        return -1;
    }

    /// <summary>The columns, for a message.</summary>
    public string ListColumns()
    {
        const int Shown = 20;
        string list = string.Join(", ", Columns.Take(Shown).Select(name => $"'{(name.Length <= 40 ? name : name[..40] + "…")}'"));
        return Columns.Count switch
        {
            0 => "no columns",
            1 => $"one column, {list}",
            <= Shown => $"the columns {list}",
            _ => string.Create(CultureInfo.InvariantCulture, $"{Columns.Count} columns, the first {Shown} of them {list}"),
        };
    }

    public void Dispose() => File.Dispose();

    protected InvalidDataException NoHeader() =>
        new($"{File.DisplayName} is empty: its first line should name the columns. Add a header line, or say --no-header if the file is meant to have none.");

    protected InvalidDataException MissingField(int column, int fieldCount) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{Place} has {fieldCount} field(s) and none for column '{Columns[column]}'. Correct the line; the file has {ListColumns()}."));

    protected InvalidDataException TooManyFields(int fieldCount, string hint) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{Place} has {fieldCount} fields where there should be {Columns.Count}. {hint}"));

    protected static string[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(index => index.ToString(CultureInfo.InvariantCulture))];
}
