namespace Microsoft.ML.Lacos.Benchmarks.Kernels;

/// <summary>How thoroughly a layer is measured.</summary>
/// <param name="Seconds">No new turn after this long.</param>
/// <param name="LeastTurns">Turns in any case.</param>
/// <param name="RotatedBytes">Weights through which a single row rotates.</param>
internal sealed record KernelTime(double Seconds, int LeastTurns, long RotatedBytes);
