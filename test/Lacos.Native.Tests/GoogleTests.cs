namespace Lacos.Native.Tests;

/// <summary>Runs the native GoogleTest executables, one suite a test.</summary>
[TestClass]
public sealed class GoogleTests(TestContext context)
{
    private const string NotBuilt = "(not built)";
    private static readonly string[] s_emulatedKernels = ["amx", "avx512vnni", "avxvnni", "neon"];

    /// <summary>Names of the suites; a placeholder where the executable was not built, so that this is seen.</summary>
    public static IEnumerable<object[]> Suites => SuitesOf(GoogleTestExecutable.Hardware, _ => true);

    /// <summary>Of the emulated kernels, the suites that run on every kernel set.</summary>
    public static IEnumerable<object[]> EmulatedSuites => SuitesOf(GoogleTestExecutable.Emulated, suite => suite.StartsWith("Kernels/", StringComparison.Ordinal));

    [TestMethod]
    [DynamicData(nameof(Suites))]
    public void NativeSuitePasses(string suite)
    {
        if (suite == NotBuilt)
        {
            Assert.Inconclusive($"Not run: '{GoogleTestExecutable.Hardware.Path}' was not built. It needs CMake, a C++17 compiler and GoogleTest (Debian, Ubuntu: apt-get install cmake g++ libgtest-dev), then a new build.");
        }
        Pass(GoogleTestExecutable.Hardware, suite, $"{suite}.*");
    }

    [TestMethod]
    [DynamicData(nameof(EmulatedSuites))]
    public void NativeSuitePassesOnEmulatedKernels(string suite)
    {
        if (suite == NotBuilt)
        {
            Assert.Inconclusive($"Not run: '{GoogleTestExecutable.Emulated.Path}' was not built. It needs an x86-64 machine and what the native tests need, with GCC or Clang.");
        }
        Pass(GoogleTestExecutable.Emulated, suite, string.Join(':', s_emulatedKernels.Select(kernels => $"{suite}.*/{kernels}*")));
    }

    [TestMethod]
    public void EverySuiteOfTheKernelsRunsOnTheScalarReference()
    {
        if (!GoogleTestExecutable.Hardware.IsBuilt)
        {
            Assert.Inconclusive("Not run: the native tests were not built.");
        }
        string[] suites = [.. GoogleTestExecutable.Hardware.Suites()];
        string list = GoogleTestExecutable.Hardware.Run("--gtest_list_tests").Output;
        foreach (string suite in suites.Where(suite => suite.StartsWith("Kernels/", StringComparison.Ordinal)))
        {
            string tests = list[list.IndexOf(suite + ".", StringComparison.Ordinal)..];
            int next = tests.IndexOf("\nKernels/", StringComparison.Ordinal);
            StringAssert.Contains(next < 0 ? tests : tests[..next], "/scalar", suite);
        }
    }

    private static IEnumerable<object[]> SuitesOf(GoogleTestExecutable executable, Func<string, bool> isWanted) =>
        executable.IsBuilt ? executable.Suites().Where(isWanted).Select(suite => new object[] { suite }) : [[NotBuilt]];

    private void Pass(GoogleTestExecutable executable, string suite, string filter)
    {
        (int exitCode, string output) = executable.Run($"--gtest_filter={filter}", "--gtest_brief=1");
        context.WriteLine(output);
        Assert.AreEqual(0, exitCode, output);
        StringAssert.Contains(output, "[  PASSED  ]", $"suite {suite} ran no test");
        if (output.Contains("[  PASSED  ] 0 tests", StringComparison.Ordinal) && output.Contains("[  SKIPPED ]", StringComparison.Ordinal))
        {
            Assert.Inconclusive($"Not run on this machine: every test of the suite says why it is skipped.\n{output}");
        }
        Assert.DoesNotContain("[  PASSED  ] 0 tests", output);
    }
}
