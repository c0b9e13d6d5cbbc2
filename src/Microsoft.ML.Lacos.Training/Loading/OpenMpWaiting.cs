using System.Globalization;
using System.Runtime.InteropServices;

namespace Microsoft.ML.Lacos.Training.Loading;

/// <summary>Keeps torch's threads from spinning for milliseconds while they wait for each other.</summary>
/// <remarks>
/// GNU's OpenMP runtime, which torch brings on Linux, lets a waiting thread spin about as long as a time slice of the system. Where anything else wants the cores, the spinning threads take them
/// from those they wait for, and training slows to a fraction. The runtime reads how long to spin from <c>GOMP_SPINCOUNT</c> of the process when it is loaded, so this is set
/// before, unless that or <c>OMP_WAIT_POLICY</c> is set already.
/// </remarks>
internal static partial class OpenMpWaiting
{
    /// <summary>The variable that the runtime reads.</summary>
    public const string Variable = "GOMP_SPINCOUNT";

    /// <summary>Turns of the runtime's waiting loop, some tens of microseconds: enough for the next part of a step to begin.</summary>
    public const int SpinCount = 2000;

    /// <summary>Sets the variable for a runtime that is not loaded yet.</summary>
    public static void Shorten()
    {
        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is not null)
        {
            return;
        }
        try
        {
            // .NET's own variables are a copy that native libraries do not see.
            _ = SetEnvironmentVariable(Variable, SpinCount.ToString(CultureInfo.InvariantCulture), overwrite: 0);
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException)
        {
            // A system whose C library has another name: training works, and is slower beside other work.
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironmentVariable(string name, string value, int overwrite);
}
