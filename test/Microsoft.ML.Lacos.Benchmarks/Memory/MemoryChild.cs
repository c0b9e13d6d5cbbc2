using Microsoft.ML.Lacos.Hub;

namespace Microsoft.ML.Lacos.Benchmarks.Memory;

/// <summary>What this program is when the memory benchmark starts it: a process that has a model open and has encoded a sentence.</summary>
internal static class MemoryChild
{
    /// <summary>First argument of such a process.</summary>
    public const string Argument = "memory-child";

    /// <summary>Second argument: the embedded default model; otherwise a path.</summary>
    public const string Default = "default";

    /// <summary>Opens the model, encodes, says so, and waits for the end of its input.</summary>
    public static int Run(string path)
    {
        using LacosModel model = path == Default ? LacosModel.LoadDefault() : LacosModel.Load(path);
        using SentenceEncoder encoder = SentenceEncoder.Create(model);
        float[] vector = encoder.Encode("A man is playing a guitar.");
        Console.WriteLine(Array.Exists(vector, value => value != 0) ? MemoryTable.Ready : "a vector of zeros");
        Console.In.ReadToEnd();
        return 0;
    }
}
