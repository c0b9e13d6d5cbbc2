using System.Globalization;
using System.Text;

namespace Lacos.Cli.Input;

/// <summary>Splits text at line feeds, and there only: a lone carriage return or a Unicode line separator belongs to the line it stands in.</summary>
/// <remarks>A carriage return before the line feed goes with it. The last line need not end in one; nothing after the last line feed is no line.</remarks>
internal sealed class LineReader(TextReader text, string displayName)
{
    /// <summary>Characters a line may have: more is taken for a file that is no text.</summary>
    public const int LongestLine = 1 << 28;

    private readonly char[] _buffer = new char[1 << 15];
    private int _start;
    private int _end;

    /// <summary>Number of the line read last, counted from 1.</summary>
    public long LineNumber { get; private set; }

    /// <summary>Reads a line.</summary>
    /// <returns>The line without its end; <see langword="null"/> after the last.</returns>
    /// <exception cref="InvalidDataException">A line is longer than <see cref="LongestLine"/>.</exception>
    public string? Read()
    {
        StringBuilder? parts = null;
        while (true)
        {
            if (_start == _end)
            {
                _start = 0;
                _end = text.Read(_buffer, 0, _buffer.Length);
                if (_end == 0)
                {
                    return parts is null ? null : Finish(parts, []);
                }
            }
            ReadOnlySpan<char> rest = _buffer.AsSpan(_start, _end - _start);
            int length = rest.IndexOf('\n');
            if (length >= 0)
            {
                _start += length + 1;
                return Finish(parts, rest[..length]);
            }
            parts ??= new StringBuilder();
            parts.Append(rest);
            _start = _end;
            if (parts.Length > LongestLine)
            {
                string line = (LineNumber + 1).ToString(CultureInfo.InvariantCulture);
                throw new InvalidDataException($"Line {line} of {displayName} has more than {LongestLine} characters. Is it a file of texts?");
            }
        }
    }

    private string Finish(StringBuilder? parts, ReadOnlySpan<char> rest)
    {
        LineNumber++;
        if (parts is null)
        {
            return (rest.EndsWith('\r') ? rest[..^1] : rest).ToString();
        }
        parts.Append(rest);
        if (parts.Length > 0 && parts[^1] == '\r')
        {
            parts.Length--;
        }
        return parts.ToString();
    }
}
