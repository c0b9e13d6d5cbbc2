using Microsoft.ML.Data;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>Adds vector columns to single rows, for <see cref="PredictionEngine{TSrc, TDst}"/>.</summary>
internal sealed class EmbeddingRowMapper(EmbeddingContext context, DataViewSchema inputSchema) : IRowToRowMapper
{
    public EmbeddingContext Context { get; } = context;

    public ColumnBindings Bindings { get; } = context.Bind(inputSchema);

    public DataViewSchema InputSchema => Bindings.InputSchema;

    public DataViewSchema OutputSchema => Bindings.OutputSchema;

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns) =>
        Bindings.Dependencies(Bindings.Active(dependingColumns));

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.Schema != InputSchema)
        {
            throw new ArgumentException("The row is of another schema than the mapper. Ask GetRowToRowMapper for a mapper of the row's own schema.", nameof(input));
        }
        return new EmbeddingRow(this, input, Bindings.Active(activeColumns));
    }
}
