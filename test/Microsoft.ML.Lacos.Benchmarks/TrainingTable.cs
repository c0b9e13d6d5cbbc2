using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Lacos.Benchmarks.Peers;
using Microsoft.ML.Lacos.Benchmarks.Results;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Training.Bloom;
using Microsoft.ML.Lacos.Training.Losses;
using Microsoft.ML.Lacos.Training.Optimizers;
using Spectre.Console;
using TorchSharp;

namespace Microsoft.ML.Lacos.Benchmarks;

/// <summary>A step of training, forward and backward, of LoRA r = 8 on query_key_value over frozen layers of several kinds; everything around them is the same.</summary>
internal static class TrainingTable
{
    private const int Pairs = 32;
    private const int Tokens = 20;
    private const string Fp32 = "torch fp32";
    private const string Bf16 = "torch bf16";

    public static void Run(Shape shape, int threads, int steps)
    {
        BloomConfig config = shape.Config;
        torch.set_num_threads(threads);
        using var bloom = new RandomBloom(config, oneBlock: true);
        var rows = new List<(string Layers, double Seconds, double? Memory)>();
        // A peak is the most that was seen: measured once, on a machine that does something else at that moment, it would flatter every ratio.
        double peak = Hardware.Int8Peak(threads);
        var kinds = new List<(string, Func<LinearWeights, BackwardFailure, FrozenLinear>?, long)>
        {
            ("LACoS int8, activations kept", null, long.MaxValue),
            ("LACoS int8, blocks computed again", null, 0),
            ("LACoS int8, layer by layer in torch", (linear, failure) => new NativeInt8Linear(linear, failure), 0),
            (Fp32, (linear, _) => new TorchLinear(linear, torch.ScalarType.Float32), 0),
        };
        // A run that checks the program checks this, too.
        bool hasBf16 = Interleaved.IsBrief || TorchBloom.HasFastBfloat16();
        if (hasBf16)
        {
            kinds.Add((Bf16, (linear, _) => new TorchLinear(linear, torch.ScalarType.BFloat16), 0));
        }
        foreach ((string layers, Func<LinearWeights, BackwardFailure, FrozenLinear>? make, long activations) in kinds)
        {
            ResetPeak();
            rows.Add((layers, Measure(bloom.Weights, make, activations, steps), Peak()));
            peak = Math.Max(peak, Hardware.Int8Peak(threads));
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{layers}: {rows[^1].Seconds:F2} s, {rows[^1].Memory:F2} GiB; int8 peak so far {peak:F0} GOPS, limit {Limit(config, Pairs, peak):F2} s"));
        }
        double limit = Limit(config, Pairs, peak);
        var table = new ResultTable(
            "training", string.Create(CultureInfo.InvariantCulture, $"{shape.Name} shape, {threads} threads, {Pairs} pairs x {Tokens} tokens, seconds a step; int8 limit {limit:F2} s"), "frozen layers",
            new Column("s/step", "0.00", IsPlotted: true), Column.Ratio("of the limit"), Column.Ratio("of LACoS"), new Column("peak memory, GiB", "0.00"));
        foreach ((string layers, double seconds, double? memory) in rows)
        {
            table.Add(layers, seconds, seconds / limit, seconds / rows[0].Seconds, memory);
        }
        if (!hasBf16)
        {
            table.Note($"torch bf16 is left out: on this CPU, without instructions for it, a product takes more than three times as long as in fp32.");
        }
        table.Write();
        if (shape.Name == Shape.Bloom560m.Name)
        {
            AddAims(rows, limit);
        }
        AnsiConsole.MarkupLine("Peak memory is that of the process: with the embedding table, and one block of row-wise weights from which all blocks are made.");
    }

    private static void AddAims(List<(string Layers, double Seconds, double? Memory)> rows, double limit)
    {
        Aims.AtMost("training step, bloom-560m: times the int8 limit", 1.8, rows[0].Seconds / limit);
        Aims.AtMost("training step, bloom-560m: peak memory, GiB", 2.5, rows[0].Memory);
        foreach ((string layers, double aim) in new[] { (Fp32, 4.0), (Bf16, 2.0) })
        {
            Aims.AtLeast($"training step, bloom-560m: times {layers}", aim, rows.Find(row => row.Layers == layers) is { Seconds: > 0 } peer ? peer.Seconds / rows[0].Seconds : null);
        }
    }

