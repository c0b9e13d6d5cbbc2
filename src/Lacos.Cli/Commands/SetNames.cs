using Lacos.Cli.Input;
using Lacos.Cli.Terminal;

namespace Lacos.Cli.Commands;

/// <summary>Names of data sets that no two of them share.</summary>
internal static class SetNames
{
    /// <summary>A name for each file: its own without its endings, and before it as many folders as tell it from the others, as in <c>en/test</c>. Where two differ by their endings only, all keep theirs.</summary>
    /// <param name="paths">Paths, and <c>-</c>.</param>
    /// <exception cref="UsageException">A file is named twice.</exception>
    public static string[] Of(IReadOnlyList<string> paths)
    {
        string[] full = [.. paths.Select(path => path == InputFile.Standard ? path : Path.GetFullPath(path))];
        if (Array.Find(full, path => full.Count(path.Equals) > 1) is string twice)
        {
            throw new UsageException($"--data names '{paths[Array.IndexOf(full, twice)]}' twice. Name each file once.");
        }
        string[] stems = [.. full.Select(Stem)];
        string[][] parts = [.. (stems.Distinct(StringComparer.Ordinal).Count() == stems.Length ? stems : full).Select(path => path.Split(Path.DirectorySeparatorChar))];
        var folders = new int[full.Length];
        while (true)
        {
            string[] names = [.. parts.Select((part, index) => full[index] == InputFile.Standard ? "standard input" : string.Join('/', part.TakeLast(folders[index] + 1)))];
            int[] alike = [.. Enumerable.Range(0, names.Length).Where(index => names.Count(names[index].Equals) > 1)];
            if (alike.Length == 0)
            {
                return names;
            }
            foreach (int index in alike)
            {
                folders[index]++;
            }
        }
    }

    private static string Stem(string path) => Path.ChangeExtension(path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path, null);
}
