using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>How the columns of one input schema map to the columns of the output: the input's own first, at the same indices, then the added ones.</summary>
internal sealed class ColumnBindings
{
    private readonly OutputColumn[] _outputs;
    private readonly int[] _sourceIndices;
    private readonly VectorFormat _format;

    public ColumnBindings(IExceptionContext context, SentenceEmbeddingEstimator.Options options, DataViewSchema inputSchema, VectorFormat format, string fingerprint)
    {
        _format = format;
        _outputs = OutputColumn.Of(options);
        _sourceIndices = [.. options.Columns.Select(column => ColumnErrors.RequireText(context, inputSchema, column.InputColumnName))];
        InputSchema = inputSchema;
        OutputSchema = Schema(fingerprint);
    }

    public DataViewSchema InputSchema { get; }

    public DataViewSchema OutputSchema { get; }

    /// <summary>Text columns.</summary>
    public int SourceCount => _sourceIndices.Length;

    /// <summary>The text column of a source.</summary>
    public DataViewSchema.Column Source(int source) => InputSchema[_sourceIndices[source]];

    /// <summary>Whether an output column is the input's.</summary>
    public bool IsPassedThrough(int index) => index < InputSchema.Count;

    /// <summary>Which output columns are asked for.</summary>
    public bool[] Active(IEnumerable<DataViewSchema.Column> columns)
    {
        var active = new bool[OutputSchema.Count];
        foreach (DataViewSchema.Column column in columns)
        {
            active[ColumnErrors.IndexOf(OutputSchema, column)] = true;
        }
        return active;
    }

    /// <summary>Which sources the active added columns need; none means that nothing has to be encoded.</summary>
    public bool[] ActiveSources(bool[] active)
    {
        var sources = new bool[SourceCount];
        for (int output = 0; output < _outputs.Length; output++)
        {
            for (int source = 0; source < sources.Length; source++)
            {
                sources[source] |= active[InputSchema.Count + output] && _outputs[output].Needs(source);
            }
        }
        return sources;
    }

    /// <summary>The input columns that active output columns are made of.</summary>
    public DataViewSchema.Column[] Dependencies(bool[] active)
    {
        var needed = active.AsSpan(0, InputSchema.Count).ToArray();
        bool[] sources = ActiveSources(active);
        for (int source = 0; source < sources.Length; source++)
        {
            needed[_sourceIndices[source]] |= sources[source];
        }
        return [.. InputSchema.Where(column => needed[column.Index])];
    }

    /// <summary>A getter of an added column over the current row's encoded texts and their vectors, by source.</summary>
    public Delegate Getter(int index, Func<int, EncodedText> text, Func<int, float[]> vector)
    {
        OutputColumn output = _outputs[index - InputSchema.Count];
        return output.Kind switch
        {
            OutputKind.TokenCount => (ValueGetter<int>)((ref int value) => value = text(output.Source).TokenCount),
            OutputKind.Score => (ValueGetter<float>)((ref float value) => value = Cosine(vector(0), vector(1))),
            _ => _format.Getter(() => vector(output.Source)),
        };
    }

    /// <summary>Cosine in double, in index order so that it has the same bits everywhere; 0 where a vector is zero.</summary>
    public static float Cosine(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        double dot = 0, leftSquares = 0, rightSquares = 0;
        for (int i = 0; i < left.Length; i++)
        {
            dot += (double)left[i] * right[i];
            leftSquares += (double)left[i] * left[i];
            rightSquares += (double)right[i] * right[i];
        }
        double norms = Math.Sqrt(leftSquares) * Math.Sqrt(rightSquares);
        return norms == 0 ? 0 : (float)Math.Clamp(dot / norms, -1, 1);
    }

    private DataViewSchema Schema(string fingerprint)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(InputSchema);
        foreach (OutputColumn output in _outputs)
        {
            switch (output.Kind)
            {
                case OutputKind.TokenCount:
                    builder.AddColumn(output.Name, NumberDataViewType.Int32);
                    break;
                case OutputKind.Score:
                    builder.AddColumn(output.Name, NumberDataViewType.Single);
                    break;
                default:
                    builder.AddColumn(output.Name, _format.Type, Annotations(fingerprint));
                    break;
            }
        }
        return builder.ToSchema();
    }

    private DataViewSchema.Annotations Annotations(string fingerprint)
    {
        var builder = new DataViewSchema.Annotations.Builder();
        builder.Add<VBuffer<ReadOnlyMemory<char>>>(AnnotationNames.SlotNames, new VectorDataViewType(TextDataViewType.Instance, _format.Length), _format.SlotNames);
        builder.AddPrimitiveValue(AnnotationNames.Fingerprint, TextDataViewType.Instance, fingerprint.AsMemory());
        if (_format.IsNormalized)
        {
            builder.AddPrimitiveValue(AnnotationNames.IsNormalized, BooleanDataViewType.Instance, true);
        }
        return builder.ToAnnotations();
    }
}
