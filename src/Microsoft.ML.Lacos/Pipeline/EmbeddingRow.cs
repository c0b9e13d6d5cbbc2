using Microsoft.ML.Data;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>A row with vector columns added. Each source keeps its last text, so that the columns made of it encode it once.</summary>
internal sealed class EmbeddingRow : DataViewRow
{
    private readonly EmbeddingRowMapper _mapper;
    private readonly DataViewRow _input;
    private readonly bool[] _active;
    private readonly ValueGetter<ReadOnlyMemory<char>>?[] _textGetters;
    private readonly (string Text, EncodedText Encoded)?[] _last;

    public EmbeddingRow(EmbeddingRowMapper mapper, DataViewRow input, bool[] active)
    {
        _mapper = mapper;
        _input = input;
        _active = active;
        bool[] sources = mapper.Bindings.ActiveSources(active);
        _textGetters = [.. sources.Select((needed, source) => needed ? input.GetGetter<ReadOnlyMemory<char>>(mapper.Bindings.Source(source)) : null)];
        _last = new (string, EncodedText)?[sources.Length];
    }

    public override DataViewSchema Schema => _mapper.OutputSchema;

    public override long Position => _input.Position;

    public override long Batch => _input.Batch;

    public override ValueGetter<DataViewRowId> GetIdGetter() => _input.GetIdGetter();

    public override bool IsColumnActive(DataViewSchema.Column column) => _active[ColumnErrors.IndexOf(Schema, column)];

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        int index = ColumnErrors.IndexOf(Schema, column);
        if (!_active[index])
        {
            throw ColumnErrors.NotActive(column);
        }
        if (_mapper.Bindings.IsPassedThrough(index))
        {
            return _input.GetGetter<TValue>(_input.Schema[index]);
        }
        return _mapper.Bindings.Getter(index, Current, source => Current(source).Vector) as ValueGetter<TValue> ?? throw ColumnErrors.WrongType(column, typeof(TValue));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _input.Dispose();
        }
        base.Dispose(disposing);
    }

    // Recognised by the text itself: some callers reuse a row without moving its Position.
    private EncodedText Current(int source)
    {
        ReadOnlyMemory<char> text = default;
        _textGetters[source]!(ref text);
        if (_last[source] is (string lastText, EncodedText last) && text.Span.SequenceEqual(lastText))
        {
            return last;
        }
        string current = text.ToString();
        EncodedText encoded = Encode(source, current);
        _last[source] = (current, encoded);
        return encoded;
    }

    private EncodedText Encode(int source, string text)
    {
        EncodedText?[] results = [null];
        EmbeddingContext context = _mapper.Context;
        TextVectors vectors = context.VectorsOf(source);
        try
        {
            context.ReportLongTexts(vectors.Encode([text], results, context.Options.CancellationToken));
            return results[0]!;
        }
        catch (ArgumentException error) when (context.Options.LongText == LongText.Throw)
        {
            return new EncodedText(error, vectors.CountTokens(text));
        }
    }
}
