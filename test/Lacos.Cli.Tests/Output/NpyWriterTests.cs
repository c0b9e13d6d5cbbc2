using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Lacos.Cli.Output;

namespace Lacos.Cli.Tests.Output;

[TestClass]
public sealed partial class NpyWriterTests
{
    [TestMethod]
    [DataRow(0, 3)]
    [DataRow(1, 1)]
    [DataRow(5, 384)]
    public void AFileReadsBackWithItsShapeAndValues(int rows, int dimension)
    {
        using var folder = new TemporaryFolder();
        float[] vectors = [.. Enumerable.Range(0, rows * dimension).Select(i => (i * 0.25f) - 3)];
        byte[] file = Write(folder, vectors, rows, dimension, VectorPrecision.Float32);
        (string type, int[] shape, byte[] data) = Parse(file);
        Assert.AreEqual("<f4", type);
        CollectionAssert.AreEqual(new[] { rows, dimension }, shape);
        float[] values = [.. Enumerable.Range(0, rows * dimension).Select(i => BinaryPrimitives.ReadSingleLittleEndian(data.AsSpan(4 * i)))];
        CollectionAssert.AreEqual(vectors, values);
    }

    [TestMethod]
    public void Int8RowsAre127TimesTheNormalisedVector()
    {
        using var folder = new TemporaryFolder();
        (string type, int[] shape, byte[] data) = Parse(Write(folder, [3, -4, 0, 0], 2, 2, VectorPrecision.Int8));
        Assert.AreEqual("|i1", type);
        CollectionAssert.AreEqual(new[] { 2, 2 }, shape);
        CollectionAssert.AreEqual(new sbyte[] { 76, -102, 0, 0 }, data.Select(code => (sbyte)code).ToArray());
    }

    [TestMethod]
    public void BinaryRowsAreSignBitsMostSignificantFirst()
    {
        using var folder = new TemporaryFolder();
        (string type, int[] shape, byte[] data) = Parse(Write(folder, [1, -1, 0, 2, -3, 4, -5, 6, 7, -8], 1, 10, VectorPrecision.Binary));
        Assert.AreEqual("|u1", type);
        CollectionAssert.AreEqual(new[] { 1, 2 }, shape);
        CollectionAssert.AreEqual(new byte[] { 0b1001_0101, 0b1000_0000 }, data);
    }

    [TestMethod]
    public void WithoutCompletionThereIsNoFile()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("v.npy", "old");
        using (var writer = new NpyWriter(path, 1, VectorPrecision.Float32))
        {
            writer.Write(["a"], [1]);
        }
        Assert.AreEqual("old", File.ReadAllText(path));
        CollectionAssert.AreEqual(new[] { "v.npy" }, folder.FileNames.ToArray());
    }

    private static byte[] Write(TemporaryFolder folder, float[] vectors, int rows, int dimension, VectorPrecision precision)
    {
        string path = folder.File("v.npy");
        using (var writer = new NpyWriter(path, dimension, precision))
        {
            for (int row = 0; row < rows; row++)
            {
                writer.Write(["text"], vectors.AsSpan(row * dimension, dimension));
            }
            writer.Complete();
        }
        CollectionAssert.AreEqual(new[] { "v.npy" }, folder.FileNames.ToArray());
        return File.ReadAllBytes(path);
    }

    /// <summary>Reads a file by the letter of the format description.</summary>
    private static (string Type, int[] Shape, byte[] Data) Parse(byte[] file)
    {
        CollectionAssert.AreEqual(new byte[] { 0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0 }, file[..8]);
        int length = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(8));
        Assert.AreEqual(0, (10 + length) % 64, "the data is aligned to 64 bytes");
        string header = Encoding.ASCII.GetString(file, 10, length);
        Assert.AreEqual('\n', header[^1]);
        Match match = Header().Match(header);
        Assert.IsTrue(match.Success, header);
        int[] shape = [int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture), int.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture)];
        byte[] data = file[(10 + length)..];
        Assert.AreEqual(shape[0] * shape[1] * (match.Groups[1].Value == "<f4" ? 4 : 1), data.Length);
        return (match.Groups[1].Value, shape, data);
    }

    [GeneratedRegex(@"^\{'descr': '([<|][fiu]\d)', 'fortran_order': False, 'shape': \((\d+), (\d+)\), \} *\n$")]
    private static partial Regex Header();
}
