using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Training.Bloom;
using Microsoft.ML.Lacos.Training.Losses;
using Microsoft.ML.Lacos.Training.Optimizers;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Bloom;

/// <summary>One training run of the reference outputs: base model, first adapter, batch, loss and optimiser as its files say.</summary>
internal sealed partial class LoraCase : IDisposable
{
    private readonly BloomCheckpoint _base;
    private readonly TokenRows _anchors;
    private readonly TokenRows _positives;
    private readonly MultipleNegativesRankingLoss _loss;

    public LoraCase(string name, QuantizationScheme scheme = QuantizationScheme.None, Func<LinearWeights, BackwardFailure, FrozenLinear>? makeLinear = null)
    {
        using JsonDocument description = JsonDocument.Parse(File.ReadAllBytes(TestData.Golden("lora", name, "case.json")));
        JsonElement root = description.RootElement;
        Assert.AreEqual("mean", root.GetProperty("pooling").GetString());
        Match loss = LossText().Match(root.GetProperty("loss").GetString()!);
        Match optimizer = OptimizerText().Match(root.GetProperty("optimizer").GetString()!);
        Assert.IsTrue(loss.Success && optimizer.Success, "the case names a loss or an optimiser that this test does not know");
        _loss = new MultipleNegativesRankingLoss(Number(loss, "scale"));
        Optimizer = new AdamOptions(Number(optimizer, "lr"), Number(optimizer, "b1"), Number(optimizer, "b2"), Number(optimizer, "eps"), Number(optimizer, "wd"));
        Losses = [.. root.GetProperty("losses").EnumerateArray().Select(value => value.GetDouble())];
        Expected = SafetensorsFile.Open(TestData.Golden("lora", name, "expected.safetensors"));
        _base = BloomCheckpoint.Load(TestData.Golden("bloom", "pow2-fp32"), scheme);
        PeftAdapter adapter = PeftAdapter.Load(TestData.Golden("lora", name, "adapter_initial"));
        Model = new LoraBloom(_base.Weights, adapter.Config, makeLinear: makeLinear);
        Model.Load(adapter);
        _anchors = Rows(root.GetProperty("anchors"));
        _positives = Rows(root.GetProperty("positives"));
    }

    public LoraBloom Model { get; }

    public SafetensorsFile Expected { get; }

    /// <summary>Loss of each step.</summary>
    public double[] Losses { get; }

    public AdamOptions Optimizer { get; }

    /// <summary>How the reference names a parameter in its live model.</summary>
    public static string ReferenceName(string parameter) => "base_model.model." + parameter.Replace(".weight", ".default.weight", StringComparison.Ordinal);

    public (torch.Tensor Anchors, torch.Tensor Positives, torch.Tensor Loss) Forward()
    {
        torch.Tensor anchors = Model.Encode(_anchors, new PoolingOptions(PoolingModes.Mean));
        torch.Tensor positives = Model.Encode(_positives, new PoolingOptions(PoolingModes.Mean));
        return (anchors, positives, _loss.Forward([anchors, positives]));
    }

    public void Dispose()
    {
        Model.Dispose();
        _loss.Dispose();
        Expected.Dispose();
        _base.Dispose();
    }

    private TokenRows Rows(JsonElement rows) =>
        TestRows.Of(Model.Config, [.. rows.EnumerateArray().Select(row => row.EnumerateArray().Select(id => id.GetInt32()).ToArray())]);

    private static double Number(Match match, string name) => double.Parse(match.Groups[name].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^MultipleNegativesRanking, scale (?<scale>[\d.]+), cosine$")]
    private static partial Regex LossText();

    [GeneratedRegex(@"^AdamW lr (?<lr>\S+) betas (?<b1>[^,]+),(?<b2>\S+) eps (?<eps>\S+) wd (?<wd>\S+)$")]
    private static partial Regex OptimizerText();
}
