using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Training.Loading;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Loading;

[TestClass]
[DoNotParallelize]
public sealed class TorchThreadsTests
{
    [TestMethod]
    public void TorchIsHeldToTheThreadsAllowedAndNotGivenMore()
    {
        TorchSharpLoader.EnsureLoadable();
        int before = torch.get_num_threads();
        int allowed = EncoderThreads.Resolve(0);
        try
        {
            torch.set_num_threads(allowed + 3);
            TorchThreads.Limit();
            Assert.AreEqual(allowed, torch.get_num_threads());
            torch.set_num_threads(1);
            TorchThreads.Limit();
            Assert.AreEqual(1, torch.get_num_threads());
        }
        finally
        {
            torch.set_num_threads(before);
        }
    }
}
