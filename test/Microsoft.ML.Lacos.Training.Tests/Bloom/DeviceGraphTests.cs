using System.Collections;
using System.Reflection;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Tests.Bloom;
using Microsoft.ML.Lacos.Training.Bloom;
using Microsoft.ML.Lacos.Training.Losses;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Bloom;

/// <summary>
/// Finds tensors that are left on the CPU, and memory that is read where it cannot be, without a GPU: on torch's <c>meta</c> device, whose tensors have shapes and no memory.
/// </summary>
/// <remarks>torch has no meta kernels for layer norm, for selecting rows or elements, and for the way back through a norm; many others take tensors of two devices in silence. So parts are run, and every
/// tensor made is looked at.</remarks>
[TestClass]
public sealed class DeviceGraphTests
{
    private static readonly GraphDevice Meta = new(new torch.Device(DeviceType.META), UsesNativeKernels: false);
    private static readonly LoraConfig Lora = new() { Rank = 4, Dropout = 0.1, TargetPattern = LoraConfig.AllLinear };

    [TestMethod]
    [DataRow(QuantizationScheme.None)]
    [DataRow(QuantizationScheme.Rowwise)]
    [DataRow(QuantizationScheme.BlockwiseDynamic)]
    public void EveryConstantAndAdapterIsOnTheDevice(QuantizationScheme scheme)
    {
        using var bloom = new RandomBloom(RandomBloom.Small, scheme);
        using var model = new LoraBloom(bloom.Weights, Lora, device: Meta);
        List<torch.Tensor> tensors = Reachable(model);
        // Six vectors of norms a block, four outside; weights in one to three tensors, a bias and an adapter for each of eight layers.
        int perLayer = scheme switch { QuantizationScheme.None => 1, QuantizationScheme.Rowwise => 2, _ => 3 } + 3;
        Assert.HasCount((2 * 4) + 4 + (8 * perLayer), tensors);
        AssertOnDevice(tensors);
        Assert.IsTrue(model.Parameters.All(item => item.Value.is_leaf && item.Value.requires_grad));
    }

    [TestMethod]
    [DataRow(QuantizationScheme.None, torch.ScalarType.Float32)]
    [DataRow(QuantizationScheme.Rowwise, torch.ScalarType.Float32)]
    [DataRow(QuantizationScheme.Rowwise, torch.ScalarType.BFloat16)]
    public void ForwardAndBackwardMakeNothingOnTheCpu(QuantizationScheme scheme, torch.ScalarType product)
    {
        using var bloom = new RandomBloom(RandomBloom.Small, scheme);
        using var model = new LoraBloom(bloom.Weights, Lora, device: Meta with { Product = product });
        LoraLinear[] linears = [.. model.Adapted];
        TokenRows rows = TestRows.Of(model.Config, [[1, 2, 3], [4, 5, 6]]);
        var dropout = new DropoutKey(1, 2);
        using DisposeScope scope = torch.NewDisposeScope();
        using var attention = new TrainableAttention(model.Config, rows, model.Device);
        torch.Tensor x = torch.zeros(rows.Ids.Length, model.Config.HiddenSize, device: model.Device);
        torch.Tensor mixed = linears[1].Forward(attention.Forward(linears[0].Forward(x, rows, dropout)), rows, dropout) + x;
        torch.Tensor tokens = linears[3].Forward(torch.nn.functional.gelu(linears[2].Forward(mixed, rows, dropout)), rows, dropout);
        torch.Tensor vectors = TrainablePooling.Forward(tokens, rows, new PoolingOptions(PoolingModes.Mean | PoolingModes.Max));
        using var loss = new MeanSquaredErrorLoss();
        loss.Forward([vectors], torch.zeros_like(vectors)).backward();
        model.Failure.ThrowIfAny();
        AssertOnDevice([.. scope.DisposablesView.OfType<torch.Tensor>()]);
        List<torch.Tensor> gradients = [.. linears[..4].SelectMany(linear => new[] { linear.A!.grad!, linear.B!.grad! })];
        Assert.HasCount(8, gradients);
        AssertOnDevice(gradients);
    }

