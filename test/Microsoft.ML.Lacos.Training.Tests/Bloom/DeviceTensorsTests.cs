using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Tests.Hub;
using Microsoft.ML.Lacos.Training.Bloom;
using Microsoft.ML.Lacos.Training.Losses;
using Microsoft.ML.Lacos.Training.Tests.Trainer;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Bloom;

/// <summary>Products of vectors add up by where their numbers begin: what is trained begins at a cache line, wherever managed arrays lie.</summary>
[TestClass]
public sealed class DeviceTensorsTests
{
    private const nuint CacheLine = 64;

    [TestMethod]
    public unsafe void TensorsOfArraysBeginAtACacheLine()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        for (int length = 1; length <= 16; length++)
        {
            Check(DeviceTensors.Of([.. Enumerable.Range(0, length).Select(i => (float)i)], [length]), length);
            using var loss = new SoftmaxLoss(length, 2);
            Check(loss.Parameters[0].Value, 6 * length);
        }

        static void Check(torch.Tensor tensor, int length)
        {
            using torch.Tensor flat = tensor.detach();
            nuint address = (nuint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(flat.bytes));
            Assert.AreEqual((nuint)0, address % CacheLine, $"{length} elements");
        }
    }

    // Rank 1 makes products of a matrix and a vector of all that the adapters compute.
    [TestMethod]
    [DataRow(BloomCompute.Float32)]
    [DataRow(BloomCompute.Int8)]
    public void ARunGivesTheSameBytesWhereverItsArraysLie(BloomCompute compute)
    {
        using var folder = new TemporaryFolder();
        string model = TinyModel.OfLetters().WriteTo(folder.File("model"));
        byte[] first = Train(0);
        for (int run = 1; run < 8; run++)
        {
            CollectionAssert.AreEqual(first, Train(run));
        }

        byte[] Train(int run)
        {
            // Moves the next arrays by the size of a number or two.
            GC.KeepAlive(new byte[8 * run]);
            var ml = new MLContext(1);
            IDataView data = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 16).Select(i => new Sentences.Pair { Sentence1 = Text(i, 6), Sentence2 = Text(3 * i, 7), Label = i % 5 }).ToArray());
            var options = new LacosBloomTrainer.Options { Model = model, Compute = compute, Loss = TrainingLoss.CoSent, LoraRank = 1, LoraTargets = ["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"], LoraDropout = 0, LearningRate = 0.05, Steps = 6, BatchSize = 8 };
            ml.Regression.Trainers.LacosBloom(options).FitAdapter(data).Save(folder.File($"{run}"));
            return File.ReadAllBytes(folder.File($"{run}", PeftAdapter.WeightsFileName));
        }

        static string Text(int start, int length) => string.Concat(Enumerable.Range(start, length + (start % 3)).Select(i => "abcdefghijkl"[i * (1 + (start % 4)) % 12]));
    }
}
