using Lacos.Cli.Input;

namespace Lacos.Cli.Tests.Input;

/// <summary>Reads a column of a file, whatever its format.</summary>
internal static class RecordColumn
{
    /// <summary>The values of a column.</summary>
    public static string?[] Read(string path, string column)
    {
        using RecordReader records = RecordReader.Open(path, null, hasHeader: true, Stream.Null);
        int index = records.Find(column);
        var texts = new List<string?>();
        var values = new string?[1];
        while (records.Read([index], values))
        {
            texts.Add(values[0]);
        }
        return [.. texts];
    }
}