    [TestMethod]
    public void LossesMakeNothingOnTheCpu()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.Tensor vectors = torch.zeros(3, 8, device: Meta.Device);
        torch.Tensor labels = torch.zeros(3, device: Meta.Device);
        foreach (SentenceLoss loss in new SentenceLoss[]
        {
            new MultipleNegativesRankingLoss(bothDirections: true), new MatryoshkaLoss(new MultipleNegativesRankingLoss(), [8, 4]), new CosineSimilarityLoss(),
        })
        {
            using (loss)
            {
                loss.Forward([vectors, vectors], loss.Label == LossLabel.None ? null : labels);
            }
        }
        AssertOnDevice([.. scope.DisposablesView.OfType<torch.Tensor>()]);
    }

    [TestMethod]
    public void ABatchOfUnevenRowsPutsItsTablesAndTokensOnTheDevice()
    {
        using var bloom = new RandomBloom(RandomBloom.Small, QuantizationScheme.Rowwise);
        using var model = new LoraBloom(bloom.Weights, Lora, device: Meta);
        TokenRows rows = TestRows.Of(model.Config, [[1, 2, 3], [4]]);
        using DisposeScope scope = torch.NewDisposeScope();
        using var attention = new TrainableAttention(model.Config, rows, model.Device);
        List<torch.Tensor> tables = Reachable(attention);
        Assert.HasCount(3, tables);
        AssertOnDevice(tables);
        // The first operation after the look-up is a layer norm, where meta ends.
        Exception end = Assert.Throws<Exception>(() => model.EncodeTokens(rows));
        Assert.Contains("native_batch_norm", end.Message);
        torch.Tensor embedded = scope.DisposablesView.OfType<torch.Tensor>().Single(tensor => tensor.shape.SequenceEqual([4L, model.Config.HiddenSize]));
        AssertOnDevice([embedded]);
    }

    [TestMethod]
    public void MemoryOfAnotherDeviceCannotBeReadUnnoticed()
    {
        using var bloom = new RandomBloom(RandomBloom.Small, QuantizationScheme.Rowwise);
        using var model = new LoraBloom(bloom.Weights, Lora, device: Meta);
        Assert.Throws<Exception>(() => model.Parameters[0].Value.bytes.Length);
        Assert.Throws<Exception>(() => model.ToAdapter());
    }

    private static void AssertOnDevice(List<torch.Tensor> tensors)
    {
        Assert.IsNotEmpty(tensors);
        foreach (torch.Tensor tensor in tensors)
        {
            Assert.AreEqual(DeviceType.META, tensor.device_type, $"a tensor {tensor.dtype} [{string.Join(", ", tensor.shape)}] is elsewhere");
        }
    }

    // Everything of this project's own types, and what their lists hold.
    private static List<torch.Tensor> Reachable(object root)
    {
        var found = new List<torch.Tensor>();
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        Visit(root);
        return found;

        void Visit(object? value)
        {
            if (value is null || !seen.Add(value))
            {
                return;
            }
            if (value is torch.Tensor tensor)
            {
                found.Add(tensor);
            }
            else if (value is IEnumerable items and not string)
            {
                foreach (object? item in items)
                {
                    Visit(item);
                }
            }
            else if (value.GetType().Namespace == typeof(LoraBloom).Namespace)
            {
                foreach (FieldInfo field in Fields(value.GetType()).Where(field => !field.FieldType.IsPrimitive))
                {
                    Visit(field.GetValue(value));
                }
            }
        }

        static IEnumerable<FieldInfo> Fields(Type? type) => type is null
            ? []
            : type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly).Concat(Fields(type.BaseType));
    }
}
