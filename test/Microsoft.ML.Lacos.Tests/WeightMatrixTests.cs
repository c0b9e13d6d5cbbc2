using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Tests;

[TestClass]
public sealed unsafe class WeightMatrixTests
{
    [TestMethod]
    public void RowwiseRowIsCodeTimesAbsmaxOver127()
    {
        sbyte[] codes = [127, -64, 0, 1, 2, -127];
        fixed (sbyte* data = codes)
        {
            var matrix = new WeightMatrix(QuantizationScheme.Rowwise, 2, 3, data, [1f, 254f], [], 0, codes);
            var row = new float[3];
            matrix.DequantizeRow(1, row);
            CollectionAssert.AreEqual(new[] { 2f, 4f, -254f }, row);
        }
    }

    [TestMethod]
    public void WrongNumberOfScalesIsRefusedWithTheNumbers()
    {
        using var memory = new SafeMemory();
        ArgumentException error = Assert.ThrowsExactly<ArgumentException>(() => new WeightMatrix(QuantizationScheme.BlockwiseDynamic, 3, 3, memory.Pointer, [1f], new float[256], 4, memory));
        StringAssert.Contains(error.Message, "3 scales, got 1");
    }

    [TestMethod]
    public void MissingPartsAndSchemesThatDoNotExistAreRefusedByName()
    {
        using var memory = new SafeMemory();
        Assert.AreEqual("scales", Assert.ThrowsExactly<ArgumentNullException>(() => new WeightMatrix(QuantizationScheme.Rowwise, 1, 1, memory.Pointer, null!, [], 0, memory)).ParamName);
        Assert.AreEqual("codeBook", Assert.ThrowsExactly<ArgumentNullException>(() => new WeightMatrix(QuantizationScheme.Rowwise, 1, 1, memory.Pointer, [1], null!, 0, memory)).ParamName);
        Assert.AreEqual("data", Assert.ThrowsExactly<ArgumentNullException>(() => new WeightMatrix(QuantizationScheme.Rowwise, 1, 1, null, [1], [], 0, memory)).ParamName);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new WeightMatrix((QuantizationScheme)9, 1, 1, memory.Pointer, [1], [], 4, memory)).Message, "The scheme is 9");
    }

    [TestMethod]
    public void ARowIsNotWrittenWhereItHasNoRoom()
    {
        using var memory = new SafeMemory();
        var matrix = new WeightMatrix(QuantizationScheme.Rowwise, 2, 3, memory.Pointer, [1, 1], [], 0, memory);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => matrix.DequantizeRow(0, new float[2])).Message, "A row has 3 elements, got room for 2");
        Assert.AreEqual("row", Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => matrix.DequantizeRow(2, new float[3])).ParamName);
    }

    private sealed class SafeMemory : IDisposable
    {
        public void* Pointer { get; } = NativeMemory.AllocZeroed(64);

        public void Dispose() => NativeMemory.Free(Pointer);
    }
}
