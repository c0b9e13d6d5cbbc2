namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Activations of one group of sentences, kept between calls: they are large, and giving them back only to fault them in again costs more than the arithmetic on them.</summary>
internal sealed class EncoderBuffers(BloomConfig config)
{
    private readonly int _hidden = config.HiddenSize;
    private int _tokens;
    private float[] _states = [], _normed = [], _context = [], _projected = [], _wide = [], _rowScales = [];
    private short[] _codes = [];

    /// <summary>Makes room for a group of this many tokens.</summary>
    public void Reserve(int tokens)
    {
        if (tokens <= _tokens)
        {
            return;
        }
        int narrow = tokens * _hidden;
        _states = new float[narrow];
        _normed = new float[narrow];
        _context = new float[narrow];
        _projected = new float[narrow];
        _wide = new float[4 * narrow];
        _codes = new short[4 * narrow];
        _rowScales = new float[tokens];
        _tokens = tokens;
    }

    /// <summary>The residual stream, [tokens, hidden].</summary>
    public Span<float> States(int tokens) => _states.AsSpan(0, tokens * _hidden);

    /// <summary>Output of a layer norm, [tokens, hidden].</summary>
    public Span<float> Normed(int tokens) => _normed.AsSpan(0, tokens * _hidden);

    /// <summary>Output of attention before its projection, [tokens, hidden].</summary>
    public Memory<float> Context(int tokens) => _context.AsMemory(0, tokens * _hidden);

    /// <summary>Output of a projection to the residual stream, [tokens, hidden].</summary>
    public Span<float> Projected(int tokens) => _projected.AsSpan(0, tokens * _hidden);

    /// <summary>Queries, keys and values, [tokens, 3 * hidden]; shares its memory with <see cref="FeedForward"/>, as the two never live at once.</summary>
    public Memory<float> QueryKeyValue(int tokens) => _wide.AsMemory(0, 3 * tokens * _hidden);

    /// <summary>Inner activations of the feed-forward layer, [tokens, 4 * hidden].</summary>
    public Span<float> FeedForward(int tokens) => _wide.AsSpan(0, 4 * tokens * _hidden);

    /// <summary>int8 codes of a linear layer's input, held as 16-bit numbers.</summary>
    public Span<short> Codes(int elements) => _codes.AsSpan(0, elements);

    /// <summary>One dequantisation factor a token.</summary>
    public Span<float> RowScales(int tokens) => _rowScales.AsSpan(0, tokens);
}
