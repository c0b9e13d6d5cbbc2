using System.CommandLine;
using Lacos.Cli.Output;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Commands;

/// <summary><c>lacos pack</c>: a model with its linear layers packed for one kernel set, to be used where they lie in the file.</summary>
internal sealed class PackCommand(ToolStreams streams)
{
    private readonly Option<string?> _model = new("--model", "-m") { Description = "A .lacos file or a model folder; without it the built-in model", HelpName = "path" };
    private readonly Option<string> _output = new("--output", "-o") { Description = "The .lacos file to write", HelpName = "path", Required = true };
    private readonly Option<string> _kernels = new("--kernels")
    {
        Description = $"The kernel set to pack for, as 'lacos info' names it; {LacosModel.ThisMachine} for the one that runs here; {LacosModel.NotPacked} to unpack",
        HelpName = "set",
        DefaultValueFactory = _ => LacosModel.ThisMachine,
    };

    /// <summary>Makes the command.</summary>
    public Command Create()
    {
        var command = new Command("pack", "Write a model with weights packed for one kernel set: nothing to pack at start, and memory that processes share.");
        command.Options.Add(_model);
        command.Options.Add(_output);
        command.Options.Add(_kernels);
        command.SetAction((parse, cancellationToken) => Task.Run(() => Run(parse, cancellationToken), CancellationToken.None));
        return command;
    }

    private int Run(ParseResult parse, CancellationToken cancellationToken)
    {
        string output = parse.GetRequiredValue(_output);
        OverwriteCheck.RefuseFile(output, parse.GetValue(_model), null);
        try
        {
            using LacosModel model = parse.GetValue(_model) is string path ? LacosModel.Load(path) : LacosModel.LoadDefault();
            model.Save(output, parse.GetRequiredValue(_kernels), cancellationToken);
        }
        catch (ArgumentException error)
        {
            throw new UsageException(OptionName.InMessage(error), error);
        }
        using LacosModel packed = LacosModel.Load(output);
        var summary = new ModelSummary(packed);
        streams.WriteLine($"model        {summary.Name}, {summary.Shape}");
        streams.WriteLine($"weights      {summary.Storage}");
        streams.WriteLine($"written      {output}, {ModelSummary.Size(new FileInfo(AtomicFile.TargetOf(output)).Length)}");
        streams.WriteLine($"fingerprint  {packed.Fingerprint}");
        return ExitCode.Success;
    }
}
