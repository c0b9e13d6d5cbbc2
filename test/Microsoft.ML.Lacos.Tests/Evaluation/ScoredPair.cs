using Microsoft.ML.Data;

namespace Microsoft.ML.Lacos.Tests.Evaluation;

/// <summary>A row with a label and two vectors, of any label and element type.</summary>
internal sealed class ScoredPair<TLabel, TElement>
{
    public TLabel Label { get; set; } = default!;

    public TElement[] Embedding1 { get; set; } = [];

    public TElement[] Embedding2 { get; set; } = [];

    /// <summary>A view over rows; the vectors' length is that of the first row's, or unknown where they differ.</summary>
    public static IDataView View(MLContext context, IReadOnlyList<ScoredPair<TLabel, TElement>> rows, string? model1 = null, string? model2 = null)
    {
        SchemaDefinition schema = SchemaDefinition.Create(typeof(ScoredPair<TLabel, TElement>));
        Shape(schema[nameof(Embedding1)], [.. rows.Select(row => row.Embedding1.Length)], model1);
        Shape(schema[nameof(Embedding2)], [.. rows.Select(row => row.Embedding2.Length)], model2);
        return context.Data.LoadFromEnumerable(rows, schema);
    }

    private static void Shape(SchemaDefinition.Column column, int[] lengths, string? model)
    {
        var item = (PrimitiveDataViewType)((VectorDataViewType)column.ColumnType).ItemType;
        column.ColumnType = lengths.Length > 0 && lengths.Distinct().Count() == 1 ? new VectorDataViewType(item, lengths[0]) : new VectorDataViewType(item);
        if (model is not null)
        {
            column.AddAnnotation("LacosModelFingerprint", model.AsMemory(), TextDataViewType.Instance);
        }
    }
}
