using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Tests.Hub;
using Microsoft.ML.Lacos.Training.Tests.Trainer;

namespace Microsoft.ML.Lacos.Training.Tests.Checkpoints;

/// <summary>A run over the model of twelve letters with all that a checkpoint can hold: two data sets, a loss that learns, dropout, evaluations, two checkpoints.</summary>
internal sealed class LetterRun
{
    public const string Older = "checkpoints/step-00000004", Newest = "checkpoints/step-00000006";

    private readonly MLContext _ml = new(1);
    private readonly string _model;
    private readonly IDataView _pairs, _classes, _validation;

    /// <param name="modelFolder">Where the model is written.</param>
    public LetterRun(string modelFolder)
    {
        _ml.Log += (_, message) => Messages.Add(message.RawMessage);
        _model = TinyModel.OfLetters().WriteTo(modelFolder);
        _pairs = Letters.Data(_ml);
        Sentences.Pair[] labelled = [.. Enumerable.Range(0, 9).Select(i => new Sentences.Pair { Sentence1 = $"{"abcdefghi"[i]}", Sentence2 = $"{"cdefghijk"[i]}a", Label = i % 3 })];
        IDataView scored = _ml.Data.LoadFromEnumerable(labelled);
        _classes = _ml.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(scored).Transform(scored);
        _validation = _ml.Data.LoadFromEnumerable(labelled.Take(6));
    }

    /// <summary>What the runs have said.</summary>
    public List<string> Messages { get; } = [];

    /// <summary>Trains to a step, or from the newest whole checkpoint to the end.</summary>
    /// <returns>The adapter's bytes and the first step made.</returns>
    public (byte[] Adapter, long FirstStep) Train(string output, int stopAt, bool resume)
    {
        long first = 0;
        var options = new LacosBloomTrainer.Options
        {
            Model = _model, OutputFolder = output, Resume = resume, StopAtStep = stopAt, Steps = 8, BatchSize = 3, MiniBatchSize = 3, LoraRank = 2, LearningRate = 1e-2, LoraDropout = 0.1, EvaluateEvery = 3,
            CheckpointEvery = 2, KeepCheckpoints = 2, Weight = 2, BucketByLength = true, Progress = new LacosBloomTrainerTests.Listener(progress => first = first == 0 ? progress.Step : first),
            Datasets = [new TrainingDataset(_classes) { Loss = TrainingLoss.Softmax, Weight = 1, LabelColumnName = "Class" }],
        };
        _ml.Regression.Trainers.LacosBloom(options).FitAdapter(_pairs, _validation);
        return (File.ReadAllBytes(Path.Combine(output, PeftAdapter.WeightsFileName)), first);
    }

    /// <summary>Gives a checkpoint's manifest the hashes that its files have now, and its own.</summary>
    public static void Sign(string checkpoint, string? changed)
    {
        string path = Path.Combine(checkpoint, "manifest.json");
        if (changed is not null)
        {
            JsonNode manifest = JsonNode.Parse(File.ReadAllBytes(path))!;
            manifest["files"]![changed] = Hash(Path.Combine(checkpoint, changed));
            File.WriteAllText(path, manifest.ToJsonString());
        }
        File.WriteAllText(Path.Combine(checkpoint, "manifest.sha256"), $"{Hash(path)}  manifest.json\n");
    }

    private static string Hash(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
}
