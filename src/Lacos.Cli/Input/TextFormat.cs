using Lacos.Cli.Terminal;

namespace Lacos.Cli.Input;

/// <summary>How a file of texts is laid out.</summary>
internal enum TextFormat
{
    /// <summary>One text a line; an empty line is an empty text.</summary>
    Lines,

    /// <summary>Fields between tabs, a header line first, no quoting: a quotation mark is part of the text.</summary>
    Tabs,

    /// <summary>RFC 4180: fields between commas, quoted where needed, a header line first.</summary>
    Commas,

    /// <summary>One JSON object (or bare string) a line.</summary>
    JsonLines,

    /// <summary>Apache Parquet: columns of texts or numbers in row groups.</summary>
    Parquet,

    /// <summary>Apache Arrow's IPC, as a file (Feather version 2) or a stream: columns of texts or numbers in record batches.</summary>
    Arrow,
}

/// <summary>Tells the format of a file from its name.</summary>
internal static class TextFormats
{
    /// <summary>Names accepted by <c>--format</c>.</summary>
    public static readonly string[] Names = ["txt", "tsv", "csv", "jsonl", "parquet", "arrow"];

    /// <summary>Format of a path; <c>.gz</c> at its end does not count.</summary>
    /// <param name="path">A path, or <c>-</c> for standard input.</param>
    /// <param name="name">What the user said, or <see langword="null"/>.</param>
    /// <exception cref="UsageException">Nothing says what the format is.</exception>
    public static TextFormat Of(string path, string? name) =>
        Find(name ?? (path == InputFile.Standard ? "txt" : Ending(path))) ?? throw NotTold(path, $"Add --format with one of {string.Join(", ", Names)}.");

    /// <summary>Name of a format.</summary>
    public static string Name(TextFormat format) => Names[(int)format];

    /// <summary>Format that a path tells; <see langword="null"/> where it tells none.</summary>
    public static TextFormat? OfName(string path) => Find(Ending(path));

    /// <summary>The error of a path that tells no format.</summary>
    /// <param name="path">The path.</param>
    /// <param name="advice">What to do.</param>
    public static UsageException NotTold(string path, string advice) =>
        new($"The name '{path}' does not tell its format: it ends in neither .txt, .tsv, .csv, .jsonl (each also with .gz), .parquet nor .arrow, .arrows, .feather. {advice}");

    private static TextFormat? Find(string name) => name.ToLowerInvariant() switch
    {
        "txt" => TextFormat.Lines,
        "tsv" or "tab" => TextFormat.Tabs,
        "csv" => TextFormat.Commas,
        "jsonl" or "ndjson" => TextFormat.JsonLines,
        "parquet" => TextFormat.Parquet,
        "arrow" or "arrows" or "feather" => TextFormat.Arrow,
        _ => null,
    };

    private static string Ending(string path)
    {
        string name = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path;
        return Path.GetExtension(name).TrimStart('.');
    }
}
