using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Microsoft.ML.Lacos.Training.Tests.Trainer;

[TestClass]
[DoNotParallelize]
public sealed class CollectionTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    [DataRow(QuantizationScheme.Rowwise)]
    [DataRow(QuantizationScheme.None)]
    [DataRow(QuantizationScheme.BlockwiseDynamic)]
    public void ARunLearnsTheSameBytesWhileGarbageIsCollected(QuantizationScheme scheme)
    {
        using var folder = new TemporaryFolder();
        string model = TinyModel.OfLetters().WriteTo(folder.File("model"));
        byte[] Train(string name)
        {
            LacosBloomTrainer.Options options = Sentences.Quick(4);
            (options.Model, options.BaseScheme, options.LoraRank, options.LearningRate) = (model, scheme, 4, 0.05);
            (options.LoraDropout, options.MaximumGradientNorm, options.MiniBatchSize) = (0.1, 0.01, 3);
            PeftAdapter adapter = _ml.Regression.Trainers.LacosBloom(options).FitAdapter(Letters.Data(_ml));
            adapter.Save(folder.File(name));
            return File.ReadAllBytes(folder.File(name, PeftAdapter.WeightsFileName));
        }
        byte[] undisturbed = Train("undisturbed");
        using var collecting = new CollectingThread();
        CollectionAssert.AreEqual(undisturbed, Train("collecting"));
    }
}
