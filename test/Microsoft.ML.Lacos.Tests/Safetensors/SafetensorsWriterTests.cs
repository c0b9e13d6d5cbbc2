using CsCheck;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Tests.Safetensors;

[TestClass]
public sealed unsafe class SafetensorsWriterTests
{
    [TestMethod]
    public void WhatIsWrittenIsReadBackWithAlignedData()
    {
        Gen.Select(Gen.Float.Array[0, 40], Gen.Byte.Array[0, 40], Gen.String).Sample((floats, bytes, text) =>
        {
            if (!IsUnicode(text))
            {
                return;
            }
            var writer = new SafetensorsWriter();
            writer.SetMetadata("key", text);
            writer.Add("bytes", SafetensorsDType.U8, bytes, bytes.Length);
            writer.Add("floats", SafetensorsDType.F32, floats, floats.Length, 1);
            using var stream = new MemoryStream();
            writer.WriteTo(stream);
            stream.Position = 0;
            using SafetensorsFile file = SafetensorsFile.Read(stream, "test");
            Assert.AreEqual(text, file.Metadata["key"]);
            SafetensorsEntry entry = file.Require("bytes");
            CollectionAssert.AreEqual(bytes, new ReadOnlySpan<byte>(file.Pointer(entry), bytes.Length).ToArray());
            float[] read = file.ReadFloats("floats", requireFinite: false);
            CollectionAssert.AreEqual(floats, read);
            Assert.AreEqual((nint)0, (nint)file.Pointer(file.Require("floats")) % 64);
        }, iter: 300);
    }

    [TestMethod]
    public void TensorsThatAskForItBeginAtCacheLinesWhereverTheyWereAdded()
    {
        var writer = new SafetensorsWriter();
        writer.Add("odd", SafetensorsDType.U8, new byte[3], 3);
        writer.Add("float", SafetensorsDType.F32, new float[1], 1);
        writer.AddAligned("first", SafetensorsDType.U8, stream => stream.Write(new byte[64]), 64);
        writer.AddAligned("second", SafetensorsDType.U8, stream => stream.Write(new byte[128]), 2, 64);
        using var stream = new MemoryStream();
        writer.WriteTo(stream);
        stream.Position = 0;
        using SafetensorsFile file = SafetensorsFile.Read(stream, "test");
        foreach (string name in (string[])["first", "second"])
        {
            Assert.AreEqual((nint)0, (nint)file.Pointer(file.Require(name)) % 64, name);
        }
        Assert.AreEqual((nint)0, (nint)file.Pointer(file.Require("float")) % 4);
    }

    [TestMethod]
    public void TheSameNameTwiceIsRefused()
    {
        var writer = new SafetensorsWriter();
        writer.Add("a", SafetensorsDType.U8, new byte[1], 1);
        Assert.ThrowsExactly<ArgumentException>(() => writer.Add("a", SafetensorsDType.U8, new byte[1], 1));
        Assert.ThrowsExactly<ArgumentException>(() => writer.Add("b", SafetensorsDType.U8, new byte[1], 2));
    }

