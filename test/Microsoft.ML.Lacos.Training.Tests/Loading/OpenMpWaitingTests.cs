using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Training.Loading;

namespace Microsoft.ML.Lacos.Training.Tests.Loading;

[TestClass]
public sealed partial class OpenMpWaitingTests
{
    [TestMethod]
    public void NativeLibrariesSeeAShortSpinUnlessTheUserSaysOtherwise()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Inconclusive("Not run: only the OpenMP runtime of Linux is told how long to spin.");
        }
        RuntimeHelpers.RunModuleConstructor(typeof(LacosBloomTrainer).Module.ModuleHandle);
        string? seen = Marshal.PtrToStringUTF8(GetEnvironmentVariable(OpenMpWaiting.Variable));
        string? users = Environment.GetEnvironmentVariable(OpenMpWaiting.Variable);
        string? expected = users ?? (Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is null ? OpenMpWaiting.SpinCount.ToString(CultureInfo.InvariantCulture) : null);
        Assert.AreEqual(expected, seen);
    }

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetEnvironmentVariable(string name);
}
