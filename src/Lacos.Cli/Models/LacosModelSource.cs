using Lacos.Cli.Commands;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Lacos.Tokenization;

namespace Lacos.Cli.Models;

/// <summary>The models of the library.</summary>
internal sealed class LacosModelSource(ToolStreams streams) : IModelSource, ITokenizerSource
{
    public LoadedModel Open(string? model, string? adapter, SentenceEncoderOptions options)
    {
        LacosModel loaded = LacosModel.OpenForEncoding(model, options.Compute, adapter);
        try
        {
            SentenceEncoder encoder = SentenceEncoder.Create(loaded, options);
            if (BloomEncoders.ManagedReason is string reason)
            {
                streams.Warn($"the native library is not in use, which is slow: {reason}");
            }
            return new LoadedModel(encoder, Facts(loaded, encoder), loaded);
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    public Func<string, IReadOnlyList<int>> OpenTokenizer(string? model)
    {
        if (model is not null && model.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            return BloomTokenizer.FromJson(ReadTokenizer(model)).EncodeToIds;
        }
        string inFolder = Path.Combine(model ?? "", "tokenizer.json");
        if (model is not null && File.Exists(inFolder))
        {
            return BloomTokenizer.FromJson(ReadTokenizer(inFolder)).EncodeToIds;
        }
        using LacosModel loaded = LacosModel.Open(model, BloomCompute.Float32);
        return BloomTokenizer.FromJson(loaded.TokenizerJson.Span).EncodeToIds;
    }

    private static byte[] ReadTokenizer(string path)
    {
        if (!File.Exists(path))
        {
            throw new ToolException($"There is no file '{path}'. Give a tokenizer.json, a model folder or a .lacos file.");
        }
        return JsonLimits.ReadFile(path, JsonLimits.LargestTokenizer);
    }

    private static ModelFacts Facts(LacosModel model, SentenceEncoder encoder) => new(
        model.Provenance.GetValueOrDefault(ModelProvenance.Name, "unnamed"),
        new Lazy<string>(() => model.Fingerprint),
        encoder.Dimension,
        PoolingArgument.Format(encoder.Pooling),
        encoder.IsNormalized,
        encoder.Prompt,
        encoder.MaximumTokenCount,
        ModelOptions.Name(encoder.Options.LongText),
        ModelOptions.Name(Executed(model, encoder.Options.Compute)),
        encoder.Description);

    /// <summary>The arithmetic that runs: only row-wise weights are executed in int8, and quantised weights have no float form of their own.</summary>
    private static BloomCompute Executed(LacosModel model, BloomCompute asked) => model.Weights.Blocks[0].QueryKeyValue.Weight.Scheme switch
    {
        QuantizationScheme.None => BloomCompute.Float32,
        QuantizationScheme.Rowwise when asked == BloomCompute.Int8 => BloomCompute.Int8,
        _ => BloomCompute.Int8WeightOnly,
    };
}
