using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Tests.Safetensors;

[TestClass]
public sealed unsafe class SafetensorsFileTests
{
    private const string Good = """{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]},"c":{"dtype":"I8","shape":[0],"data_offsets":[11,11]}}""";

    [TestMethod]
    [DataRow(Good, 11, "")]
    [DataRow("""{}   """, 0, "")]
    [DataRow("""{"a":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}}""", 2, "")]
    [DataRow("""{"a":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}}""", 2, "")]
    [DataRow("""{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}""", 4, "")]
    [DataRow("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "header")]
    [DataRow("""{"a":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}}""", 1, "header")]
    [DataRow("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "does not fill")]
    [DataRow("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "claims the bytes")]
    [DataRow("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", 4, "claims the bytes")]
    [DataRow("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "whole numbers")]
    [DataRow("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", 4, "whole numbers")]
    [DataRow("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}""", 4, "whole numbers")]
    [DataRow("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", 0, "does not fill")]
    [DataRow("""{"a":{"dtype":"F32","shape":[9223372036854775807,9223372036854775807,0],"data_offsets":[0,0]}}""", 0, "does not fill")]
    [DataRow("""{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}""", 4, "whole numbers")]
    [DataRow("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}""", 3, "overlaps")]
    [DataRow("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}""", 3, "gap")]
    [DataRow("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 3, "take 1 bytes")]
    [DataRow("""{"a":{"dtype":"X9","shape":[1],"data_offsets":[0,1]}}""", 1, "X9")]
    [DataRow("""{"a":{"dtype":"1","shape":[1],"data_offsets":[0,4]}}""", 4, "unknown element type")]
    [DataRow("""{"a":{"shape":[1],"data_offsets":[0,1]}}""", 1, "lacks")]
    [DataRow("""{"a":[]}""", 0, "lacks")]
    [DataRow("""{"__metadata__":{"k":1}}""", 0, "expected a string")]
    [DataRow("""{"__metadata__":[]}""", 0, "expected an object")]
    [DataRow("""["a"]""", 0, "JSON object")]
    [DataRow("""{"a":""", 0, "header")]
    [DataRow("""{"\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}""", 0, "header")]
    public void HeaderIsAcceptedOrRefusedByTheRulesOfTheFormat(string header, int dataLength, string fault)
    {
        byte[] bytes = RawSafetensors.Build(header, dataLength);
        if (fault.Length == 0)
        {
            using SafetensorsFile file = SafetensorsFile.Read(new MemoryStream(bytes), "test");
            Assert.AreEqual(bytes.Length, file.ByteLength);
        }
        else
        {
            StringAssert.Contains(Refused(bytes).Message, fault);
        }
    }

    [TestMethod]
    [DataRow(64, 1, "")]
    [DataRow(64, 2, "U8 [1, 1, 1, 1, 1, 1, 1, 1, … (64 dimensions)]")]
    [DataRow(65, 1, "has 65 dimensions, at most 64")]
    [DataRow(2_000_000, 2, "has 2000000 dimensions, at most 64")]
    public void SixtyFourDimensionsAreReadAndNoMessageListsMoreThanItsReaderWants(int dimensions, int dataLength, string fault)
    {
        byte[] bytes = RawSafetensors.Build($$$"""{"a":{"dtype":"U8","shape":[{{{string.Join(',', Enumerable.Repeat(1, dimensions))}}}],"data_offsets":[0,{{{dataLength}}}]}}""", dataLength);
        if (fault.Length == 0)
        {
            using SafetensorsFile file = SafetensorsFile.Read(new MemoryStream(bytes), "test");
            Assert.HasCount(dimensions, file.Require("a").Shape);
            return;
        }
        string message = Refused(bytes).Message;
        StringAssert.Contains(message, fault);
        Assert.IsLessThan(300, message.Length);
    }

    [TestMethod]
    [DataRow("""{"NAME":{"dtype":"U8","shape":[2],"data_offsets":[0,1]}}""")]
    [DataRow("""{"NAME":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""")]
    [DataRow("""{"NAME":{"dtype":"U8","shape":["NAME"],"data_offsets":[0,1]}}""")]
    [DataRow("""{"a":{"dtype":"NAME","shape":[1],"data_offsets":[0,1]}}""")]
    [DataRow("""{"__metadata__":{"NAME":1}}""")]
    public void LongNamesAreShortenedInMessagesAndControlCharactersReplaced(string header)
    {
        string name = $"begin\\n\\u001b[2J\\u202e\\u2028{new string('x', 100_000)}end";
        string message = Refused(RawSafetensors.Build(header.Replace("NAME", name, StringComparison.Ordinal), 2)).Message;
        StringAssert.Contains(message, "begin");
        Assert.IsLessThan(500, message.Length);
        Assert.IsFalse(message.Any(letter => char.IsControl(letter) || letter is '\u202e' or '\u2028'), message);
    }

    [TestMethod]
    public void TheNameOfATensorThatIsNoFloatIsShortenedToo()
    {
        string name = new string('x', 100_000) + ".weight";
        using SafetensorsFile file = SafetensorsFile.Read(new MemoryStream(RawSafetensors.Build($$$"""{"{{{name}}}":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1)), "test");
        string message = Assert.ThrowsExactly<NotSupportedException>(() => file.ReadFloats(name)).Message;
        StringAssert.Contains(message, "xx.weight'");
        Assert.IsLessThan(300, message.Length);
        Assert.IsLessThan(300, Assert.ThrowsExactly<InvalidDataException>(() => file.Require(name + "\n")).Message.Length);
    }

    [TestMethod]
    [DataRow(long.MaxValue)]
    [DataRow(-1)]
    [DataRow(0)]
    [DataRow(100_000_001)]
    [DataRow(1000)]
    public void LyingHeaderLengthIsRefused(long length) => StringAssert.Contains(Refused(RawSafetensors.Build(Good, new byte[11], length)).Message, "header claims");

    [TestMethod]
    public void AHeaderOfVeryManyValuesIsRefusedBeforeItTakesMuchMemory()
    {
        byte[] bytes = RawSafetensors.Build("{\"a\":[0" + string.Concat(Enumerable.Repeat(",0", 8_000_000)) + "]}", 4);
        long before = GC.GetAllocatedBytesForCurrentThread();
        StringAssert.Contains(Refused(bytes).Message, "names, values and brackets");
        Assert.IsLessThan(4L * bytes.Length, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [TestMethod]
    public void EveryTruncationIsRefused()
    {
        byte[] bytes = RawSafetensors.Build(Good, 11);
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.IsNotNull(Refused(bytes[..length]));
        }
    }

    [TestMethod]
    public void InvalidUtf8IsRefused()
    {
        byte[] bytes = RawSafetensors.Build(Good, 11);
        bytes[Array.IndexOf(bytes, (byte)'k')] = 0xFF;
        StringAssert.Contains(Refused(bytes).Message, "UTF-8");
    }

    [TestMethod]
    public void MappedFileAndBothKindsOfStreamGiveTheSameContent()
    {
        using var folder = new TemporaryFolder();
        var data = new byte[11];
        new Random(1).NextBytes(data);
        byte[] bytes = RawSafetensors.Build(Good, data);
        File.WriteAllBytes(folder.File("x.safetensors"), bytes);
        fixed (byte* pointer = bytes)
        {
            using var unmanaged = new UnmanagedMemoryStream(pointer, bytes.Length);
            using SafetensorsFile mapped = SafetensorsFile.Open(folder.File("x.safetensors"));
            using SafetensorsFile copied = SafetensorsFile.Read(new OneWayStream(bytes), "copied");
            using SafetensorsFile inPlace = SafetensorsFile.Read(unmanaged, "in place");
            foreach (SafetensorsFile file in (SafetensorsFile[])[mapped, copied, inPlace])
            {
                SafetensorsEntry entry = file.Require("b");
                CollectionAssert.AreEqual(data[8..], new ReadOnlySpan<byte>(file.Pointer(entry), (int)entry.ByteLength).ToArray());
                Assert.AreEqual("v", file.Metadata["k"]);
            }
            Assert.AreEqual((nint)(pointer + bytes.Length - inPlace.Require("b").ByteLength), (nint)inPlace.Pointer(inPlace.Require("b")), "no copy");
        }
    }

    [TestMethod]
    public void EmptyAndMissingFilesAreNamed()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("empty.safetensors"), []);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => SafetensorsFile.Open(folder.File("empty.safetensors"))).Message, "empty");
        StringAssert.Contains(Assert.ThrowsExactly<FileNotFoundException>(() => SafetensorsFile.Open(folder.File("none.safetensors"))).Message, "none.safetensors");
    }

    [TestMethod]
    public void TensorsBeyondTwoGibibytesAreRead()
    {
        using var folder = new TemporaryFolder();
        const long big = (3L << 30) + 4;
        using (FileStream stream = File.Create(folder.File("big.safetensors")))
        {
            byte[] head = RawSafetensors.Build(
                $"{{\"big\":{{\"dtype\":\"U8\",\"shape\":[{big}],\"data_offsets\":[0,{big}]}},\"end\":{{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[{big},{big + 8}]}}}}", 0);
            stream.Write(head);
            // Seeking leaves a hole that takes no room on the disk.
            stream.Seek(head.Length + big, SeekOrigin.Begin);
            stream.Write([0, 0, 128, 63, 0, 0, 0, 64]);
        }
        using SafetensorsFile file = SafetensorsFile.Open(folder.File("big.safetensors"));
        CollectionAssert.AreEqual(new[] { 1f, 2f }, file.ReadFloats("end"));
    }

    [TestMethod]
    public void UseAfterDisposeThrowsInsteadOfReading()
    {
        SafetensorsFile file = SafetensorsFile.Read(new MemoryStream(RawSafetensors.Build(Good, 11)), "test");
        file.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => file.ReadFloats("a"));
    }

    private static Exception Refused(byte[] bytes)
    {
        try
        {
            using SafetensorsFile file = SafetensorsFile.Read(new MemoryStream(bytes), "test");
        }
        catch (Exception error) when (error is InvalidDataException or NotSupportedException)
        {
            return error;
        }
        throw new AssertFailedException("The file was accepted.");
    }

    /// <summary>A stream without a length, a byte or a few at a time.</summary>
    private sealed class OneWayStream(byte[] bytes) : Stream
    {
        private int _position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            int read = Math.Min(Math.Min(count, 7), bytes.Length - _position);
            Array.Copy(bytes, _position, buffer, offset, read);
            _position += read;
            return read;
        }

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
