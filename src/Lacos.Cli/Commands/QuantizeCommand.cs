using System.CommandLine;
using System.Security.Cryptography;
using Lacos.Cli.Models;
using Lacos.Cli.Output;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Commands;

/// <summary><c>lacos quantize</c>: a checkpoint folder in, one <c>.lacos</c> file out.</summary>
internal sealed class QuantizeCommand(ToolStreams streams)
{
    private static readonly QuantizationScheme[] Schemes = [QuantizationScheme.Rowwise, QuantizationScheme.BlockwiseDynamic, QuantizationScheme.BlockwiseLinear];

    private readonly Option<string> _model = new("--model", "-m") { Description = "A Hugging Face BLOOM folder, a sentence-transformers folder around one, or a .lacos file, to give it other settings", HelpName = "path", Required = true };
    private readonly Option<string> _output = new("--output", "-o") { Description = "The .lacos file to write", HelpName = "path", Required = true };
    private readonly Option<string> _scheme = ModelOptions.Choice("--scheme", "How linear layers are stored; only rowwise is executed in int8", [.. Schemes.Select(QuantizationNames.Of)]);
    private readonly Option<int> _blockSize = ModelOptions.Number("--block-size", 1, $"Elements a block of the blockwise schemes. Default: {LacosModel.DefaultBlockSize}", "N");
    private readonly Option<string?> _name = new("--name") { Description = "Name of the model. Default: that of the folder", HelpName = "text" };
    private readonly Option<string?> _license = new("--license") { Description = "Licence of the model. Default: what the folder's README.md says", HelpName = "SPDX" };
    private readonly Option<string[]> _provenance = new("--provenance") { Description = "Something else worth keeping with the model; may be repeated", HelpName = "key=value" };
    private readonly ScoreOptions _scores = new(streams);
    private readonly Option<string?> _pooling = ModelOptions.PoolingOption("The model's pooling");
    private readonly Option<int> _maximumTokens = ModelOptions.Number("--max-tokens", 1, $"The model's token limit of a text, at most {SentenceSettingsJson.LargestTokenCount}. Default: what the folder says; else 256, of a sentence-transformers folder none", "N", SentenceSettingsJson.LargestTokenCount);

    /// <summary>Makes the command.</summary>
    public Command Create()
    {
        var command = new Command("quantize", "Turn a model folder into one .lacos file with 8-bit weights, tokenizer and settings in it.");
        foreach (Option option in new Option[] { _model, _output, _scheme, _blockSize, _name, _license, _provenance, _pooling, _maximumTokens })
        {
            command.Options.Add(option);
        }
        _scores.AddTo(command);
        _provenance.Validators.Add(result =>
        {
            foreach (string entry in result.Tokens.Select(token => token.Value).Where(entry => entry.IndexOf('=', StringComparison.Ordinal) < 1))
            {
                result.AddError($"--provenance is '{entry}'. Write it as key=value.");
            }
        });
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        string path = parse.GetRequiredValue(_model);
        string output = parse.GetRequiredValue(_output);
        QuantizationScheme scheme = Array.Find(Schemes, scheme => QuantizationNames.Of(scheme) == parse.GetValue(_scheme));
        int blockSize = parse.GetValue(_blockSize);
        if (blockSize > 0 && scheme == QuantizationScheme.Rowwise)
        {
            throw new UsageException("--block-size goes with the blockwise schemes; rowwise has one scale a row. Leave it out, or choose another --scheme.");
        }
        OverwriteCheck.RefuseFile(output, path, null, _scores.Paths(parse));
        using PendingFile file = PendingFile.Create(output);
        var options = new LacosModelLoadOptions { Scheme = scheme, BlockSize = blockSize > 0 ? blockSize : LacosModel.DefaultBlockSize };
        string[] report = [];
        await WeightDisplay.RunAsync(
            streams,
            "Quantising",
            progress =>
            {
                using LacosModel model = Load(path, options with { Progress = progress });

                // Over the same weights, which the model above keeps in memory.
                using var described = new LacosModel(model.Weights, model.TokenizerJson.ToArray(), Settings(parse, model.Settings), Provenance(parse, model.Provenance), memory: null);
                (long bytes, string fingerprint) = Save(described, file, cancellationToken);
                report = Report(new ModelSummary(described), path, output, bytes, fingerprint);
            },
            cancellationToken).ConfigureAwait(false);
        Array.ForEach(report, streams.WriteLine);
        return ExitCode.Success;
    }

    private static string[] Report(ModelSummary summary, string path, string output, long bytes, string fingerprint) =>
    [
        $"model        {summary.Name}, {summary.Shape}",
        $"settings     {summary.Settings}",
        $"license      {summary.License}",
        $"checkpoint   {ModelSummary.Size(CheckpointBytes(path))}",
        $"weights      {summary.Storage}",
        $"written      {output}, {ModelSummary.Size(bytes)}",
        $"fingerprint  {fingerprint}",
    ];

    private static LacosModel Load(string path, LacosModelLoadOptions options)
    {
        try
        {
            return LacosModel.Load(path, options);
        }
        catch (ArgumentOutOfRangeException error)
        {
            throw new UsageException(OptionName.InMessage(error), error);
        }
    }

    private SentenceSettings Settings(ParseResult parse, SentenceSettings settings)
    {
        if (parse.GetValue(_pooling) is string pooling && PoolingArgument.Parse(pooling) is { } modes)
        {
            settings = settings with { Pooling = modes };
        }
        return parse.GetValue(_maximumTokens) is int limit and > 0 ? settings with { MaximumTokenCount = limit } : settings;
    }

    private Dictionary<string, string> Provenance(ParseResult parse, IReadOnlyDictionary<string, string> own)
    {
        var provenance = new Dictionary<string, string>(own, StringComparer.Ordinal);
        foreach (string entry in parse.GetValue(_provenance) ?? [])
        {
            int equals = entry.IndexOf('=', StringComparison.Ordinal);
            provenance[entry[..equals]] = entry[(equals + 1)..];
        }
        if (parse.GetValue(_name) is string name)
        {
            provenance[ModelProvenance.Name] = name;
        }
        if (parse.GetValue(_license) is string license)
        {
            provenance[ModelProvenance.License] = license;
        }
        if (_scores.Read(parse) is { } scores)
        {
            provenance[ModelProvenance.Scores] = scores.Write();
        }
        return provenance;
    }

    private static (long Bytes, string Fingerprint) Save(LacosModel model, PendingFile file, CancellationToken cancellationToken)
    {
        model.Save(new CancellableStream(file.Stream, cancellationToken));
        long bytes = file.Stream.Length;
        file.Stream.Position = 0;
        string fingerprint = Convert.ToHexString(SHA256.HashData(file.Stream)).ToLowerInvariant();
        cancellationToken.ThrowIfCancellationRequested();
        file.Commit();
        return (bytes, fingerprint);
    }

    // Of the files that were read: others may lie in the folder, and links in it may lead in a circle.
    private static long CheckpointBytes(string path)
    {
        if (!Directory.Exists(path))
        {
            return new FileInfo(FinalPath.Of(path)).Length;
        }
        using SafetensorsFolder files = SafetensorsFolder.Open(SentenceTransformersFolder.IsOne(path) ? SentenceTransformersFolder.Read(path).CheckpointFolder : path);
        return files.Tensors.Values.Distinct().Sum(file => file.ByteLength);
    }
}