    /// <summary>One whole step of a model that hardly fits, with its parts: nothing but the blocks' inputs is kept.</summary>
    public static void RunOnce(string name, BloomConfig config, int threads, int pairs)
    {
        torch.set_num_threads(threads);
        ResetPeak();
        var table = new ResultTable("training-large", $"{name} shape, {threads} threads, one step of {pairs} pairs x {Tokens} tokens", "part", new Column("s", "0.00", IsPlotted: true), new Column("peak memory so far, GiB", "0.00"));
        long start = Stopwatch.GetTimestamp();
        using var bloom = new RandomBloom(config, oneBlock: true);
        Part("random weights of the table and of one block");
        using var model = new LoraBloom(bloom.Weights, new LoraConfig { Rank = 8 }) { ActivationMemory = 0 };
        using var loss = new MultipleNegativesRankingLoss();
        var optimizer = new Adam8bit(model.Parameters);
        Part("packing all blocks");
        using DisposeScope scope = torch.NewDisposeScope();
        torch.Tensor[] vectors = model.Encode(Batch(config, 0, pairs), new PoolingOptions(PoolingModes.Mean), new DropoutKey(1, 1)).split(pairs);
        torch.Tensor value = loss.Forward(vectors);
        Part("forward, loss");
        value.backward();
        model.Failure.ThrowIfAny();
        Part("backward, with every block computed again");
        optimizer.Step();
        Part("8-bit Adam");
        double limit = Limit(config, pairs, Hardware.Int8Peak(threads));
        table.Write();
        Aims.AtMost($"training step, {name}: peak memory, GiB", 14, Peak());
        AnsiConsole.MarkupLineInterpolated($"The int8 limit of forward and backward is {limit:F1} s.");

        void Part(string part)
        {
            table.Add(part, Stopwatch.GetElapsedTime(start).TotalSeconds, Peak());
            start = Stopwatch.GetTimestamp();
        }
    }

    // What cannot be avoided: two operations for each weight and token forward, and two for the gradient of the input.
    private static double Limit(BloomConfig config, int pairs, double peak) => 2 * 2 * RandomBloom.LinearElements(config) * (2 * pairs * Tokens) / (peak * 1e9);

    private static double Measure(BloomWeights weights, Func<LinearWeights, BackwardFailure, FrozenLinear>? make, long activations, int steps)
    {
        using var model = new LoraBloom(weights, new LoraConfig { Rank = 8 }, makeLinear: make) { ActivationMemory = activations };
        using var loss = new MultipleNegativesRankingLoss();
        var times = new List<double>();
        for (int step = 0; step <= steps; step++)
        {
            long start = Stopwatch.GetTimestamp();
            using DisposeScope scope = torch.NewDisposeScope();
            torch.Tensor[] vectors = model.Encode(Batch(model.Config, step, Pairs), new PoolingOptions(PoolingModes.Mean), new DropoutKey(1, step)).split(Pairs);
            loss.Forward(vectors).backward();
            model.Failure.ThrowIfAny();
            foreach ((_, torch.Tensor value) in model.Parameters)
            {
                value.grad?.zero_();
            }
            if (step > 0)
            {
                times.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        }
        return times.Order().ElementAt(times.Count / 2);
    }

    private static Training.Bloom.TokenRows Batch(BloomConfig config, int step, int pairs)
    {
        var random = new Random(step);
        return new Training.Bloom.TokenRows(
            config,
            [.. Enumerable.Range(0, 2 * pairs * Tokens).Select(_ => random.Next(4, config.VocabularySize))],
            [.. Enumerable.Range(0, (2 * pairs) + 1).Select(row => row * Tokens)]);
    }

    // Linux forgets the highest memory use of a process when 5 is written here.
    private static void ResetPeak()
    {
        if (OperatingSystem.IsLinux())
        {
            GC.Collect();
            File.WriteAllText("/proc/self/clear_refs", "5");
        }
    }

    private static double? Peak()
    {
        const string Field = "VmHWM:";
        string? line = OperatingSystem.IsLinux() ? File.ReadLines("/proc/self/status").FirstOrDefault(text => text.StartsWith(Field, StringComparison.Ordinal)) : null;
        return line is null ? null : double.Parse(line[Field.Length..].Replace("kB", string.Empty, StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture) / (1 << 20);
    }

    /// <summary>A frozen layer as torch runs it, in the precision given; what is around it stays in fp32.</summary>
    private sealed class TorchLinear : FrozenLinear
    {
        private readonly torch.Tensor _weight;
        private readonly torch.Tensor _bias;
        private readonly torch.ScalarType _type;

        public TorchLinear(LinearWeights weights, torch.ScalarType type)
            : base(weights.Weight.Columns, weights.Weight.Rows)
        {
            _type = type;
            _weight = torch.empty(Outputs, Inputs, type);
            _bias = torch.tensor(weights.Bias).to(type);
            var values = new float[Inputs];
            for (int row = 0; row < Outputs; row++)
            {
                weights.Weight.DequantizeRow(row, values);
                using torch.Tensor line = torch.tensor(values);
                using torch.Tensor target = _weight[row];
                target.copy_(line);
            }
        }

        public override torch.Tensor Forward(torch.Tensor x) => torch.nn.functional.linear(x.to(_type), _weight, _bias).to(torch.ScalarType.Float32);

        public override void Dispose()
        {
            _weight.Dispose();
            _bias.Dispose();
        }
    }
}
