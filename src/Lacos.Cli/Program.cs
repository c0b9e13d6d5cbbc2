using Lacos.Cli;
using Lacos.Cli.Models;
using Lacos.Cli.Terminal;

using var signals = new TerminationSignals();
using var encoding = new ConsoleEncoding();
using var streams = ToolStreams.OfProcess();
try
{
    var models = new LacosModelSource(streams);
    return await LacosTool.RunAsync(args, streams, models, models, signals.Token).ConfigureAwait(false);
}
catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
{
    streams.Error.WriteLine("lacos: stopped.");
    return signals.ReceivedExitCode;
}
