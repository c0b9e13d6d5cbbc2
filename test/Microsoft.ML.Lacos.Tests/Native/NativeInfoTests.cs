using System.Diagnostics;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Tests.Bloom;

namespace Microsoft.ML.Lacos.Tests.Native;

[TestClass]
public sealed class NativeInfoTests
{
    [TestMethod]
    public void EitherTheLibraryIsThereOrTheReasonIs()
    {
        NativeInfo info = NativeInfo.Get();
        Assert.AreEqual(info.IsAvailable, info.UnavailableReason is null);
        Assert.AreEqual(info.IsAvailable, info.Path is not null);
        Assert.AreNotEqual(string.Empty, info.ChosenReason);
    }

    [TestMethod]
    public void KernelsAreListedWithOneDefaultAndAReasonEach()
    {
        NativeKernels.Require();
        NativeInfo info = NativeInfo.Get();
        CollectionAssert.AreEqual(new[] { "amx", "avx512vnni", "avxvnni", "avx2", "neoni8mm", "neondot", "neon", "scalar" }, info.Kernels.Select(kernel => kernel.Name).ToArray());
        Assert.HasCount(1, info.Kernels.Where(kernel => kernel.IsDefault).ToArray());
        Assert.IsTrue(info.Kernels.All(kernel => kernel.State.Length > 0 && kernel.Description.Length > 0));
        Assert.IsTrue(info.Kernels.Single(kernel => kernel.Name == "scalar").IsBuilt);
        Assert.IsGreaterThan(0, info.DefaultThreadCount);
        Assert.AreNotEqual(string.Empty, info.ThreadCountReason);
        Assert.AreNotEqual(string.Empty, info.CpuName);
    }

    [TestMethod]
    public void TheLibraryLiesUnderRuntimesInTheOutputFolder()
    {
        NativeKernels.Require();
        StringAssert.StartsWith(NativeInfo.Get().Path, Path.Combine(AppContext.BaseDirectory, "runtimes", NativeLibraryLoader.RuntimeIdentifier));
    }

    [TestMethod]
    public void AFileThatIsNoLibraryIsRefusedWithAReasonAndNoCrash()
    {
        // The loader runs once a process, so a process of its own asks.
        string file = Path.GetTempFileName();
        try
        {
            Assert.AreEqual("LACOS_NATIVE_LIBRARY names 'missing.so', which does not exist. Correct or unset the variable.", ReasonInAChild("missing.so"));
            StringAssert.Contains(ReasonInAChild(file), "cannot be loaded");
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Runs <see cref="PrintReason"/> in this test executable with the variable set.</summary>
    private static string ReasonInAChild(string library)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (string.Equals(Path.GetFileNameWithoutExtension(Environment.ProcessPath), "dotnet", StringComparison.OrdinalIgnoreCase))
        {
            start.ArgumentList.Add(typeof(NativeInfoTests).Assembly.Location);
        }
        start.ArgumentList.Add("--filter");
        start.ArgumentList.Add($"FullyQualifiedName={typeof(NativeInfoTests).FullName}.{nameof(PrintReason)}");
        start.ArgumentList.Add("--results-directory");
        string results = Path.Combine(Path.GetTempPath(), "lacos-native-" + Guid.NewGuid().ToString("N"));
        start.ArgumentList.Add(results);
        start.Environment["LACOS_NATIVE_LIBRARY"] = library;
        start.Environment["LACOS_TEST_REASON_FILE"] = results + ".txt";
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> error = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            Assert.IsTrue(process.WaitForExit(60_000));
            Assert.AreEqual(0, process.ExitCode, output + error.Result);
            return File.ReadAllText(results + ".txt");
        }
        finally
        {
            File.Delete(results + ".txt");
            if (Directory.Exists(results))
            {
                Directory.Delete(results, recursive: true);
            }
        }
    }

    [TestMethod]
    public void PrintReason()
    {
        string? file = Environment.GetEnvironmentVariable("LACOS_TEST_REASON_FILE");
        if (file is not null)
        {
            Assert.IsFalse(NativeLibraryLoader.IsAvailable);
            File.WriteAllText(file, NativeLibraryLoader.UnavailableReason);
        }
    }
}
