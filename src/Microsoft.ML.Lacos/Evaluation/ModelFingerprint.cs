using Microsoft.ML.Data;

namespace Microsoft.ML.Lacos.Evaluation;

/// <summary>Refuses to compare vectors of two models where their columns say which model they came from.</summary>
internal static class ModelFingerprint
{
    /// <summary>Name of the text annotation that names the model of a vector column.</summary>
    public const string AnnotationKind = "LacosModelFingerprint";

    /// <summary>Checks two columns; one without the annotation goes with any other.</summary>
    /// <exception cref="InvalidOperationException">The columns come from different models.</exception>
    public static void CheckSame(DataViewSchema.Column first, DataViewSchema.Column second)
    {
        string? firstModel = Read(first);
        string? secondModel = Read(second);
        if (firstModel is not null && secondModel is not null && !string.Equals(firstModel, secondModel, StringComparison.Ordinal))
        {
            throw new InvalidOperationException(
                $"Columns '{first.Name}' and '{second.Name}' hold vectors of two models (fingerprints {firstModel} and {secondModel}), whose directions have nothing to do with each other. Encode both columns with one model.");
        }
    }

    private static string? Read(DataViewSchema.Column column)
    {
        if (column.Annotations.Schema.GetColumnOrNull(AnnotationKind) is not { Type: TextDataViewType } annotation)
        {
            return null;
        }
        ReadOnlyMemory<char> value = default;
        column.Annotations.GetValue(annotation.Name, ref value);
        return value.IsEmpty ? null : value.ToString();
    }
}
