using System.IO.Compression;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Lacos.Cli.Input;
using Lacos.Cli.Terminal;

namespace Lacos.Cli.Output;

/// <summary>Writes records as .tsv or .jsonl, packed where the name ends in .gz; the file appears when it is complete.</summary>
internal sealed class RecordWriter : IDisposable
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly PendingFile _file;
    private readonly Stream _stream;
    private readonly IReadOnlyList<string> _columns;
    private readonly bool _isJson;

    private RecordWriter(PendingFile file, IReadOnlyList<string> columns, bool isPacked, bool isJson)
    {
        (_file, _columns, _isJson) = (file, columns, isJson);
        _stream = isPacked ? new GZipStream(file.Stream, CompressionLevel.Optimal, leaveOpen: true) : file.Stream;
        if (!isJson)
        {
            WriteFields([.. columns], "The header");
        }
    }

    /// <summary>Refuses a name that tells no format this can write.</summary>
    /// <exception cref="UsageException">It does not.</exception>
    public static TextFormat FormatOf(string path) => TextFormats.OfName(path) switch
    {
        TextFormat.Tabs => TextFormat.Tabs,
        TextFormat.JsonLines => TextFormat.JsonLines,
        _ => throw new UsageException($"'{path}' cannot be written: its name ends in neither .tsv nor .jsonl (each also with .gz). Give it one of these."),
    };

    /// <summary>Begins a file.</summary>
    /// <exception cref="InvalidDataException">The format cannot hold these columns.</exception>
    public static RecordWriter Create(string path, IReadOnlyList<string> columns)
    {
        TextFormat format = FormatOf(path);
        string? twice = columns.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1)?.Key;
        if (format == TextFormat.JsonLines && twice is not null)
        {
            throw new InvalidDataException($"There would be two columns '{RecordReader.InMessage(twice)}' in '{path}', and readers of a .jsonl file see one of them. Write to a name ending in .tsv, or give one another name in the input.");
        }
        PendingFile file = PendingFile.Create(path);
        try
        {
            return new RecordWriter(file, columns, path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase), format == TextFormat.JsonLines);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Writes a record.</summary>
    /// <param name="values">As many as columns.</param>
    /// <param name="place">Where they come from, for messages.</param>
    /// <exception cref="InvalidDataException">The format cannot hold a value.</exception>
    public void Write(IReadOnlyList<string?> values, string place)
    {
        if (!_isJson)
        {
            WriteFields(values, place);
            return;
        }
        using (var json = new Utf8JsonWriter(_stream, Options))
        {
            json.WriteStartObject();
            for (int i = 0; i < _columns.Count; i++)
            {
                json.WriteString(_columns[i], values[i]);
            }
            json.WriteEndObject();
        }
        _stream.WriteByte((byte)'\n');
    }

    /// <summary>Finishes the file and gives it its name.</summary>
    public void Complete()
    {
        if (_stream is GZipStream)
        {
            _stream.Dispose();
        }
        _file.Commit();
    }

    public void Dispose() => _file.Dispose();

    private void WriteFields(IReadOnlyList<string?> values, string place)
    {
        if (values.FirstOrDefault(value => value.AsSpan().IndexOfAny('\t', '\n', '\r') >= 0) is string unfit)
        {
            string start = unfit.Length <= 40 ? unfit : unfit[..40] + "…";
            throw new InvalidDataException($"{place} has a tab or a line break in '{start.ReplaceLineEndings(" ").Replace('\t', ' ')}', which a .tsv file cannot hold. Write to a name ending in .jsonl.");
        }
        _stream.Write(Encoding.UTF8.GetBytes(string.Join('\t', values) + "\n"));
    }
}
