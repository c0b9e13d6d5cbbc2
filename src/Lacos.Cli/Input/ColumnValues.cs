namespace Lacos.Cli.Input;

/// <summary>The values of a column in one group of rows, made into texts one by one: a dictionary's text is in memory once however many rows have it.</summary>
internal abstract class ColumnValues
{
    /// <summary>Text of a row of the group, or a number as text; <see langword="null"/> for none.</summary>
    /// <exception cref="InvalidDataException">The row's value makes no sense; the message is a clause.</exception>
    public abstract string? this[int row] { get; }
}
