using Microsoft.ML.Lacos.Bloom;

namespace Microsoft.ML.Lacos.Benchmarks.Peers;

/// <summary>Order of the query-key-value layer's output rows.</summary>
internal static class HeadOrder
{
    /// <summary>The order that makes queries, keys and values contiguous: BLOOM interleaves them head by head.</summary>
    public static int[] PartsFirst(BloomConfig config) =>
    [
        .. from part in Enumerable.Range(0, 3)
           from head in Enumerable.Range(0, config.HeadCount)
           from element in Enumerable.Range(0, config.HeadSize)
           select (((head * 3) + part) * config.HeadSize) + element,
    ];
}
