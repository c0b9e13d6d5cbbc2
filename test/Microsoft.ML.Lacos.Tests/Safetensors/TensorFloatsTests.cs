using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Tests.Safetensors;

[TestClass]
public sealed unsafe class TensorFloatsTests
{
    [TestMethod]
    public void EveryHalfAndEveryBFloat16IsWidenedExactly()
    {
        var bits = new ushort[65536 + 3];
        for (int index = 0; index < bits.Length; index++)
        {
            bits[index] = (ushort)index;
        }
        var halves = new float[bits.Length];
        var brains = new float[bits.Length];
        fixed (ushort* data = bits)
        {
            new TensorFloats((byte*)data, SafetensorsDType.F16, bits.Length).Read(0, halves);
            new TensorFloats((byte*)data, SafetensorsDType.BF16, bits.Length).Read(0, brains);
        }
        for (int index = 0; index < bits.Length; index++)
        {
            float half = (float)BitConverter.UInt16BitsToHalf(bits[index]);
            Assert.IsTrue(half.Equals(halves[index]), $"F16 {index:x}");
            Assert.AreEqual((uint)bits[index] << 16, BitConverter.SingleToUInt32Bits(brains[index]), $"BF16 {index:x}");
        }
    }

    [TestMethod]
    [DataRow(float.NaN)]
    [DataRow(float.PositiveInfinity)]
    [DataRow(float.NegativeInfinity)]
    public void NonFiniteIsFoundAtEveryPosition(float bad)
    {
        for (int length = 1; length < 40; length++)
        {
            for (int position = 0; position < length; position++)
            {
                var values = new float[length];
                Array.Fill(values, -float.MaxValue);
                Assert.AreEqual(-1, TensorFloats.IndexOfNonFinite(values));
                values[position] = bad;
                Assert.AreEqual(position, TensorFloats.IndexOfNonFinite(values));
            }
        }
    }

    [TestMethod]
    public void DoublesAreRoundedAndIntegersRefused()
    {
        double[] values = [1.0 / 3, 1e300, -2.5];
        var floats = new float[3];
        fixed (double* data = values)
        {
            new TensorFloats((byte*)data, SafetensorsDType.F64, 3).Read(0, floats);
        }
        CollectionAssert.AreEqual(new[] { 1f / 3, float.PositiveInfinity, -2.5f }, floats);
        Assert.ThrowsExactly<NotSupportedException>(() => new TensorFloats(null, SafetensorsDType.I32, 0));
    }
}
