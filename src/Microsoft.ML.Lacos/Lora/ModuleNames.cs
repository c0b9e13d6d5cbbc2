using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.ML.Lacos.Bloom;

namespace Microsoft.ML.Lacos.Lora;

/// <summary>How PEFT picks modules by name (<c>tuners_utils.check_target_module_exists</c>).</summary>
internal static class ModuleNames
{
    /// <summary>Whether the name, or its end after a dot, is in the list.</summary>
    public static bool IsNamed(string module, IReadOnlyList<string> names)
    {
        HashSet<string> set = Sets<string>.Of(names);
        if (set.Contains(module) || set.Contains(BloomTensorNames.OptionalPrefix + module))
        {
            return true;
        }
        for (int dot = module.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = module.IndexOf('.', dot + 1))
        {
            if (set.Contains(module[(dot + 1)..]))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Whether a module belongs to a block of the list.</summary>
    public static bool IsIn(string module, IReadOnlyList<int> blocks) => Sets<int>.Of(blocks).Contains(Block(module));

    /// <summary>Index of the block that a module <c>h.INDEX.…</c> belongs to; -1 for others.</summary>
    public static int Block(string module)
    {
        string[] parts = module.Split('.');
        return parts.Length > 2 && parts[0] == "h" && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int block) ? block : -1;
    }

    // One set a list: a configuration is asked about module after module, and files decide how long both lists are.
    private static class Sets<T>
    {
        private static readonly ConditionalWeakTable<IReadOnlyList<T>, HashSet<T>> Known = [];

        public static HashSet<T> Of(IReadOnlyList<T> list) => Known.GetValue(list, static list => [.. list]);
    }
}
