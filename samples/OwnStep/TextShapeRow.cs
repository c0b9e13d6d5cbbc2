using Microsoft.ML;
using Microsoft.ML.Data;

namespace OwnStep;

/// <summary>A row of the input with the new column.</summary>
internal sealed class TextShapeRow(TextShapeMapper mapper, DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns) : DataViewRow
{
    private readonly HashSet<int> _active = [.. activeColumns.Select(column => column.Index)];

    public override DataViewSchema Schema => mapper.OutputSchema;

    public override long Position => input.Position;

    public override long Batch => input.Batch;

    public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

    public override bool IsColumnActive(DataViewSchema.Column column) => _active.Contains(column.Index);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => IsColumnActive(column)
        ? mapper.Getter<TValue>(input, column)
        : throw new ArgumentOutOfRangeException(nameof(column), $"Column '{column.Name}' is not active here. Name it among the columns needed when asking for the row or the cursor.");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            input.Dispose();
        }
        base.Dispose(disposing);
    }
}
