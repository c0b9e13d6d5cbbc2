using System.Diagnostics;
using Microsoft.ML.Lacos.Hub;

namespace Microsoft.ML.Lacos.Benchmarks.StartUp;

/// <summary>What this program is when the start-up benchmark starts it: nothing at all, or one sentence to one vector.</summary>
internal static class StartUpChild
{
    /// <summary>First argument of such a process.</summary>
    public const string Argument = "start-up-child";

    /// <summary>Second argument: encode a sentence; otherwise return at once.</summary>
    public const string Encode = "encode";

    public static int Run(string what) => what == Encode ? EncodeOne() : 0;

    // Apart, so that the empty program does not load what this one needs.
    private static int EncodeOne()
    {
        using LacosModel model = LacosModel.LoadDefault();
        double loaded = Age();
        using SentenceEncoder encoder = SentenceEncoder.Create(model);
        double packed = Age();
        float[] vector = encoder.Encode("A man is playing a guitar.");
        Console.WriteLine(FormattableString.Invariant($"loaded after {loaded:F3} s, packed after {packed:F3} s, vector after {Age():F3} s"));
        return Array.Exists(vector, value => value != 0) ? 0 : 1;
    }

    private static double Age() => (DateTime.Now - Process.GetCurrentProcess().StartTime).TotalSeconds;
}
