using Microsoft.ML.Lacos.Training.Bloom;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Bloom;

[TestClass]
public sealed class BackwardFailureTests
{
    [TestMethod]
    public void AFailureOnTheWayBackIsThrownOnceAfterwardsInsteadOfEndingTheProcess()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var failure = new BackwardFailure();
        torch.Tensor x = torch.ones(2, 3).requires_grad_();
        Failing.apply(x, failure).sum().backward();
        Assert.AreEqual("broken", Assert.ThrowsExactly<InvalidDataException>(failure.ThrowIfAny).Message);
        failure.ThrowIfAny();
        Assert.AreEqual(0f, x.grad!.abs().sum().item<float>());
    }

    private sealed class Failing : torch.autograd.SingleTensorFunction<Failing>
    {
        public override string Name => nameof(Failing);

        public override torch.Tensor forward(torch.autograd.AutogradContext ctx, params object[] vars)
        {
            ctx.save_data("failure", vars[1]);
            return (torch.Tensor)vars[0] * 2;
        }

        public override List<torch.Tensor> backward(torch.autograd.AutogradContext ctx, torch.Tensor grad_output) =>
            [((BackwardFailure)ctx.get_data("failure")).Guard(() => throw new InvalidDataException("broken"), 2, 3), null!];
    }
}
