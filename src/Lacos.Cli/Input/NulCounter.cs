namespace Lacos.Cli.Input;

/// <summary>Passes text on and counts its NUL characters, which no text has but one that was decoded wrongly.</summary>
internal sealed class NulCounter(TextReader inner) : TextReader
{
    /// <summary>NUL characters so far.</summary>
    public long Count { get; private set; }

    public override int Peek() => inner.Peek();

    public override int Read()
    {
        int character = inner.Read();
        Count += character == '\0' ? 1 : 0;
        return character;
    }

    public override int Read(char[] buffer, int index, int count)
    {
        int read = inner.Read(buffer, index, count);
        Count += buffer.AsSpan(index, read).Count('\0');
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }
        base.Dispose(disposing);
    }
}
