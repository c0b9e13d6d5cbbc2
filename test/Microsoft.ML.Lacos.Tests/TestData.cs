namespace Microsoft.ML.Lacos.Tests;

/// <summary>Finds the data that lies beside a checkout; a test that needs what is not there is reported as inconclusive, with the reason.</summary>
internal static class TestData
{
    private static readonly string? SharedFolder = FindShared();

    /// <summary>Path below the reference outputs: the folder that LACOS_GOLDEN names, else <c>golden</c> in the shared folder.</summary>
    public static string Golden(params string[] parts)
    {
        string? root = Environment.GetEnvironmentVariable("LACOS_GOLDEN");
        root = string.IsNullOrEmpty(root) ? SharedFolder is null ? null : Path.Combine(SharedFolder, "golden") : root;
        return Existing(root, parts, "reference outputs (set LACOS_GOLDEN to their folder)");
    }

    /// <summary>Path below the shared folder, for example <c>Shared("data", "sts")</c>.</summary>
    public static string Shared(params string[] parts) => Existing(SharedFolder, parts, "the shared data folder beside the checkout");

    private static string Existing(string? root, string[] parts, string what)
    {
        string relative = Path.Combine(parts);
        if (root is null)
        {
            Assert.Inconclusive($"Not run: {what} not found, needed '{relative}'.");
        }
        string path = Path.Combine(root!, relative);
        if (!File.Exists(path) && !Directory.Exists(path))
        {
            Assert.Inconclusive($"Not run: '{relative}' is not in {what}.");
        }
        return path;
    }

    private static string? FindShared()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "shared");
            if (Directory.Exists(Path.Combine(candidate, "golden")) || Directory.Exists(Path.Combine(candidate, "data")))
            {
                return candidate;
            }
        }
        return null;
    }
}
