using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Lacos.Training.Bloom;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Bloom;

[TestClass]
public sealed unsafe class QuantizedTensorTests
{
    // Less than one block, be it of the largest size, a last block cut short, and more than one panel of 2^22 elements.
    [TestMethod]
    [DataRow(QuantizationScheme.Rowwise, 3, 5)]
    [DataRow(QuantizationScheme.Rowwise, 2100, 2005)]
    [DataRow(QuantizationScheme.BlockwiseDynamic, 3, 5)]
    [DataRow(QuantizationScheme.BlockwiseDynamic, 2100, 2005)]
    [DataRow(QuantizationScheme.BlockwiseLinear, 70, 130)]
    [DataRow(QuantizationScheme.BlockwiseDynamic, 3, 5, int.MaxValue)]
    public void NumbersAreBitForBitThoseOfTheMatrix(QuantizationScheme scheme, int rows, int columns, int blockSize = Hub.LacosModel.DefaultBlockSize)
    {
        var random = new Random(4);
        float[] values = [.. Enumerable.Range(0, rows * columns).Select(_ => random.NextSingle() - 0.5f)];
        fixed (float* data = values)
        {
            WeightMatrix matrix = WeightMatrixBuilder.Build(
                new TensorFloats((byte*)data, SafetensorsDType.F32, values.Length), rows, columns, WeightMatrixBuilder.QuantizerOf(scheme, blockSize), "random", out NativeBuffer memory);
            using (memory)
            using (var tensor = new QuantizedTensor(matrix, torch.CPU))
            using (torch.Tensor numbers = tensor.Dequantize(torch.ScalarType.Float32))
            using (torch.Tensor rounded = tensor.Dequantize(torch.ScalarType.BFloat16))
            {
                ReadOnlySpan<float> all = MemoryMarshal.Cast<byte, float>(numbers.bytes);
                var row = new float[columns];
                for (int i = 0; i < rows; i++)
                {
                    matrix.DequantizeRow(i, row);
                    Assert.IsTrue(all.Slice(i * columns, columns).SequenceEqual(row), $"row {i}");
                }
                using torch.Tensor expected = numbers.to(torch.ScalarType.BFloat16);
                Assert.IsTrue(expected.bytes.SequenceEqual(rounded.bytes));
            }
        }
    }
}
