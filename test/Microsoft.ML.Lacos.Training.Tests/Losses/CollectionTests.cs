using System.Reflection;
using Microsoft.ML.Lacos.Training.Losses;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Losses;

/// <summary>Tensors and scalars of TorchSharp are freed by collections, even while torch computes with them: the code must hold them.</summary>
[TestClass]
[DoNotParallelize]
public sealed class CollectionTests
{
    private const int Rows = 6;
    private const int Dimension = 4;
    private const int Rounds = 120;

    [TestMethod]
    public void LossesAndGradientsAreTheSameWhileGarbageIsCollected()
    {
        (SentenceLoss Loss, torch.Tensor? Labels)[] cases = Cases();
        float[][] expected = [.. cases.Select(item => LossAndGradient(item.Loss, item.Labels))];
        using (new CollectingThread())
        {
            for (int round = 0; round < Rounds; round++)
            {
                for (int i = 0; i < cases.Length; i++)
                {
                    CollectionAssert.AreEqual(expected[i], LossAndGradient(cases[i].Loss, cases[i].Labels), $"{cases[i].Loss.Name}, round {round}");
                }
            }
        }
        foreach ((SentenceLoss loss, torch.Tensor? labels) in cases)
        {
            loss.Dispose();
            labels?.Dispose();
        }
    }

    [TestMethod]
    public void OnlyHeldScalarsMakesScalars()
    {
        Assembly assembly = typeof(SentenceLoss).Assembly;
        List<string> makers = [];
        foreach (Type type in assembly.GetTypes())
        {
            const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;
            foreach (MethodBase method in type.GetMethods(All).Concat<MethodBase>(type.GetConstructors(All)))
            {
                makers.AddRange(Called(method).Where(TakesScalar).Select(called => $"{type.Name}.{method.Name} calls {called.DeclaringType!.Name}.{called.Name}"));
            }
        }
        Assert.IsTrue(makers.Exists(maker => maker.StartsWith("HeldScalars.", StringComparison.Ordinal)), "The scan finds nothing: it must see HeldScalars.");
        string[] others = [.. makers.Where(maker => !maker.StartsWith("HeldScalars.", StringComparison.Ordinal) || maker.Contains(".add", StringComparison.Ordinal))];
        Assert.HasCount(0, others, $"Use HeldScalars: {string.Join("; ", others)}");
    }

    // A conversion to a scalar, an operator with a number, or a sum with the default alpha.
    private static bool TakesScalar(MethodBase called)
    {
        if (called.DeclaringType == typeof(Scalar))
        {
            return called.Name is "op_Implicit";
        }
        Type[] parameters = [.. called.GetParameters().Select(parameter => parameter.ParameterType)];
        return called.DeclaringType == typeof(torch.Tensor)
            && (called.Name is "op_Addition"
                || (called.Name is "add" or "add_" && parameters.Length == 1)
                || (called.Name.StartsWith("op_", StringComparison.Ordinal) && parameters.Any(parameter => parameter.IsPrimitive)));
    }

    // Every four bytes behind the opcode of a call that are a method's token; other places hold one by the rarest chance only.
    private static IEnumerable<MethodBase> Called(MethodBase method)
    {
        byte[] code = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        for (int i = 0; i + 4 < code.Length; i++)
        {
            const byte Call = 0x28, CallVirtual = 0x6F;
            if (code[i] is Call or CallVirtual && Resolve(method, BitConverter.ToInt32(code, i + 1)) is MethodBase called)
            {
                yield return called;
            }
        }
    }

    private static MethodBase? Resolve(MethodBase method, int token)
    {
        try
        {
            return method.Module.ResolveMethod(token, method.DeclaringType?.GetGenericArguments(), method.IsGenericMethod ? method.GetGenericArguments() : null);
        }
        catch (Exception error) when (error is ArgumentException or BadImageFormatException or FileNotFoundException or TypeLoadException)
        {
            return null;
        }
    }

    private static (SentenceLoss Loss, torch.Tensor? Labels)[] Cases()
    {
        torch.Tensor similarities = torch.tensor([0f, 0.2f, 0.4f, 0.6f, 0.8f, 1f]);
        return
        [
            (new MultipleNegativesRankingLoss(bothDirections: true), null),
            (new MultipleNegativesRankingLoss(bothDirections: true, labelsAreClasses: true), torch.tensor(new long[] { 0, 1, 2, 0, 1, 2 })),
            (new CoSentLoss(), similarities.clone()),
            (new AngleLoss(), similarities.clone()),
            (new CosineSimilarityLoss(), similarities.clone()),
            (new ContrastiveLoss(), torch.tensor([0f, 1f, 0f, 1f, 0f, 1f])),
            (new SoftmaxLoss(Dimension, 3), torch.tensor(new long[] { 0, 1, 2, 0, 1, 2 })),
            (new MeanSquaredErrorLoss(), Vectors(3)),
            (new MatryoshkaLoss(new WeightedLoss(new CoSentLoss(), 0.5), [2, Dimension]), similarities),
        ];
    }

    private static torch.Tensor Vectors(int seed)
    {
        var random = new Random(seed);
        return torch.tensor(Enumerable.Range(0, Rows * Dimension).Select(_ => random.NextSingle() - 0.5f).ToArray(), [Rows, Dimension]);
    }

    private static float[] LossAndGradient(SentenceLoss loss, torch.Tensor? labels)
    {
        using torch.Tensor first = Vectors(1).requires_grad_();
        using torch.Tensor second = Vectors(2);
        using torch.Tensor value = loss.Forward([first, second], labels);
        value.backward();
        using torch.Tensor gradient = first.grad!;
        return [value.item<float>(), .. gradient.data<float>().ToArray()];
    }
}
