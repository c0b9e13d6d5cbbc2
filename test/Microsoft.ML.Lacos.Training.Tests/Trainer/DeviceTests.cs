using System.Numerics.Tensors;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Training.Bloom;
using Microsoft.ML.Lacos.Training.Tests.Bloom;
using Microsoft.ML.Runtime;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Trainer;

[TestClass]
public sealed class DeviceTests
{
    private static readonly GraphDevice TorchAlone = GraphDevice.Cpu with { UsesNativeKernels = false };

    [TestMethod]
    public void AGpuThatIsMissingIsRefusedOrReplacedByTheCpuWithAWarning()
    {
        if (torch.cuda.is_available())
        {
            Assert.Inconclusive("Not run: there is a GPU.");
        }
        var strict = new MLContext(1) { GpuDeviceId = 0, FallbackToCpu = false };
        NotSupportedException error = Assert.ThrowsExactly<NotSupportedException>(() => strict.Regression.Trainers.LacosBloom(Sentences.Quick(1)).FitAdapter(Sentences.Data(strict, 8)));
        Assert.Contains("no CUDA device", error.Message);
        var lenient = new MLContext(1) { GpuDeviceId = 0, FallbackToCpu = true };
        var warnings = new List<string>();
        lenient.Log += (_, message) => warnings.AddRange(message.Kind == ChannelMessageKind.Warning ? [message.RawMessage] : []);
        lenient.Regression.Trainers.LacosBloom(Sentences.Quick(1)).FitAdapter(Sentences.Data(lenient, 8));
        Assert.HasCount(1, warnings.Where(message => message.Contains("GpuDeviceId is 0", StringComparison.Ordinal) && message.Contains("runs on the CPU", StringComparison.Ordinal)));
    }

    [TestMethod]
    [DataRow(TrainingLoss.MultipleNegativesRanking)]
    [DataRow(TrainingLoss.Softmax)]
    public void ARunByTorchAloneTakesTheWayOfTheNativeOne(TrainingLoss loss)
    {
        var ml = new MLContext(1);
        List<Sentences.Pair> pairs = Sentences.Pairs(16);
        pairs.ForEach(pair => pair.Label = MathF.Round(pair.Label));
        (PeftAdapter Adapter, List<double> Losses) Train(GraphDevice? device)
        {
            var losses = new List<double>();
            LacosBloomTrainer.Options options = Sentences.Quick(6);
            (options.Loss, options.MiniBatchSize, options.Device, options.Scale) = (loss, 2, device, 1);
            options.Progress = new LacosBloomTrainerTests.Listener(progress => losses.Add(progress.Loss));
            return (ml.Regression.Trainers.LacosBloom(options).FitAdapter(ml.Data.LoadFromEnumerable(pairs)), losses);
        }
        (PeftAdapter native, List<double> nativeLosses) = Train(null);
        foreach (GraphDevice device in new[] { TorchAlone, TorchAlone with { Product = torch.ScalarType.BFloat16 } })
        {
            (PeftAdapter other, List<double> losses) = Train(device);
            for (int step = 0; step < losses.Count; step++)
            {
                Assert.AreEqual(nativeLosses[step], losses[step], 0.02 * nativeLosses[step], $"step {step}");
            }
            foreach ((string name, LoraMatrices matrices) in native.Modules)
            {
                Assert.IsGreaterThan(0.9f, TensorPrimitives.CosineSimilarity<float>(matrices.B, other.Modules[name].B), name);
            }
        }
    }

    [TestMethod]
    public void ARunOnAGpuTakesTheWayOfTheOneOnTheCpuAndContinues()
    {
        CudaGraphTests.Gpu();
        using var folder = new TemporaryFolder();
        (PeftAdapter Adapter, List<double> Losses) Train(string name, int? gpu, int stopAt = 0, bool resume = false)
        {
            var ml = new MLContext(1) { GpuDeviceId = gpu, FallbackToCpu = false };
            var losses = new List<double>();
            LacosBloomTrainer.Options options = Sentences.Quick(6);
            (options.MiniBatchSize, options.OutputFolder, options.StopAtStep, options.Resume) = (2, folder.File(name), stopAt, resume);
            options.Progress = new LacosBloomTrainerTests.Listener(progress => losses.Add(progress.Loss));
            return (ml.Regression.Trainers.LacosBloom(options).FitAdapter(Sentences.Data(ml, 16)), losses);
        }
        (PeftAdapter cpu, List<double> cpuLosses) = Train("cpu", null);
        (PeftAdapter gpu, List<double> gpuLosses) = Train("gpu", 0);
        Train("parts", 0, stopAt: 3);
        (PeftAdapter parts, _) = Train("parts", 0, resume: true);
        Assert.HasCount(6, gpuLosses);
        for (int step = 0; step < gpuLosses.Count; step++)
        {
            Assert.AreEqual(cpuLosses[step], gpuLosses[step], Math.Max(0.02, 0.02 * cpuLosses[step]), $"step {step}");
        }
        foreach ((string name, LoraMatrices matrices) in cpu.Modules)
        {
            Assert.IsGreaterThan(0.9f, TensorPrimitives.CosineSimilarity<float>(matrices.B, gpu.Modules[name].B), name);
            Assert.IsGreaterThan(0.9999f, TensorPrimitives.CosineSimilarity<float>(gpu.Modules[name].B, parts.Modules[name].B), name);
        }
    }

    [TestMethod]
    public void ARunOfTorchAloneContinuesToTheBitAndNotOnAnotherPath()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1);
        byte[] Train(string name, int stopAt, bool resume, GraphDevice? device)
        {
            LacosBloomTrainer.Options options = Sentences.Quick(6);
            (options.OutputFolder, options.StopAtStep, options.Resume, options.Device, options.Loss) = (folder.File(name), stopAt, resume, device, TrainingLoss.Softmax);
            List<Sentences.Pair> pairs = Sentences.Pairs(16);
            pairs.ForEach(pair => pair.Label = MathF.Round(pair.Label));
            ml.Regression.Trainers.LacosBloom(options).FitAdapter(ml.Data.LoadFromEnumerable(pairs)).Save(folder.File(name));
            return File.ReadAllBytes(folder.File(name, PeftAdapter.WeightsFileName));
        }
        byte[] whole = Train("whole", 0, false, TorchAlone);
        Train("parts", 3, false, TorchAlone);
        Assert.Contains("by torch", Assert.ThrowsExactly<InvalidDataException>(() => Train("parts", 0, true, null)).Message);
        CollectionAssert.AreEqual(whole, Train("parts", 0, true, TorchAlone));
    }
}
