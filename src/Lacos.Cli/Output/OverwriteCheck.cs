using Lacos.Cli.Input;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Output;

/// <summary>Refuses an output that would take the place of what a command reads, by whatever way its path leads there.</summary>
internal static class OverwriteCheck
{
    // What a model folder may be read from; vectors, .lacos files and adapters in it are not.
    private static readonly string[] ModelExtensions = [".json", ".safetensors", ".md"];
    private const string AdapterPrefix = "adapter_";

    /// <summary>How this system tells file names apart.</summary>
    internal static readonly StringComparison PathComparison =
        OperatingSystem.IsWindows() || OperatingSystem.IsMacOS() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    /// <summary>Refuses to write a file.</summary>
    /// <param name="output">The file, or <c>-</c>.</param>
    /// <param name="model">A <c>.lacos</c> file or a model folder that is read; <see langword="null"/> for none.</param>
    /// <param name="adapter">Folder of an adapter that is read; <see langword="null"/> for none.</param>
    /// <param name="files">Other files that are read; <c>-</c> and <see langword="null"/> are none.</param>
    /// <exception cref="UsageException">One of these would be overwritten.</exception>
    public static void RefuseFile(string output, string? model, string? adapter, params IEnumerable<string?> files)
    {
        if (output == InputFile.Standard)
        {
            return;
        }
        string target = FinalPath.Of(output);
        (ulong, ulong)? identity = FileStatus.Identity(target);
        foreach (string input in Inputs(model, adapter, files))
        {
            if (FinalPath.Of(input).Equals(target, PathComparison) || (identity is not null && FileStatus.Identity(input) == identity))
            {
                throw new UsageException($"'{output}' would overwrite '{input}', which is read as input. Give the output another name.");
            }
        }
    }

    /// <summary>Whether two paths lead to the same place, which need not exist.</summary>
    public static bool AreSame(string left, string right) => FinalPath.Of(left).Equals(FinalPath.Of(right), PathComparison);

    /// <summary>Refuses to write a folder in place of what may be there.</summary>
    /// <param name="output">The folder.</param>
    /// <param name="model">As for <see cref="RefuseFile"/>.</param>
    /// <param name="adapter">As for <see cref="RefuseFile"/>.</param>
    /// <param name="files">As for <see cref="RefuseFile"/>.</param>
    /// <exception cref="UsageException">One of these is in it.</exception>
    public static void RefuseFolder(string output, string? model, string? adapter, params IEnumerable<string?> files)
    {
        string target = Path.TrimEndingDirectorySeparator(FinalPath.Of(output)) + Path.DirectorySeparatorChar;
        foreach (string input in Inputs(model, adapter, files))
        {
            if (FinalPath.Of(input).StartsWith(target, PathComparison))
            {
                throw new UsageException($"The folder '{output}' would be replaced, and with it '{input}', which is read as input. Give the output another name.");
            }
        }
    }

    /// <summary>All files that are there to be read.</summary>
    private static IEnumerable<string> Inputs(string? model, string? adapter, IEnumerable<string?> files)
    {
        string?[] adapterFiles = adapter is null ? [] : [Path.Combine(adapter, PeftAdapter.ConfigFileName), Path.Combine(adapter, PeftAdapter.WeightsFileName)];
        return ModelFiles(model).Concat(adapterFiles).Concat(files).OfType<string>().Where(input => input != InputFile.Standard && File.Exists(input));
    }

    private static IEnumerable<string?> ModelFiles(string? model)
    {
        if (!Directory.Exists(model))
        {
            return [model];
        }

        // The modules of a sentence-transformers folder stand one folder down.
        return Directory.EnumerateDirectories(model).Where(folder => File.Exists(Path.Combine(folder, "config.json"))).Prepend(model).SelectMany(Directory.EnumerateFiles).Where(
            file => ModelExtensions.Contains(Path.GetExtension(file).ToLowerInvariant(), StringComparer.Ordinal) && !Path.GetFileName(file).StartsWith(AdapterPrefix, StringComparison.Ordinal));
    }
}
