using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.ML.Lacos.Bloom;

namespace Microsoft.ML.Lacos.Lora;

/// <summary>How PEFT picks modules by name (<c>tuners_utils.check_target_module_exists</c>, <c>get_pattern_key</c>).</summary>
internal static class ModuleNames
{
    /// <summary>A pattern comes from a file; one that backtracks for ever must not hang the reader.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Whether the name, or its end after a dot, is in the list.</summary>
    public static bool IsNamed(string module, IReadOnlyList<string> names) =>
        names.Any(name => module == name || BloomTensorNames.OptionalPrefix + module == name || module.EndsWith("." + name, StringComparison.Ordinal));

    /// <summary>Whether the regular expression matches the whole name.</summary>
    public static bool Matches(string module, string pattern)
    {
        Regex regex = Compile($@"\A(?:{pattern})\z", pattern);
        return IsMatch(regex, module, pattern) || IsMatch(regex, BloomTensorNames.OptionalPrefix + module, pattern);
    }

    /// <summary>The value of the first pattern that matches the name or its end after a dot.</summary>
    public static T FirstMatch<T>(string module, IReadOnlyList<KeyValuePair<string, T>> patterns, T otherwise)
    {
        foreach ((string pattern, T value) in patterns)
        {
            Regex regex = Compile($@"\A(?:.*\.)?(?:{pattern})\z", pattern);
            if (IsMatch(regex, module, pattern) || IsMatch(regex, BloomTensorNames.OptionalPrefix + module, pattern))
            {
                return value;
            }
        }
        return otherwise;
    }

    /// <summary>Index of the block that a module <c>h.INDEX.…</c> belongs to; -1 for others.</summary>
    public static int Block(string module)
    {
        string[] parts = module.Split('.');
        return parts.Length > 2 && parts[0] == "h" && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int block) ? block : -1;
    }

    private static Regex Compile(string whole, string pattern)
    {
        try
        {
            return new Regex(whole, RegexOptions.CultureInvariant, Patience);
        }
        catch (ArgumentException error)
        {
            throw new InvalidDataException($"'{pattern}' in the adapter's configuration is no regular expression that .NET understands: {error.Message} Name the modules in a list instead.", error);
        }
    }

    private static bool IsMatch(Regex regex, string name, string pattern)
    {
        try
        {
            return regex.IsMatch(name);
        }
        catch (RegexMatchTimeoutException error)
        {
            throw new InvalidDataException($"The regular expression '{pattern}' in the adapter's configuration takes too long on '{name}'. Name the modules in a list instead.", error);
        }
    }
}
