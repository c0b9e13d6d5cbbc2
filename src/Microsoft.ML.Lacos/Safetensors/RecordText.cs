using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;

namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>Text of a record that holds lists: as the compiler writes it, with a list's elements instead of the name of its type.</summary>
internal static class RecordText
{
    private const int MostElements = 32;

    /// <summary>The record's name, and the name and value of each public property, whatever the culture; of a long list, such as a layer's weights, the first elements and how many more there are.</summary>
    /// <param name="record">The record.</param>
    public static string Of<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] T>(T record)
        where T : notnull
    {
        IEnumerable<string> members = typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(property => $"{property.Name} = {Text(property.GetValue(record))}");
        return $"{typeof(T).Name} {{ {string.Join(", ", members)} }}";
    }

    private static string Text(object? value) => value switch
    {
        null => "",
        string text => text,
        ICollection list => List(list),
        IEnumerable list => List(list.Cast<object?>().ToArray()),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private static string List(ICollection elements)
    {
        IEnumerable<string> shown = elements.Cast<object?>().Take(MostElements).Select(Text);
        return $"[{string.Join(", ", elements.Count <= MostElements ? shown : shown.Append(string.Create(CultureInfo.InvariantCulture, $"and {elements.Count - MostElements} more")))}]";
    }
}
