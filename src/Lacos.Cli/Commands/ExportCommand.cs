using System.CommandLine;
using Lacos.Cli.Output;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Quantization;

namespace Lacos.Cli.Commands;

/// <summary><c>lacos export</c>: a model, perhaps with an adapter, as a folder that transformers and sentence-transformers open.</summary>
internal sealed class ExportCommand(ToolStreams streams)
{
    private static readonly string[] PrecisionNames = ["float32", "float16"];

    private readonly Option<string?> _model = new("--model", "-m") { Description = "A .lacos file or a model folder; without it the built-in model. A folder is exported from its own precision, not from 8 bits", HelpName = "path" };
    private readonly Option<string?> _adapter = new("--adapter", "-a") { Description = "A PEFT folder with a LoRA adapter to merge into the model", HelpName = "folder" };
    private readonly Option<string> _output = new("--output", "-o") { Description = "The folder to write", HelpName = "folder", Required = true };
    private readonly Option<string> _precision = PrecisionOption("--precision");

    /// <summary>Makes the command.</summary>
    public Command Create()
    {
        var command = new Command("export", "Write a model as a Hugging Face folder that sentence-transformers opens too.");
        foreach (Option option in new Option[] { _model, _adapter, _output, _precision })
        {
            command.Options.Add(option);
        }
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        string output = parse.GetRequiredValue(_output);
        long bytes = 0;
        await WeightDisplay.RunAsync(
            streams,
            "Exporting",
            progress => bytes = Write(parse.GetValue(_model), parse.GetValue(_adapter), output, PrecisionOf(parse, _precision), settings => settings, progress),
            cancellationToken).ConfigureAwait(false);
        streams.WriteLine($"written      {output}, {ModelSummary.Size(bytes)}");
        return ExitCode.Success;
    }

    /// <summary>Writes a folder with the settings that <paramref name="change"/> makes of the model's own.</summary>
    /// <returns>Bytes of its weights.</returns>
    public static long Write(string? model, string? adapter, string folder, CheckpointPrecision precision, Func<SentenceSettings, SentenceSettings> change, WeightProgress progress)
    {
        Check(model, adapter, folder);
        if (Directory.Exists(model))
        {
            ModelFolder.Export(model, adapter is null ? null : PeftAdapter.Load(adapter), change, folder, precision, progress);
            return new FileInfo(Path.Combine(folder, "model.safetensors")).Length;
        }
        using LacosModel opened = LacosModel.Open(model, BloomCompute.Float32, adapter);
        using LacosModel changed = opened.With(change(opened.Settings));
        changed.WriteFolder(folder, precision, progress);
        return new FileInfo(Path.Combine(folder, "model.safetensors")).Length;
    }

    /// <summary>Refuses a folder that must not be replaced.</summary>
    /// <exception cref="IOException">There is something else in it.</exception>
    /// <exception cref="UsageException">The model, the adapter or another input is in it.</exception>
    public static void Check(string? model, string? adapter, string folder, params IEnumerable<string?> files)
    {
        ExportedFolder.CheckReplaceable(folder);
        OverwriteCheck.RefuseFolder(folder, model, adapter, files);
    }

    internal static Option<string> PrecisionOption(string name) => ModelOptions.Choice(name, "Elements of the exported weights", PrecisionNames);

    internal static CheckpointPrecision PrecisionOf(ParseResult parse, Option<string> option) => (CheckpointPrecision)Array.IndexOf(PrecisionNames, parse.GetRequiredValue(option));
}
