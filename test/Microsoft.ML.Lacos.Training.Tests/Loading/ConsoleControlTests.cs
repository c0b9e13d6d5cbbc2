using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Training.Loading;

namespace Microsoft.ML.Lacos.Training.Tests.Loading;

[TestClass]
public sealed partial class ConsoleControlTests
{
    [TestMethod]
    public void TheFortranRuntimeOfWindowsIsToldToLeaveCtrlCAlone()
    {
        if (!OperatingSystem.IsWindows())
        {
            Assert.Inconclusive("Not run: only torch for Windows brings a runtime that ends the process on Ctrl-C.");
        }
        RuntimeHelpers.RunModuleConstructor(typeof(LacosBloomTrainer).Module.ModuleHandle);
        Assert.IsFalse(string.IsNullOrEmpty(Marshal.PtrToStringUTF8(GetEnvironmentVariable(ConsoleControl.Variable))));
    }

    [LibraryImport("ucrtbase", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetEnvironmentVariable(string name);
}
