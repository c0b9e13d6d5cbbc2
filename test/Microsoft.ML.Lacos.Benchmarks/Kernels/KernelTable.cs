using Microsoft.ML.Lacos.Benchmarks.Peers;
using Microsoft.ML.Lacos.Benchmarks.Results;

namespace Microsoft.ML.Lacos.Benchmarks.Kernels;

/// <summary>The int8 linear layer alone: quantising fp32 rows, product, dequantising, bias; against the peak and the read bandwidth of the same run, and beside oneDNN and ONNX Runtime.</summary>
internal static class KernelTable
{
    private static readonly int[] Rows = [1, 16, 128, 512];

    public static void Run(IReadOnlyList<(int K, int N)> shapes, int threads, KernelTime time)
    {
        var overview = new ResultTable(
            "kernels", $"int8 linear layer, {threads} threads: M = 1 as a share of the read bandwidth, others of the int8 peak", "K x N", [.. Rows.Select(m => Column.Share($"M = {m}", isPlotted: true))]);
        // A table a number of rows: all in one would be no picture to look at.
        ResultTable[] peers = [.. Rows.Select(m => new ResultTable(
            $"kernels-m{m}", $"int8 linear layer, M = {m}, {threads} threads, GOPS", "K x N",
            Column.Rate("LACoS"), Column.Share("of the limit"), Column.Rate(OneDnnLinear.Name), Column.Ratio(), Column.Rate("ONNX Runtime"), Column.Ratio()))];
        var oneDnnKernels = new SortedSet<string>(StringComparer.Ordinal);
        foreach ((int k, int n) in shapes)
        {
            LayerContest[] cells = [.. Rows.Select(m => LayerContest.Hold(k, n, m, threads, time))];
            overview.Add($"{k} x {n}", [.. cells.Select(cell => (double?)cell.ShareOfLimit)]);
            for (int i = 0; i < cells.Length; i++)
            {
                LayerContest cell = cells[i];
                double operations = 2e-9 * Rows[i] * k * n;
                peers[i].Add(
                    $"{k} x {n}", operations / cell.Ours, cell.ShareOfLimit, operations / cell.OneDnn, cell.OneDnn / cell.Ours, operations / cell.OnnxRuntime, cell.OnnxRuntime / cell.Ours);
                oneDnnKernels.UnionWith(cell.OneDnnKernel);
            }
        }
        overview.Write();
        foreach (ResultTable table in peers)
        {
            table.Note($"Ratios: how many times faster LACoS is. Reordering of weights is in no time. {OneDnnLinear.Name} {string.Join(", ", oneDnnKernels)}, ONNX Runtime {OnnxLinear.Version}.");
            table.Write();
        }
    }
}
