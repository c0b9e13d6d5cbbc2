using System.Reflection;

namespace Microsoft.ML.Lacos.Training.Tests.Trainer;

/// <summary>The shape of a schema, which ML.NET makes for itself when it checks a chain.</summary>
internal static class SchemaShapes
{
    public static SchemaShape Of(DataViewSchema schema) =>
        (SchemaShape)typeof(SchemaShape).GetMethod("Create", BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public, [typeof(DataViewSchema)])!.Invoke(null, [schema])!;
}
