using System.Text;

namespace Lacos.Cli.Terminal;

/// <summary>Where the tool reads and writes: data on standard output, everything said to people on standard error.</summary>
internal sealed class ToolStreams(Stream input, Stream output, TextWriter error, bool errorIsTerminal) : IDisposable
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Standard input.</summary>
    public Stream Input { get; } = input;

    /// <summary>Standard output as bytes.</summary>
    public Stream Output { get; } = new BufferedStream(output, 1 << 16);

    /// <summary>Standard error.</summary>
    public TextWriter Error { get; } = error;

    /// <summary>Whether a person is looking at standard error.</summary>
    public bool ErrorIsTerminal { get; } = errorIsTerminal;

    /// <summary>Whether notes and progress are left out; warnings and errors are not.</summary>
    public bool Quiet { get; set; }

    /// <summary>Whether another process says and shows everything but errors.</summary>
    public bool OnlyErrors { get; set; }

    /// <summary>Where messages go instead of to <see cref="Error"/> while a display owns the terminal; <see langword="null"/> otherwise.</summary>
    public Action<string>? Display { get; set; }

    /// <summary>Those of the process.</summary>
    public static ToolStreams OfProcess()
    {
        var error = new StreamWriter(new ForgivingStream(Console.OpenStandardError()), Utf8) { AutoFlush = true, NewLine = "\n" };

        // What draws displays writes there by itself: a terminal that has gone must not end the work either.
        Console.SetError(error);
        bool dumb = string.Equals(Environment.GetEnvironmentVariable("TERM"), "dumb", StringComparison.Ordinal);
        return new ToolStreams(Console.OpenStandardInput(), new StandardOutput(Console.OpenStandardOutput()), error, !Console.IsErrorRedirected && !dumb);
    }

    /// <summary>Writes a line of data.</summary>
    public void WriteLine(string line)
    {
        Output.Write(Utf8.GetBytes(line));
        Output.WriteByte((byte)'\n');
    }

    /// <summary>Says something worth knowing.</summary>
    public void Note(string message)
    {
        if (!Quiet)
        {
            Say(message);
        }
    }

    /// <summary>Says something that may be wrong.</summary>
    public void Warn(string message) => Say($"lacos: warning: {message}");

    /// <summary>Says why the tool has failed.</summary>
    public void Fail(string message) => Error.WriteLine(PrintableText.Of($"lacos: {message}"));

    private void Say(string text)
    {
        if (OnlyErrors)
        {
            return;
        }
        string message = PrintableText.Of(text);
        if (Display is { } display)
        {
            display(message);
        }
        else
        {
            Error.WriteLine(message);
        }
    }

    public void Dispose()
    {
        try
        {
            Output.Flush();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Whoever read the output has gone, or the error has been told already.
        }
    }
}
