using Microsoft.ML.Lacos.Training.Loading;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Loading;

[TestClass]
public sealed class TorchSharpLoaderTests
{
    [TestMethod]
    public void TorchLoadsAndAddsTwoTensors()
    {
        TorchSharpLoader.EnsureLoadable();
        using torch.Tensor sum = torch.tensor(new[] { 1f, 2f }) + torch.tensor(new[] { 3f, 5f });
        CollectionAssert.AreEqual(new[] { 4f, 7f }, sum.data<float>().ToArray());
    }

    [TestMethod]
    public void WhereThereIsNoLibraryForTheSystemTheAdviceIsThatByWhichTestsOfProgramsKnowIt()
    {
        StringAssert.EndsWith(TorchSharpLoader.Advice(null), TorchElsewhere.Advice);
        Assert.DoesNotContain(TorchElsewhere.Advice, TorchSharpLoader.Advice("linux-x64"));
    }
}
