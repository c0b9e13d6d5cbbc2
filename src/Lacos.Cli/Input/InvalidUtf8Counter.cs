using System.Text;

namespace Lacos.Cli.Input;

/// <summary>Decodes invalid UTF-8 as U+FFFD, as every browser does, and counts how often.</summary>
internal sealed class InvalidUtf8Counter : DecoderFallback
{
    /// <summary>Invalid sequences replaced so far.</summary>
    public long Count { get; private set; }

    public override int MaxCharCount => 1;

    /// <summary>UTF-8 that skips a byte order mark and decodes with this counter.</summary>
    public Encoding CreateEncoding()
    {
        var encoding = (Encoding)new UTF8Encoding(encoderShouldEmitUTF8Identifier: true).Clone();
        encoding.DecoderFallback = this;
        return encoding;
    }

    public override DecoderFallbackBuffer CreateFallbackBuffer() => new Buffer(this);

    private sealed class Buffer(InvalidUtf8Counter counter) : DecoderFallbackBuffer
    {
        private bool _pending;

        public override int Remaining => _pending ? 1 : 0;

        public override bool Fallback(byte[] bytesUnknown, int index)
        {
            counter.Count++;
            _pending = true;
            return true;
        }

        public override char GetNextChar()
        {
            char next = _pending ? '\uFFFD' : '\0';
            _pending = false;
            return next;
        }

        public override bool MovePrevious() => false;

        public override void Reset() => _pending = false;
    }
}
