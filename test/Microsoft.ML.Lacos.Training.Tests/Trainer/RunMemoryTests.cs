using Microsoft.ML.Lacos.Training.Optimizers;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Trainer;

/// <summary>Not parallel: torch counts the tensors of the whole process.</summary>
[TestClass]
[DoNotParallelize]
public sealed class RunMemoryTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    [DataRow(TrainingLoss.MultipleNegativesRanking)]
    [DataRow(TrainingLoss.CoSent)]
    [DataRow(TrainingLoss.Angle)]
    [DataRow(TrainingLoss.CosineSimilarity)]
    [DataRow(TrainingLoss.Contrastive)]
    [DataRow(TrainingLoss.Softmax)]
    [DataRow(TrainingLoss.MeanSquaredError)]
    public void AStepThroughTheGradientCacheLeavesNoTensorBehind(TrainingLoss loss)
    {
        LacosBloomTrainer.Options options = Sentences.Quick(8);
        (options.Loss, options.BatchSize, options.MiniBatchSize, options.EvaluateEvery, options.LossWeight) = (loss, 5, 2, 3, 0.5);
        options.MatryoshkaDimensions = [384, 64];
        options.BothDirections = true;
        var counts = new List<long>();
        options.Progress = new LacosBloomTrainerTests.Listener(_ => counts.Add(torch.Tensor.TotalCount));
        IDataView data = loss == TrainingLoss.MeanSquaredError ? Taught() : _ml.Data.LoadFromEnumerable(Sentences.Pairs(20).Select((pair, row) => new Sentences.Pair
        {
            Sentence1 = pair.Sentence1, Sentence2 = pair.Sentence2, Label = row % 2,
        }));
        _ml.Regression.Trainers.LacosBloom(options).FitAdapter(data, Sentences.Data(_ml, 15));
        Assert.HasCount(8, counts);
        // A collection may take what other tests have left.
        Assert.IsLessThanOrEqualTo(counts[0], counts[^1], string.Join(' ', counts));
    }

    [TestMethod]
    public void ATensorThatDoesNotLieInARowIsUpdatedInPlaceAndLeavesNothingBehind()
    {
        using torch.Tensor rows = torch.ones(3, 4);
        using torch.Tensor columns = rows.t();
        columns.requires_grad = true;
        var optimizer = new AdamW([("columns", columns)], new AdamOptions(LearningRate: 0.1));
        long before = 0;
        for (int step = 0; step < 4; step++)
        {
            using torch.Tensor sum = columns.sum();
            sum.backward();
            optimizer.Step();
            optimizer.ZeroGradients();
            before = step == 0 ? torch.Tensor.TotalCount : before;
        }
        Assert.IsLessThanOrEqualTo(before, torch.Tensor.TotalCount);
        using torch.Tensor corner = rows[2, 3];
        Assert.AreEqual(0.6f, corner.item<float>(), 1e-3f);
    }

    private IDataView Taught()
    {
        IDataView pairs = Sentences.Data(_ml, 20);
        return _ml.Transforms.Text.ApplySentenceEmbedding(new SentenceEmbeddingEstimator.Options { Columns = [new("Teacher", "Sentence2")] }).Append(_ml.Transforms.CopyColumns("Label", "Teacher")).Fit(pairs).Transform(pairs);
    }
}
