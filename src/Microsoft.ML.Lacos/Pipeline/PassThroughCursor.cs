using Microsoft.ML.Data;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>A cursor of which only the input's own columns are asked: no look-ahead, no encoding.</summary>
internal sealed class PassThroughCursor(EmbeddingView view, DataViewRowCursor input, bool[] active) : DataViewRowCursor
{
    public override DataViewSchema Schema => view.Schema;

    public override long Position => input.Position;

    public override long Batch => input.Batch;

    public override bool MoveNext() => input.MoveNext();

    public override bool IsColumnActive(DataViewSchema.Column column) => active[ColumnErrors.IndexOf(Schema, column)];

    public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        int index = ColumnErrors.IndexOf(Schema, column);
        return active[index] ? input.GetGetter<TValue>(input.Schema[index]) : throw ColumnErrors.NotActive(column);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            input.Dispose();
        }
        base.Dispose(disposing);
    }
}
