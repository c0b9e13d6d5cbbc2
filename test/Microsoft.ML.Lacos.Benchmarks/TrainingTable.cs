using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Training.Bloom;
using Microsoft.ML.Lacos.Training.Losses;
using Spectre.Console;
using TorchSharp;

namespace Microsoft.ML.Lacos.Benchmarks;

/// <summary>A step of training, forward and backward, of LoRA r = 8 on query_key_value over frozen layers of three kinds; everything around them is the same.</summary>
internal static class TrainingTable
{
    private const int Pairs = 32;
    private const int Tokens = 20;

    public static void Run(string name, BloomConfig config, int threads, int steps)
    {
        torch.set_num_threads(threads);
        using var bloom = new RandomBloom(config);
        // What cannot be avoided: two operations for each weight and token forward, and two for the gradient of the input.
        double limit = 2 * 2 * RandomBloom.LinearElements(config) * (2 * Pairs * Tokens) / (Hardware.Int8Peak(threads) * 1e9);
        Table table = new Table().Title($"{name} shape, {threads} threads, {Pairs} pairs x {Tokens} tokens, seconds a step; int8 limit {Seconds(limit)} s").AddColumns("frozen layers", "s/step", "x limit", "times LACoS", "peak memory, GiB");
        double ours = 0;
        foreach ((string layers, Func<LinearWeights, BackwardFailure, FrozenLinear> make) in new (string, Func<LinearWeights, BackwardFailure, FrozenLinear>)[]
        {
            ("LACoS int8", (linear, failure) => new NativeInt8Linear(linear, failure)),
            ("torch bf16", (linear, _) => new TorchLinear(linear, torch.ScalarType.BFloat16)),
            ("torch fp32", (linear, _) => new TorchLinear(linear, torch.ScalarType.Float32)),
        })
        {
            ResetPeak();
            double median = Measure(bloom.Weights, make, steps);
            ours = ours == 0 ? median : ours;
            table.AddRow(layers, Seconds(median), Seconds(median / limit), Seconds(median / ours), Peak() is double peak ? Seconds(peak) : "unknown");
        }
        AnsiConsole.Write(table);
        AnsiConsole.MarkupLine("Peak memory is that of the process and includes the row-wise weights that all three are made from.");
    }

    private static double Measure(BloomWeights weights, Func<LinearWeights, BackwardFailure, FrozenLinear> make, int steps)
    {
        using var model = new LoraBloom(weights, new LoraConfig { Rank = 8 }, makeLinear: make);
        using var loss = new MultipleNegativesRankingLoss();
        var times = new List<double>();
        for (int step = 0; step <= steps; step++)
        {
            long start = Stopwatch.GetTimestamp();
            using DisposeScope scope = torch.NewDisposeScope();
            Training.Bloom.TokenRows rows = Batch(model.Config, step);
            torch.Tensor[] vectors = model.Encode(rows, new PoolingOptions(PoolingModes.Mean), new DropoutKey(1, step)).split(Pairs);
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

    private static Training.Bloom.TokenRows Batch(BloomConfig config, int step)
    {
        var random = new Random(step);
        return new Training.Bloom.TokenRows(
            config,
            [.. Enumerable.Range(0, 2 * Pairs * Tokens).Select(_ => random.Next(4, config.VocabularySize))],
            [.. Enumerable.Range(0, (2 * Pairs) + 1).Select(row => row * Tokens)]);
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

    private static string Seconds(double value) => value.ToString("F2", CultureInfo.InvariantCulture);

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
