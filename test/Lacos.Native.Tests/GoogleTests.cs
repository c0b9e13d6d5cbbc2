namespace Lacos.Native.Tests;

/// <summary>Runs the native GoogleTest executable, one suite a test.</summary>
[TestClass]
public sealed class GoogleTests(TestContext context)
{
    private const string NotBuilt = "(not built)";

    /// <summary>Names of the suites; a placeholder where the executable was not built, so that this is seen.</summary>
    public static IEnumerable<object[]> Suites => GoogleTestExecutable.IsBuilt ? GoogleTestExecutable.Suites().Select(suite => new object[] { suite }) : [[NotBuilt]];

    [TestMethod]
    [DynamicData(nameof(Suites))]
    public void NativeSuitePasses(string suite)
    {
        if (suite == NotBuilt)
        {
            Assert.Inconclusive($"Not run: '{GoogleTestExecutable.Path}' was not built. It needs CMake, a C++17 compiler and GoogleTest (Debian, Ubuntu: apt-get install cmake g++ libgtest-dev), then a new build.");
        }
        (int exitCode, string output) = GoogleTestExecutable.Run($"--gtest_filter={suite}.*", "--gtest_brief=1");
        context.WriteLine(output);
        Assert.AreEqual(0, exitCode, output);
        StringAssert.Contains(output, "[  PASSED  ]", $"suite {suite} ran no test");
        if (output.Contains("[  PASSED  ] 0 tests", StringComparison.Ordinal) && output.Contains("[  SKIPPED ]", StringComparison.Ordinal))
        {
            Assert.Inconclusive($"Not run on this machine: every test of the suite says why it is skipped.\n{output}");
        }
        Assert.DoesNotContain("[  PASSED  ] 0 tests", output);
    }

    [TestMethod]
    public void EverySuiteOfTheKernelsRunsOnTheScalarReference()
    {
        if (!GoogleTestExecutable.IsBuilt)
        {
            Assert.Inconclusive("Not run: the native tests were not built.");
        }
        string[] suites = [.. GoogleTestExecutable.Suites()];
        string list = GoogleTestExecutable.Run("--gtest_list_tests").Output;
        foreach (string suite in suites.Where(suite => suite.StartsWith("Kernels/", StringComparison.Ordinal)))
        {
            string tests = list[list.IndexOf(suite + ".", StringComparison.Ordinal)..];
            int next = tests.IndexOf("\nKernels/", StringComparison.Ordinal);
            StringAssert.Contains(next < 0 ? tests : tests[..next], "/scalar", suite);
        }
    }
}
