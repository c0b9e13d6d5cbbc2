using System.Text;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Training.Tests;

namespace Lacos.Cli.Tests;

/// <summary>One run of the tool inside the test's process, over models without weights.</summary>
internal sealed record ToolRun(int ExitCode, string Output, string Error)
{
    /// <summary>What it said on standard error.</summary>
    public string Error { get; } = TorchElsewhere.OrNotRun(Error);

    public static ToolRun Of(params string[] arguments) => Of(new FakeModels(), "", default, arguments);

    public static ToolRun Of(FakeModels models, string input, CancellationToken cancellationToken, params string[] arguments) =>
        Of(models, new MemoryStream(Encoding.UTF8.GetBytes(input)), cancellationToken, arguments);

    public static ToolRun Of(FakeModels models, Stream input, CancellationToken cancellationToken, params string[] arguments)
    {
        var output = new MemoryStream();
        var error = new StringWriter { NewLine = "\n" };
        using var streams = new ToolStreams(input, output, error, errorIsTerminal: false);
        int exitCode = LacosTool.RunAsync(arguments, streams, models, models, cancellationToken).GetAwaiter().GetResult();
        return new ToolRun(exitCode, Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }
}
