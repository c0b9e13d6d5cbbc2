using Microsoft.ML.Data;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>The input with vector columns added; nothing is read or encoded before a cursor asks.</summary>
/// <remarks>
/// An <see cref="IDataTransform"/>, so that what walks back through a pipeline sees a step here and not the source of the data: the conversion to ONNX then refuses a pipeline whose vectors
/// it would otherwise leave out without a word.
/// </remarks>
internal sealed class EmbeddingView(EmbeddingContext context, IDataView input) : IDataTransform
{
    public IDataView Source => input;

    public EmbeddingContext Context { get; } = context;

    public ColumnBindings Bindings { get; } = context.Bind(input.Schema);

    public DataViewSchema Schema => Bindings.OutputSchema;

    public bool CanShuffle => input.CanShuffle;

    public long? GetRowCount() => input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        bool[] active = Bindings.Active(columnsNeeded);
        return Wrap([input.GetRowCursor(Bindings.Dependencies(active), rand)], active)[0];
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        bool[] active = Bindings.Active(columnsNeeded);
        return Wrap(input.GetRowCursorSet(Bindings.Dependencies(active), n, rand), active);
    }

    // Reached only by ML.NET's own saving of views, which no public method leads to.
    void ICanSaveModel.Save(ModelSaveContext ctx) => throw new NotSupportedException("A view cannot be saved. Save the transformer with mlContext.Model.Save.");

    private DataViewRowCursor[] Wrap(DataViewRowCursor[] inputs, bool[] active)
    {
        try
        {
            if (!Bindings.ActiveSources(active).Contains(true))
            {
                return [.. inputs.Select(cursor => new PassThroughCursor(this, cursor, active))];
            }
            var tally = new LongTextTally(inputs.Length, Context.ReportLongTexts);
            return [.. inputs.Select(cursor => new LookAheadCursor(this, cursor, active, tally))];
        }
        catch
        {
            foreach (DataViewRowCursor cursor in inputs)
            {
                cursor.Dispose();
            }
            throw;
        }
    }
}
