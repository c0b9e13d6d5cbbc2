using Microsoft.ML.Lacos.Benchmarks;
using Microsoft.ML.Lacos.Benchmarks.Memory;
using Microsoft.ML.Lacos.Benchmarks.StartUp;

// First of all, and with nothing else in this method: the empty program of the start-up benchmark must load nothing.
return args switch
{
    [StartUpChild.Argument, string what] => StartUpChild.Run(what),
    [MemoryChild.Argument, string model] => MemoryChild.Run(model),
    _ => BenchmarkCommand.Run(args),
};
