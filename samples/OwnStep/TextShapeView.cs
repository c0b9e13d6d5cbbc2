using Microsoft.ML;
using Microsoft.ML.Data;

namespace OwnStep;

/// <summary>The input with the new column, read when a cursor is.</summary>
/// <remarks>An <see cref="IDataTransform"/>, so that what walks back through a pipeline, as the conversion to ONNX does, meets a step here and not the source of the data.</remarks>
internal sealed class TextShapeView(TextShapeMapper mapper, IDataView input) : IDataTransform
{
    public IDataView Source => input;

    public DataViewSchema Schema => mapper.OutputSchema;

    public bool CanShuffle => input.CanShuffle;

    public long? GetRowCount() => input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        DataViewSchema.Column[] active = [.. columnsNeeded];
        return new Cursor(mapper, input.GetRowCursor(mapper.GetDependencies(active), rand), active);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        DataViewSchema.Column[] active = [.. columnsNeeded];
        return [.. input.GetRowCursorSet(mapper.GetDependencies(active), n, rand).Select(cursor => new Cursor(mapper, cursor, active))];
    }

    void ICanSaveModel.Save(ModelSaveContext ctx) => throw new NotSupportedException("A view cannot be saved. Save the transformer with mlContext.Model.Save.");

    // A row that moves on.
    private sealed class Cursor(TextShapeMapper mapper, DataViewRowCursor input, IEnumerable<DataViewSchema.Column> activeColumns) : DataViewRowCursor
    {
        private readonly TextShapeRow _row = new(mapper, input, activeColumns);

        public override DataViewSchema Schema => _row.Schema;

        public override long Position => _row.Position;

        public override long Batch => _row.Batch;

        public override bool MoveNext() => input.MoveNext();

        public override ValueGetter<DataViewRowId> GetIdGetter() => _row.GetIdGetter();

        public override bool IsColumnActive(DataViewSchema.Column column) => _row.IsColumnActive(column);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => _row.GetGetter<TValue>(column);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _row.Dispose();
            }
            base.Dispose(disposing);
        }
    }
}
