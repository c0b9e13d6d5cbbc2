using System.Text.RegularExpressions;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Download;

/// <summary>Which model, at which revision.</summary>
internal sealed partial record RepositoryId
{
    private const int LongestRevision = 255;

    private RepositoryId(string name, string revision)
    {
        Name = name;
        Revision = revision;
    }

    /// <summary><c>owner/name</c>, or <c>name</c> alone.</summary>
    public string Name { get; }

    /// <summary>A branch, a tag or a commit.</summary>
    public string Revision { get; }

    /// <summary>The name without its owner.</summary>
    public string ShortName => Name[(Name.IndexOf('/', StringComparison.Ordinal) + 1)..];

    /// <summary>Reads what stands on the command line.</summary>
    /// <exception cref="UsageException">It is no name of a model, or no revision.</exception>
    public static RepositoryId Parse(string name, string revision)
    {
        if (!Pattern().IsMatch(name) || name.Contains("..", StringComparison.Ordinal) || name.Contains("--", StringComparison.Ordinal) || name.EndsWith(".git", StringComparison.Ordinal))
        {
            throw new UsageException($"'{TextInMessage.Of(name)}' is no name of a model. Write it as owner/name, for example bigscience/bloom-560m.");
        }
        // Git has no such names, and in an address they would lead elsewhere.
        if (revision.Length is 0 or > LongestRevision || revision is "." || revision.Contains("..", StringComparison.Ordinal) || revision.Contains('\\', StringComparison.Ordinal) || revision.Any(char.IsControl))
        {
            throw new UsageException($"--revision is '{TextInMessage.Of(revision)}'; it must be a branch, a tag or a commit, for example main.");
        }
        return new RepositoryId(name, revision);
    }

    /// <summary>Name and revision, for messages.</summary>
    public override string ToString() => $"'{Name}' at '{TextInMessage.Of(Revision)}'";

    [GeneratedRegex(@"\A(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?/)?[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?\z")]
    private static partial Regex Pattern();
}
