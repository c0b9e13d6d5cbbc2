using System.Runtime.InteropServices;

namespace Lacos.Cli.Terminal;

/// <summary>Turns Ctrl-C, SIGTERM and the end of the terminal into cancellation, so that temporary files are removed; a second signal, a second or more later, ends the process at once.</summary>
/// <remarks>The delay is for <c>timeout</c> and the like, which signal a process and its group: the process then gets the same signal twice.</remarks>
internal sealed class TerminationSignals : IDisposable
{
    private const int MillisecondsBeforeSecond = 1000;

    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _exitCode;
    private long _firstAt = long.MaxValue;

    public TerminationSignals()
    {
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Cancel(context, ExitCode.Interrupted)),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Cancel(context, ExitCode.Terminated)),

            // Where it is ignored, as under nohup, it stays so.
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => Cancel(context, ExitCode.HungUp)),
        ];
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Exit code of the signal received; that of Ctrl-C where there was none.</summary>
    public int ReceivedExitCode => _exitCode == 0 ? ExitCode.Interrupted : _exitCode;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }
        _source.Dispose();
    }

    private void Cancel(PosixSignalContext context, int exitCode)
    {
        if (Interlocked.CompareExchange(ref _exitCode, exitCode, 0) == 0)
        {
            Interlocked.Exchange(ref _firstAt, Environment.TickCount64);
            context.Cancel = true;
            _source.Cancel();
        }
        else if (Environment.TickCount64 - Interlocked.Read(ref _firstAt) < MillisecondsBeforeSecond)
        {
            context.Cancel = true;
        }
    }
}
