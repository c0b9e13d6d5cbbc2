using Microsoft.ML.Lacos.Benchmarks.Results;

namespace Microsoft.ML.Lacos.Benchmarks.MlNet;

/// <summary>Rows a second at the level of ML.NET: what the pipeline costs on top of the encoder, beside ML.NET's own text features and a loop over ONNX Runtime.</summary>
internal static class PipelineTable
{
    public static void Run(int rows, int turns, int threads)
    {
        using var workloads = new PipelineWorkloads(rows, turns + 1, threads);
        double[] medians = Interleaved.Medians([workloads.Direct, workloads.Transform, workloads.FeaturizeText, workloads.OnnxRowByRow], seconds: 0, leastTurns: turns);
        double direct = rows / medians[0];
        var table = new ResultTable("mlnet", $"Default model, {rows:N0} short sentences a turn, none seen before, {threads} threads, median of {turns} turns", "way", Column.Rate("rows/s"), Column.Ratio("of the encoder"));
        Add("SentenceEncoder", rows / medians[0]);
        Add("Transform + cursor", rows / medians[1]);
        Add("ONNX int8, row by row", PipelineWorkloads.OnnxRowsOf(rows) / medians[3]);
        Add("FeaturizeText", rows / medians[2]);
        table.Write();
        Aims.AtLeast("rows a second through Transform and a cursor: times the encoder alone", 0.95, medians[0] / medians[1]);

        void Add(string way, double rate) => table.Add(way, rate, rate / direct);
    }
}
