using System.Text.Json.Nodes;
using Lacos.Cli.Terminal;

namespace Lacos.Cli.Input;

/// <summary>What a first pass over an input has found.</summary>
/// <param name="Rows">Records.</param>
/// <param name="Sha256">Hash of the file's bytes, 64 hexadecimal digits.</param>
internal sealed record InputSurvey(long Rows, string Sha256)
{
    private FileTimes _times = new(0, default);

    private string _path = "";

    /// <summary>Reads a file to its end.</summary>
    /// <param name="records">The file, opened to be hashed, none of its records read yet.</param>
    /// <param name="column">Column that will be wanted, so that a record without it is refused now.</param>
    /// <param name="progress">Where to say how far it is.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static InputSurvey Of(RecordReader records, int column, ProgressDisplay progress, CancellationToken cancellationToken)
    {
        string path = records.File.Path;
        FileTimes times = FileTimes.Of(path);
        var values = new string?[1];
        long rows = 0;
        while (records.Skip(WindowReader.RecordsPerWindow, [column], values) is long skipped and > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            rows += skipped;
            progress.Report(rows, records.File.Position);
        }
        return new InputSurvey(rows, records.File.HashToEnd(cancellationToken)) { _times = times, _path = path };
    }

    /// <summary>The input, under the name used in every file the tool writes.</summary>
    public JsonObject Describe() => new() { ["input_sha256"] = Sha256 };

    /// <summary>Refuses a file that has been written to since.</summary>
    /// <exception cref="ToolException">It has.</exception>
    public void RequireUnchanged()
    {
        if (FileTimes.Of(_path) != _times)
        {
            throw new ToolException($"'{_path}' has changed while it was read. Run the command again when nothing writes to the file.");
        }
    }

    private sealed record FileTimes(long Length, DateTime Written)
    {
        public static FileTimes Of(string path)
        {
            var file = new FileInfo(path);
            return new FileTimes(file.Exists ? file.Length : -1, file.LastWriteTimeUtc);
        }
    }
}
