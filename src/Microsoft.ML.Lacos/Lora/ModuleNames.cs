using System.Globalization;
using Microsoft.ML.Lacos.Bloom;

namespace Microsoft.ML.Lacos.Lora;

/// <summary>How PEFT picks modules by name (<c>tuners_utils.check_target_module_exists</c>).</summary>
internal static class ModuleNames
{
    /// <summary>Whether the name, or its end after a dot, is in the list.</summary>
    public static bool IsNamed(string module, IReadOnlyList<string> names) =>
        names.Any(name => module == name || BloomTensorNames.OptionalPrefix + module == name || module.EndsWith("." + name, StringComparison.Ordinal));

    /// <summary>Index of the block that a module <c>h.INDEX.…</c> belongs to; -1 for others.</summary>
    public static int Block(string module)
    {
        string[] parts = module.Split('.');
        return parts.Length > 2 && parts[0] == "h" && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int block) ? block : -1;
    }
}
