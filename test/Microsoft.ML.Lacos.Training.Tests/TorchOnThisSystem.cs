using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Training.Loading;

namespace Microsoft.ML.Lacos.Training.Tests;

[TestClass]
public sealed class TorchOnThisSystem
{
    /// <remarks>Where a package would have to bring the library and did not, the tests run, and fail.</remarks>
    [AssemblyInitialize]
    public static void ExistsOrNoTestIsRun(TestContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (TorchPackage.Rid() is null)
        {
            Assert.Inconclusive($"Not run: TorchSharp has no native library for {RuntimeInformation.RuntimeIdentifier}.");
        }
    }
}
