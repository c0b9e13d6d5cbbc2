using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Training.Loading;

namespace Microsoft.ML.Lacos.Training.Tests.Loading;

[TestClass]
[DoNotParallelize]
public sealed class AnonymousLibraryTests
{
    [TestMethod]
    public void ALibraryIsLoadedFromMemoryAndFromAFileThatIsGoneAfterwards()
    {
        byte[] image = Image();
        string[] before = Folders();
        nint fromMemory = AnonymousLibrary.Load("libexample.so", image);
        nint fromFile = AnonymousLibrary.LoadFromFile("libexample.so", image);
        Assert.AreNotEqual(0, fromMemory);
        Assert.AreNotEqual(0, fromFile);
        Assert.AreNotEqual(fromMemory, fromFile, "two files are two libraries");
        NativeLibrary.Free(fromMemory);
        NativeLibrary.Free(fromFile);
        CollectionAssert.AreEqual(before, Folders());
    }

    [TestMethod]
    public void WhatIsNoLibraryIsRefusedAndLeavesNoFile()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Inconclusive("Not run: libraries are loaded from memory on Linux only.");
        }
        string[] before = Folders();
        Assert.ThrowsExactly<DllNotFoundException>(() => AnonymousLibrary.Load("libexample.so", new byte[100]));
        CollectionAssert.AreEqual(before, Folders());
    }

    // A small library whose own needs TorchSharp has loaded.
    private static byte[] Image()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", "libtorch.so");
        if (!OperatingSystem.IsLinux() || !File.Exists(path))
        {
            Assert.Inconclusive("Not run: libtorch for linux-x64 is not in the output folder of this platform.");
        }
        TorchSharpLoader.EnsureLoadable();
        return File.ReadAllBytes(path);
    }

    private static string[] Folders() => [.. Directory.GetDirectories(Path.GetTempPath(), "lacos-*").Order(StringComparer.Ordinal)];
}
