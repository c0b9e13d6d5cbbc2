using Microsoft.ML.Lacos.Training.Losses;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Losses;

[TestClass]
public sealed class EncodedChunksTests
{
    [TestMethod]
    [DataRow(2)]
    [DataRow(int.MaxValue)]
    public void RowsFromWithinABatchAreEncodedOnceWhateverTheSizeOfAChunk(int chunkRows)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var asked = new List<(int Column, int Start, int Count)>();
        var chunks = new EncodedChunks(2, first: 3, rows: 2, chunkRows, Encode, keepGraphs: true);
        CollectionAssert.AreEqual(new[] { (0, 3, 2), (1, 3, 2) }, asked);
        CollectionAssert.AreEqual(new[] { 3f, 4f }, chunks.Vectors[1].data<float>().ToArray());

        torch.Tensor Encode(int column, int start, int count)
        {
            asked.Add((column, start, count));
            return torch.arange(start, start + count, torch.ScalarType.Float32).view(count, 1);
        }
    }
}
