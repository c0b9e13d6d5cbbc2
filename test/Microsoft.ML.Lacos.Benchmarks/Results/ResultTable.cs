using System.Text;
using Spectre.Console;

namespace Microsoft.ML.Lacos.Benchmarks.Results;

/// <summary>Numbers of one comparison; written to the console and, where a folder is named, as Markdown and as a picture.</summary>
/// <param name="name">Name of its files.</param>
/// <param name="title">What was measured; the processor and its kernels are added.</param>
/// <param name="label">Heading of the first column, which names the rows.</param>
/// <param name="columns">The columns of numbers.</param>
internal sealed class ResultTable(string name, string title, string label, params Column[] columns)
{
    private readonly List<(string Label, double?[] Values)> _rows = [];
    private readonly List<string> _notes = [];

    /// <summary>Folder for the files; <see langword="null"/> for the console alone.</summary>
    public static DirectoryInfo? Output { get; set; }

    public string Name { get; } = name;

    public string Title { get; } = $"{title}. {Machine.Description}";

    public string Label { get; } = label;

    public IReadOnlyList<Column> Columns { get; } = columns;

    public IReadOnlyList<(string Label, double?[] Values)> Rows => _rows;

    /// <summary>Adds a row: a value a column, <see langword="null"/> where there is none to have.</summary>
    public void Add(string rowLabel, params double?[] values)
    {
        if (values.Length != Columns.Count)
        {
            throw new ArgumentException($"{values.Length} values for {Columns.Count} columns of '{Name}'; pass one for each.", nameof(values));
        }
        _rows.Add((rowLabel, values));
    }

    /// <summary>Adds a sentence below the table.</summary>
    public void Note(FormattableString sentence) => _notes.Add(FormattableString.Invariant(sentence));

    /// <summary>Writes the table everywhere it goes.</summary>
    public void Write()
    {
        Table table = new Table().Title(Markup.Escape(Title)).AddColumns([Label, .. Columns.Select(column => column.Name)]);
        foreach ((string rowLabel, double?[] values) in _rows)
        {
            table.AddRow([rowLabel, .. Cells(values)]);
        }
        AnsiConsole.Write(table);
        _notes.ForEach(AnsiConsole.WriteLine);
        if (Output is not null)
        {
            Output.Create();
            File.WriteAllText(Path.Combine(Output.FullName, Name + ".md"), Markdown());
            BarPlot.Save(this, Path.Combine(Output.FullName, Name + ".png"));
        }
    }

    private string Markdown()
    {
        var text = new StringBuilder($"{Title}\n\n");
        text.Append($"| {Label} | {string.Join(" | ", Columns.Select(column => column.Name))} |\n");
        text.Append($"|---|{string.Concat(Columns.Select(_ => "---:|"))}\n");
        foreach ((string rowLabel, double?[] values) in _rows)
        {
            text.Append($"| {rowLabel} | {string.Join(" | ", Cells(values))} |\n");
        }
        _notes.ForEach(note => text.Append($"\n{note}\n"));
        return text.ToString();
    }

    private IEnumerable<string> Cells(double?[] values) => Columns.Zip(values, (column, value) => column.Cell(value));
}
