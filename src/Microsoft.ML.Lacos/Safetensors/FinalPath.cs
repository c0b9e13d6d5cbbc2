namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>Where a path leads when every link in it is followed.</summary>
internal static class FinalPath
{
    private const int MostLinks = 40;

    /// <summary>The absolute path without a link in it; what does not exist yet stays as it is.</summary>
    /// <exception cref="IOException">Links lead to one another.</exception>
    public static string Of(string path)
    {
        string full = Path.GetFullPath(path);
        string resolved = Path.GetPathRoot(full)!;
        var rest = new Stack<string>();
        PushParts(rest, full[resolved.Length..]);
        int links = 0;
        while (rest.TryPop(out string? part))
        {
            // A target may step up, from where the link stands and not from where it was named.
            if (part == "..")
            {
                resolved = Path.GetDirectoryName(resolved) ?? resolved;
                continue;
            }
            string next = Path.Combine(resolved, part);
            if (new FileInfo(next).LinkTarget is not { Length: > 0 } target)
            {
                resolved = next;
                continue;
            }
            if (++links > MostLinks)
            {
                throw new IOException($"'{path}' leads through more than {MostLinks} links, perhaps in a circle. Give the path of the file itself.");
            }
            if (Path.GetPathRoot(target) is { Length: > 0 } root)
            {
                resolved = Path.GetFullPath(root, resolved);
                target = target[root.Length..];
            }
            PushParts(rest, target);
        }
        return resolved;
    }

    private static void PushParts(Stack<string> rest, string path)
    {
        foreach (string part in path.Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar]).Where(part => part is not ("" or ".")).Reverse())
        {
            rest.Push(part);
        }
    }
}
