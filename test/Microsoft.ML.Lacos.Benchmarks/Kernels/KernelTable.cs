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
        List<LayerContest>[] columns = [.. Rows.Select(_ => new List<LayerContest>())];
        var oneDnnKernels = new SortedSet<string>(StringComparer.Ordinal);
        foreach ((int k, int n) in shapes)
        {
            LayerContest[] cells = [.. Rows.Select(m => LayerContest.Hold(k, n, m, threads, time))];
            overview.Add($"{k} x {n}", [.. cells.Select(cell => (double?)cell.ShareOfLimit)]);
            for (int i = 0; i < cells.Length; i++)
            {
                LayerContest cell = cells[i];
                columns[i].Add(cell);
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
        AddAims(columns);
    }

    private static void AddAims(List<LayerContest>[] columns)
    {
        for (int i = 0; i < Rows.Length; i++)
        {
            string layer = $"int8 layer, M = {Rows[i]}";
            double[] shares = [.. columns[i].Select(cell => cell.ShareOfLimit).Order()];
            (double? least, double? median) = ShareAims(Rows[i]);
            string limit = Rows[i] == 1 ? "read bandwidth" : "int8 peak";
            Aims.AtLeast($"{layer}: share of the {limit}, least of all shapes", least, shares[0]);
            Aims.AtLeast($"{layer}: share of the {limit}, median of all shapes", median, shares[shares.Length / 2]);
            Aims.AtLeast($"{layer}: times {OneDnnLinear.Name}, least of all shapes", 0.95, columns[i].Min(cell => cell.OneDnn / cell.Ours));
            Aims.AtLeast($"{layer}: times ONNX Runtime, least of all shapes", 1.05, columns[i].Min(cell => cell.OnnxRuntime / cell.Ours));
        }
    }

    // They depend on what the instruction set can do beside its products.
    private static (double? Least, double? Median) ShareAims(int rows) => (rows, Aims.Kernels) switch
    {
        (1, _) => (0.9, null),
        (16, "avx512vnni") => (0.65, null),
        (>= 128, "avx512vnni") => (0.75, 0.85),
        (>= 128, "amx") => (0.6, null),
        (>= 128, "avxvnni" or "avx2") => (0.7, null),
        _ => (null, null),
    };
}