    [TestMethod]
    public void FailedWriteLeavesTheOldFileAndNoOther()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("out");
        File.WriteAllText(path, "old");
        Assert.ThrowsExactly<InvalidOperationException>(() => AtomicFile.Write(path, stream =>
        {
            stream.WriteByte(1);
            throw new InvalidOperationException("full");
        }));
        Assert.AreEqual("old", File.ReadAllText(path));
        Assert.HasCount(1, Directory.GetFiles(folder.Path));
        AtomicFile.Write(path, stream => stream.Write("new"u8));
        Assert.AreEqual("new", File.ReadAllText(path));
        Assert.HasCount(1, Directory.GetFiles(folder.Path));
        Assert.ThrowsExactly<DirectoryNotFoundException>(() => AtomicFile.Write(folder.File("none", "out"), stream => stream.WriteByte(1)));
    }

    [TestMethod]
    public void WhatAKilledWriterHasLeftGoesAndWhatAnotherIsWritingStays()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("model");
        File.WriteAllText(AtomicFile.TemporaryOf(path), "half");
        File.WriteAllText(AtomicFile.TemporaryOf(folder.File("other")), "half");
        AtomicFile.Write(path, stream =>
        {
            stream.Write("first"u8);
            AtomicFile.Write(path, second => second.Write("second"u8));
            Assert.AreEqual("second", File.ReadAllText(path));
        });
        Assert.AreEqual("first", File.ReadAllText(path));
        string[] left = [.. Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal)!];
        Assert.HasCount(2, left);
        StringAssert.StartsWith(left[0], ".other.");
        Assert.AreEqual("model", left[1]);
    }

    [TestMethod]
    public void ANameMayBeAsLongAsTheFileSystemAllows()
    {
        using var folder = new TemporaryFolder();
        string stem = new string('a', 39) + "🎻" + new string('猫', 67), first = stem + "-one.lacos", second = stem + "-two.lacos";
        File.WriteAllText(AtomicFile.TemporaryOf(folder.File(first)), "half");
        File.WriteAllText(AtomicFile.TemporaryOf(folder.File(second)), "half");
        AtomicFile.Write(folder.File(first), stream => stream.Write("new"u8));
        Assert.AreEqual("new", File.ReadAllText(folder.File(first)));
        string left = Directory.GetFiles(folder.Path).Single(path => path != folder.File(first));
        Assert.IsTrue(AtomicFile.IsTemporaryOf(second, left));
        Assert.IsFalse(AtomicFile.IsTemporaryOf(first, left));
        Assert.IsTrue(IsUnicode(left));
    }

    [TestMethod]
    public void AFolderAtTheNameIsRefusedBeforeAnythingIsWritten()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("model"));
        foreach (string path in (string[])[folder.File("model"), folder.File("model") + Path.DirectorySeparatorChar])
        {
            string message = Assert.ThrowsExactly<IOException>(() => AtomicFile.Write(path, _ => Assert.Fail("written"))).Message;
            StringAssert.Contains(message, "it is a folder");
        }
        Assert.HasCount(1, Directory.GetFileSystemEntries(folder.Path));
    }

    [TestMethod]
    public void AnArrayOfMoreThanTwoGibibytesIsWritten()
    {
        // Never written to, so that the system need not find the memory.
        float[] values = GC.AllocateUninitializedArray<float>((1 << 29) + 3);
        var writer = new SafetensorsWriter();
        writer.Add("large", SafetensorsDType.F32, values, values.Length);
        using var stream = new CountingStream();
        writer.WriteTo(stream);
        Assert.IsGreaterThan(4L * values.Length, stream.Count);
    }

    private sealed class CountingStream : WriteOnlyStream
    {
        public long Count { get; private set; }

        public override void Write(ReadOnlySpan<byte> buffer) => Count += buffer.Length;
    }

    [TestMethod]
    public void AMappedFileIsReplacedOrWhereTheSystemRefusesNamedAndKept()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("model");
        File.WriteAllText(path, "old");
        using (MappedBytes mapped = MappedBytes.OpenFile(path))
        {
            if (OperatingSystem.IsWindows())
            {
                string message = Assert.ThrowsExactly<IOException>(() => AtomicFile.Write(path, stream => stream.Write("new"u8))).Message;
                StringAssert.Contains(message, $"'{path}' cannot be replaced");
                StringAssert.Contains(message, "Close what uses it");
            }
            else
            {
                AtomicFile.Write(path, stream => stream.Write("new"u8));
            }
            Assert.AreEqual(3, mapped.Length);
        }
        Assert.AreEqual(OperatingSystem.IsWindows() ? "old" : "new", File.ReadAllText(path));
        Assert.HasCount(1, Directory.GetFiles(folder.Path));
    }

    [TestMethod]
    public void ALinkToTheFileStaysAndAPipeIsRefused()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("target"), "old");
        SpecialFile.Link(folder.File("link"), "target");
        AtomicFile.Write(folder.File("link"), stream => stream.Write("new"u8));
        Assert.AreEqual("target", new FileInfo(folder.File("link")).LinkTarget);
        Assert.AreEqual("new", File.ReadAllText(folder.File("target")));
        string pipe = SpecialFile.Pipe(folder.File("pipe"));
        StringAssert.Contains(Assert.ThrowsExactly<IOException>(() => AtomicFile.Write(pipe, stream => stream.WriteByte(1))).Message, "a pipe");
        Assert.AreEqual("a pipe", FileStatus.SpecialKind(pipe));
        Assert.HasCount(3, Directory.GetFileSystemEntries(folder.Path));
    }

    private static bool IsUnicode(string text)
    {
        for (int index = 0; index < text.Length; index++)
        {
            if (char.IsSurrogate(text[index]))
            {
                if (index + 1 == text.Length || !char.IsSurrogatePair(text[index], text[index + 1]))
                {
                    return false;
                }
                index++;
            }
        }
        return true;
    }
}
