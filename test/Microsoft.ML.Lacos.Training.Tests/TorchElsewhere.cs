namespace Microsoft.ML.Lacos.Training.Tests;

/// <summary>For tests of programs that train: where TorchSharp has no native library for the system, the program says so, and its test is not run.</summary>
internal static class TorchElsewhere
{
    /// <summary>What only an error on such a system says. Where a package would have to bring the library and did not, the advice is another, and the test fails.</summary>
    public const string Advice = "train on one of them. What was trained is used anywhere, without libtorch.";

    /// <summary>Passes on what a program wrote to standard error.</summary>
    /// <param name="error">The text.</param>
    public static string OrNotRun(string error)
    {
        if (error.Contains(Advice, StringComparison.Ordinal))
        {
            Assert.Inconclusive($"Not run: {error.Trim()}");
        }
        return error;
    }
}
