using Microsoft.ML;
using Microsoft.ML.Data;

namespace OwnStep;

/// <summary>How the columns of one input map to those of the output: the input's first, at the same places, then the new one.</summary>
internal sealed class TextShapeMapper : IRowToRowMapper
{
    private readonly TextShapeTransformer _transformer;
    private readonly DataViewSchema.Column _text;

    public TextShapeMapper(TextShapeTransformer transformer, DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        _transformer = transformer;
        _text = transformer.FindText(inputSchema);
        InputSchema = inputSchema;

        // Names of the elements are what feature importance and Preview show.
        var annotations = new DataViewSchema.Annotations.Builder();
        annotations.Add<VBuffer<ReadOnlyMemory<char>>>(
            "SlotNames",
            new VectorDataViewType(TextDataViewType.Instance, TextShape.Names.Length),
            (ref VBuffer<ReadOnlyMemory<char>> names) => names = new VBuffer<ReadOnlyMemory<char>>(TextShape.Names.Length, [.. TextShape.Names.Select(name => name.AsMemory())]));
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(inputSchema);
        builder.AddColumn(transformer.OutputColumnName, new VectorDataViewType(NumberDataViewType.Single, TextShape.Names.Length), annotations.ToAnnotations());
        OutputSchema = builder.ToSchema();
    }

    public DataViewSchema InputSchema { get; }

    public DataViewSchema OutputSchema { get; }

    /// <summary>The input's columns that those asked for are made of.</summary>
    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns) =>
        [.. dependingColumns.Select(column => IsNew(column) ? _text : InputSchema[column.Index]).DistinctBy(column => column.Index)];

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns) => new TextShapeRow(this, input, activeColumns);

    public bool IsNew(DataViewSchema.Column column)
    {
        if (column.Index >= OutputSchema.Count || !OutputSchema[column.Index].Equals(column))
        {
            throw new ArgumentOutOfRangeException(nameof(column), $"Column '{column.Name}' is not of this schema. Take it from the Schema of the same view.");
        }
        return column.Index == InputSchema.Count;
    }

    /// <summary>A getter over the current row of the input.</summary>
    public ValueGetter<TValue> Getter<TValue>(DataViewRow input, DataViewSchema.Column column)
    {
        if (!IsNew(column))
        {
            return input.GetGetter<TValue>(InputSchema[column.Index]);
        }
        ValueGetter<ReadOnlyMemory<char>> getText = input.GetGetter<ReadOnlyMemory<char>>(_text);
        ReadOnlyMemory<char> text = default;
        ValueGetter<VBuffer<float>> getter = (ref VBuffer<float> value) =>
        {
            getText(ref text);
            VBufferEditor<float> editor = VBufferEditor.Create(ref value, TextShape.Names.Length);
            _transformer.Measure(text.Span, editor.Values);
            value = editor.Commit();
        };
        return getter as ValueGetter<TValue>
            ?? throw new InvalidOperationException($"Invalid TValue in GetGetter for column '{column.Name}': '{typeof(TValue)}', expected type: '{column.Type.RawType}'.");
    }
}
