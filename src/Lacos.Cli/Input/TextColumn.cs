using Lacos.Cli.Terminal;

namespace Lacos.Cli.Input;

/// <summary>Chooses the column that holds the texts.</summary>
internal static class TextColumn
{
    /// <summary>The column the user named; else one called <c>text</c> or <c>sentence</c>; else the only one.</summary>
    /// <exception cref="UsageException">It cannot be told which column is meant.</exception>
    public static int Choose(RecordReader records, string? column)
    {
        if (column is not null)
        {
            return records.Find(column);
        }
        int index = records.IndexOf("text", "sentence");
        if (index < 0 && records.Columns.Count == 1)
        {
            index = 0;
        }
        return index >= 0
            ? index
            : throw new UsageException($"{records.File.DisplayName} has {records.ListColumns()}, none of them called 'text' or 'sentence'. Say which holds the texts with --column NAME (or its number, from 0).");
    }
}
