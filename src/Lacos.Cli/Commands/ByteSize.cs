using System.CommandLine;
using System.Globalization;

namespace Lacos.Cli.Commands;

/// <summary>A number of bytes on the command line: a number alone, or with a unit such as in 500MB and 2GiB.</summary>
internal static class ByteSize
{
    private static readonly (string Name, long Bytes)[] Units =
        [("kib", 1L << 10), ("mib", 1L << 20), ("gib", 1L << 30), ("tib", 1L << 40), ("kb", 1_000), ("mb", 1_000_000), ("gb", 1_000_000_000), ("tb", 1_000_000_000_000), ("b", 1), ("", 1)];

    /// <summary>Makes an option whose value is a size of at least one byte.</summary>
    public static Option<long?> Option(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "size",
        CustomParser = result =>
        {
            string text = result.Tokens[^1].Value;
            if (Parse(text) is not long bytes)
            {
                result.AddError($"{name} is '{text}'; it must be a number of bytes from 1, or a size such as 500MB or 2GiB.");
                return null;
            }
            return bytes;
        },
    };

    /// <summary>Reads a size; <see langword="null"/> where it is none.</summary>
    internal static long? Parse(string text)
    {
        (string unit, long factor) = Array.Find(Units, entry => text.EndsWith(entry.Name, StringComparison.OrdinalIgnoreCase));
        return decimal.TryParse(text[..^unit.Length].TrimEnd(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number)
            && number <= long.MaxValue / factor && number * factor >= 1 ? (long)(number * factor) : null;
    }
}
