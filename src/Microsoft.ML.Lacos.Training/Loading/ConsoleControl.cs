using System.Runtime.InteropServices;

namespace Microsoft.ML.Lacos.Training.Loading;

/// <summary>Leaves Ctrl-C to the program on Windows.</summary>
/// <remarks>
/// Intel's OpenMP runtime, which torch brings there, carries a Fortran runtime that ends the process on Ctrl-C ("forrtl: error (200)"), before a handler of the program is asked: a run would be
/// lost back to its last checkpoint. The runtime leaves Ctrl-C alone where it finds this variable when it is loaded, so it is set before, unless it is set already.
/// </remarks>
internal static partial class ConsoleControl
{
    /// <summary>The variable that the runtime reads.</summary>
    public const string Variable = "FOR_DISABLE_CONSOLE_CTRL_HANDLER";

    /// <summary>Sets the variable for a runtime that is not loaded yet.</summary>
    public static void Keep()
    {
        if (!OperatingSystem.IsWindows() || Environment.GetEnvironmentVariable(Variable) is not null)
        {
            return;
        }
        try
        {
            // The C library's variables, which the runtime reads, are a copy of the process's; this sets both.
            _ = PutEnvironmentVariable(Variable, "1");
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException)
        {
            // Another C library: Ctrl-C ends the process as it would have.
        }
    }

    [LibraryImport("ucrtbase", EntryPoint = "_putenv_s", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int PutEnvironmentVariable(string name, string value);
}
