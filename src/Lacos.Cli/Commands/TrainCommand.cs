using System.CommandLine;
using System.Globalization;
using Lacos.Cli.Curves;
using Lacos.Cli.Input;
using Lacos.Cli.Models;
using Lacos.Cli.Output;
using Lacos.Cli.Terminal;
using Microsoft.ML;
using Microsoft.ML.Lacos;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Lacos.Training.Checkpoints;
using Microsoft.ML.Lacos.Training.Distributed;

namespace Lacos.Cli.Commands;

/// <summary><c>lacos train</c>: pairs of sentences in, an adapter and a model that is better at them out.</summary>
internal sealed class TrainCommand(ToolStreams streams)
{
    private const string ModelFile = RunFiles.Model;
    private const string CheckpointsName = "checkpoints";

    private readonly Option<string?> _model = new("--model", "-m") { Description = "A .lacos file or a model folder; without it the built-in model", HelpName = "path" };
    private readonly BaseOptions _base = new();
    private readonly Option<string[]> _data = new("--data", "-d") { Description = "Pairs of sentences, or one file of texts and their classes (in the columns 'text' and 'label', if nothing else is said): .tsv, .csv or .jsonl, each also with .gz, .parquet or .arrow, .arrows, .feather; pairs may be given several times, each with its own settings: PATH,loss=NAME,weight=N,...", HelpName = "path", Required = true };
    private readonly Option<string?> _columns = new("--columns") { Description = $"First and second sentence, then up to {TrainingPair.MostNegatives} hard negatives or the label; with --class-column, the texts. Names or numbers from 0. For --data, and classes in --eval", HelpName = "a,b[,c..]" };
    private readonly Option<string?> _classColumn = new("--class-column") { Description = "Column with the classes of texts, of which pairs are made, in --data and --eval: name or number from 0", HelpName = "column" };
    private readonly Option<string> _output = new("--output", "-o") { Description = "Folder for adapter, model, log and checkpoints", HelpName = "folder", Required = true };
    private readonly Option<string> _loss = ModelOptions.Choice("--loss", "What is minimised", [.. DataArgument.Losses.Select(entry => entry.Name)]);
    private readonly Option<int> _epochs = ModelOptions.Number("--epochs", 1, "Passes over the data. Default: 1", "N");
    private readonly Option<int> _steps = ModelOptions.Number("--steps", 1, "Steps, instead of --epochs", "N");
    private readonly Option<int> _batchSize = ModelOptions.Number("--batch-size", 1, "Pairs of a step. Default: 32", "N");
    private readonly Option<int> _miniBatchSize = ModelOptions.Number("--mini-batch-size", 1, "Pairs encoded at once; memory goes by it, gradients do not. Default: 32", "N");
    private readonly Option<int> _pairsPerText = ModelOptions.Number("--pairs-per-text", 1, "Matching pairs made of a text with others of its class, and as many with texts of other classes. Default: 8", "N");
    private readonly Option<double?> _learningRate = new("--learning-rate") { Description = "Largest learning rate. Default: 2e-4", HelpName = "rate" };
    private readonly Option<int> _rank = ModelOptions.Number("--lora-rank", 1, "Rank of the adapters. Default: 8", "N");
    private readonly Option<double?> _alpha = new("--lora-alpha") { Description = "Numerator of the adapters' factor. Default: 16", HelpName = "number" };
    private readonly Option<bool> _rankStabilized = new("--rslora") { Description = "Divide the adapters' factor by the root of the rank instead of the rank" };
    private readonly Option<double?> _dropout = new("--lora-dropout") { Description = "Dropout before the adapters, from 0 to below 1. Default: 0.05", HelpName = "share" };
    private readonly Option<string?> _targets = new("--lora-targets") { Description = "Layers to adapt: query_key_value (default), dense, dense_h_to_4h, dense_4h_to_h, with commas between them", HelpName = "names" };
    private readonly Option<double?> _warmup = new("--warmup") { Description = "Share of the steps in which the learning rate rises, from 0 to 1. Default: 0.1", HelpName = "share" };
    private readonly Option<string> _schedule = ModelOptions.Choice("--schedule", "How the learning rate falls", ["linear", "cosine", "constant"]);
    private readonly Option<int> _maximumTokens = ModelOptions.Number("--max-tokens", 1, "Token limit of a text. Default: the model's own", "N");
    private readonly Option<string?> _pooling = ModelOptions.PoolingOption("How token vectors become one, while training and in the model written");
    private readonly PromptOptions _prompt = new("Text put before every sentence, while training and by the model written");
    private readonly PromptOptions _secondPrompt = PromptOptions.OfSecond("Text put before every second sentence and hard negative, while training; the model written has it among its prompts, as 'document' if nothing else");
    private readonly Option<int?> _seed = new("--seed") { Description = "Decides order, first values and dropout. Default: 1", HelpName = "N" };
    private readonly Option<bool> _resume = new("--resume") { Description = "Continue from the newest whole checkpoint in the output folder" };
    private readonly Option<int> _stopAt = ModelOptions.Number("--stop-at", 1, "Stop after this step, to be resumed later", "N");
    private readonly Option<string[]> _eval = new("--eval") { Description = "Scored pairs with the usual headers (sentence1, sentence2, score) on which the adapter is judged; may be repeated, then the mean counts; the best adapter is kept", HelpName = "path" };
    private readonly Option<bool> _excludeEval = new("--exclude-eval") { Description = "Leave out training pairs that stand in an --eval file; else they are counted and named" };
    private readonly Option<string?> _matryoshka = new("--matryoshka") { Description = "Leading dimensions that shall be good vectors by themselves, such as 384,192,96", HelpName = "dims" };
    private readonly Option<bool> _bucket = new("--bucket") { Description = "Put sentences of similar length into a batch" };
    private readonly Option<string> _optimizer = ModelOptions.Choice("--optimizer", "What updates the weights", ["adam8bit", "adamw"]);
    private readonly Option<double?> _weightDecay = new("--weight-decay") { Description = "Decoupled weight decay. Default: 0", HelpName = "rate" };
    private readonly Option<double?> _gradientNorm = new("--max-grad-norm") { Description = "Gradients of a larger norm are scaled down to it; 0 for no limit. Default: 1", HelpName = "norm" };
    private readonly Option<int> _evalEvery = ModelOptions.Number("--eval-every", 1, "Steps between evaluations. Default: 100", "N");
    private readonly Option<int> _patience = ModelOptions.Number("--patience", 1, "Stop after this many evaluations without a gain", "N");
    private readonly Option<int> _checkpointEvery = ModelOptions.Number("--checkpoint-every", 1, "Steps between checkpoints. Default: 100", "N");
    private readonly Option<int> _keepCheckpoints = ModelOptions.Number("--keep-checkpoints", 1, "Checkpoints kept, the newest ones. Default: 3", "N");
    private readonly Option<string?> _exportFolder = new("--export-folder") { Description = "Also write the trained model as a Hugging Face and sentence-transformers folder", HelpName = "folder" };
    private readonly Option<string> _exportPrecision = ExportCommand.PrecisionOption("--export-precision");
    private readonly Option<double?> _strength = new("--strength") { Description = "Factor of the trained updates in what is written; above 0 and at most 1000; below 1 lies between base and trained model. Default: 1", HelpName = "share" };
    private readonly MpiOption _mpi = new(streams);
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Say what training would do and take, and stop" };

    /// <summary>Makes the command.</summary>
    public Command Create()
    {
        var command = new Command("train", "Fine-tune a model on pairs of sentences with LoRA.");
        foreach (Option option in (Option[])
        [
            _model, _data, _columns, _classColumn, _output, _loss, _epochs, _steps, _batchSize, _miniBatchSize, _pairsPerText, _learningRate, _rank, _alpha, _rankStabilized, _dropout, _targets, _warmup, _schedule, _maximumTokens, _pooling, .. _prompt.All, .. _secondPrompt.All, _seed,
            _resume, _stopAt, _eval, _excludeEval, _evalEvery, _patience, _checkpointEvery, _keepCheckpoints, _matryoshka, _bucket, _optimizer, _weightDecay, _gradientNorm, _strength, _exportFolder, _exportPrecision, _mpi.Option, _dryRun,
        ])
        {
            command.Options.Add(option);
        }
        _prompt.RefuseBoth(command);
        _secondPrompt.RefuseBoth(command);
        _base.AddTo(command, _rank, _alpha, _rankStabilized, _targets);
        command.SetAction((parse, cancellationToken) => Task.Run(() => _mpi.Run(parse, group => Run(parse, group, cancellationToken), cancellationToken), CancellationToken.None));
        return command;
    }

    private int Run(ParseResult parse, MpiProcessGroup? group, CancellationToken cancellationToken)
    {
        string output = parse.GetRequiredValue(_output);
        LacosBloomTrainer.Options options = Options(parse, cancellationToken);
        options.ProcessGroup = group;
        bool isFirst = group is null or { Rank: 0 };
        CheckOutputs(parse, output, options);
        WarnOfIdleOptions(parse, options);
        MLContext ml = _base.Context(parse);
        ml.Log += (_, message) =>
        {
            if (message.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning)
            {
                streams.Warn(OptionName.InText(message.RawMessage));
            }
            else if (message is { Kind: Microsoft.ML.Runtime.ChannelMessageKind.Info, Source: "LacosBloomTrainer; Training" or "Training" })
            {
                streams.Note(message.RawMessage);
            }
        };
        var sources = new TrainingData(ml, options, parse.GetValue(_columns), parse.GetValue(_classColumn), streams);
        IDataView data = InOptions(() => sources.Load([.. parse.GetRequiredValue(_data).Select(DataArgument.Parse)]));
        if (_secondPrompt.Given(parse) is string given && options.TextColumnName is not null)
        {
            throw new UsageException($"{given} is for second sentences, and --data has one column of texts. Leave it out, or give pairs.");
        }
        if (parse.GetValue(_eval) is { Length: > 0 } eval)
        {
            options.ValidationSet = sources.LoadEvaluation(eval);
        }
        if (!sources.HasClasses && parse.GetValue(_pairsPerText) > 0)
        {
            streams.Warn($"{_pairsPerText.Name} has no effect on pairs; it goes with the columns 'text' and 'label', or {_classColumn.Name}.");
        }
        LacosBloomTrainer trainer = InOptions(() => ml.Regression.Trainers.LacosBloom(options));
        if (parse.GetValue(_dryRun))
        {
            TrainingPlan plan = InOptions(() => trainer.Plan(data));
            if (isFirst)
            {
                Describe(plan);
            }
            return ExitCode.Success;
        }
        if (!isFirst)
        {
            InOptions(() => trainer.FitAdapter(data));
            return ExitCode.Success;
        }
        InOptions(() => Fit(trainer, data, options.Progress, output));
        using (LacosModel merged = LacosModel.Open(options.Model, BloomCompute.Int8, adapter: output, options.BaseScheme))
        {
            SentenceSettings settings = AsTrained(merged.Settings, options, out string? second);
            using LacosModel asTrained = merged.With(settings);
            asTrained.Save(Path.Combine(output, ModelFile));
            if (second is not null)
            {
                streams.Note($"The prompt of second sentences is '{TextInMessage.Of(settings.Prompts[second])}'; the model written has it as '{TextInMessage.Of(second)}'.");
            }
        }
        if (parse.GetValue(_exportFolder) is string folder)
        {
            ExportCommand.Write(options.Model, output, folder, ExportCommand.PrecisionOf(parse, _exportPrecision), settings => AsTrained(settings, options, out _), new WeightProgress(null, cancellationToken));
            streams.Note($"Exported to '{folder}'.");
        }
        streams.Note($"Written to '{output}': {PeftAdapter.ConfigFileName}, {PeftAdapter.WeightsFileName}, {ModelFile}, {TrainingCurves.LogName}, {TrainingCurves.FileName}.");
        return ExitCode.Success;
    }

    // With a prompt of the run's goes a limit larger than the model's: without it the prompt might leave no token for the text.
    private static SentenceSettings AsTrained(SentenceSettings settings, LacosBloomTrainer.Options options, out string? secondPromptName)
    {
        secondPromptName = null;
        SentenceSettings trained = settings.WithDefaultPrompt(options.Prompt, options.PromptName);
        if (options.HasSentence2Prompt)
        {
            trained = trained.WithSecondPrompt(options.Sentence2Prompt, options.Sentence2PromptName, isFirstText: options.Prompt is not null, out secondPromptName);
        }
        bool hasPrompt = options.Prompt is not null || options.PromptName is not null || options.HasSentence2Prompt;
        return trained with
        {
            Pooling = options.Pooling ?? settings.Pooling,
            MaximumTokenCount = hasPrompt ? Math.Max(settings.MaximumTokenCount, options.MaximumTokenCount) : settings.MaximumTokenCount,
        };
    }

    private void CheckOutputs(ParseResult parse, string output, LacosBloomTrainer.Options options)
    {
        if (parse.GetValue(_exportFolder) is string target && OverwriteCheck.AreSame(target, output))
        {
            throw new UsageException($"--export-folder and --output are both '{output}'. Give the exported folder another name.");
        }
        DataArgument[] data = [.. parse.GetRequiredValue(_data).Select(DataArgument.Parse)];
        string?[] files = [.. data.Select(argument => argument.Path), .. parse.GetValue(_eval) ?? []];
        foreach (string? model in data.Select(argument => argument.Teacher).Prepend(options.Model).Distinct(StringComparer.Ordinal))
        {
            foreach (string name in new[] { PeftAdapter.ConfigFileName, PeftAdapter.WeightsFileName, ModelFile, TrainingCurves.LogName, TrainingCurves.FileName })
            {
                OverwriteCheck.RefuseFile(Path.Combine(output, name), model, options.Adapter, files);
            }
            if (parse.GetValue(_exportFolder) is string folder)
            {
                ExportCommand.Check(model, options.Adapter, folder, files);
            }
        }
        string? foreign = new[] { PeftAdapter.ConfigFileName, PeftAdapter.WeightsFileName, ModelFile }.FirstOrDefault(name => File.Exists(Path.Combine(output, name)));
        if (foreign is not null && !Directory.Exists(Path.Combine(output, CheckpointsName)))
        {
            throw new UsageException($"'{output}' holds '{foreign}' and no checkpoints, so that it is no run to continue. Give --output another name, or remove what is there.");
        }
    }

    private void WarnOfIdleOptions(ParseResult parse, LacosBloomTrainer.Options options)
    {
        foreach ((Option option, Option needed) in new (Option, Option)[] { (_patience, _eval), (_excludeEval, _eval), (_evalEvery, _eval), (_exportPrecision, _exportFolder) })
        {
            if (IsGiven(option) && !IsGiven(needed))
            {
                streams.Warn($"{option.Name} has no effect without {needed.Name}.");
            }
        }
        if (IsGiven(_epochs) && IsGiven(_steps))
        {
            streams.Warn($"{_epochs.Name} has no effect beside {_steps.Name}.");
        }
        if (options.Steps > 0 && options.StopAtStep >= options.Steps)
        {
            streams.Warn($"{_stopAt.Name} {options.StopAtStep} has no effect: {_steps.Name} is {options.Steps}, and the run ends there.");
        }

        bool IsGiven(Option option) => parse.GetResult(option) is { Implicit: false };
    }

    private LacosBloomTrainer.Options Options(ParseResult parse, CancellationToken cancellationToken)
    {
        var options = new LacosBloomTrainer.Options
        {
            Model = parse.GetValue(_model),
            OutputFolder = parse.GetRequiredValue(_output),
            Loss = DataArgument.Losses.First(entry => entry.Name == parse.GetValue(_loss)).Loss,
            Schedule = Enum.Parse<LearningRateSchedule>(parse.GetValue(_schedule)!, ignoreCase: true),
            Steps = parse.GetValue(_steps),
            MaximumTokenCount = parse.GetValue(_maximumTokens),
            Pooling = parse.GetValue(_pooling) is string pooling ? PoolingArgument.Parse(pooling) : null,
            Prompt = _prompt.Text(parse),
            PromptName = _prompt.Name(parse),
            Sentence2Prompt = _secondPrompt.Text(parse),
            Sentence2PromptName = _secondPrompt.Name(parse),
            RankStabilized = parse.GetValue(_rankStabilized),
            Resume = parse.GetValue(_resume),
            StopAtStep = parse.GetValue(_stopAt),
            Patience = parse.GetValue(_patience),
            LeaveOutValidationPairs = parse.GetValue(_excludeEval),
            BucketByLength = parse.GetValue(_bucket),
            Optimizer = Enum.Parse<TrainingOptimizer>(parse.GetValue(_optimizer)!, ignoreCase: true),
            WeightDecay = parse.GetValue(_weightDecay) ?? 0,
            Strength = parse.GetValue(_strength) ?? 1,
            MatryoshkaDimensions = [.. (parse.GetValue(_matryoshka)?.Split(',') ?? []).Select(Dimension)],
            CancellationToken = cancellationToken,
        };
        options.Epochs = OrDefault(_epochs, options.Epochs);
        options.BatchSize = OrDefault(_batchSize, options.BatchSize);
        options.MiniBatchSize = OrDefault(_miniBatchSize, options.MiniBatchSize);
        options.PairsPerText = OrDefault(_pairsPerText, options.PairsPerText);
        options.LoraRank = OrDefault(_rank, options.LoraRank);
        options.EvaluateEvery = OrDefault(_evalEvery, options.EvaluateEvery);
        options.CheckpointEvery = OrDefault(_checkpointEvery, options.CheckpointEvery);
        options.KeepCheckpoints = OrDefault(_keepCheckpoints, options.KeepCheckpoints);
        options.MaximumGradientNorm = parse.GetValue(_gradientNorm) ?? options.MaximumGradientNorm;
        options.LearningRate = parse.GetValue(_learningRate) ?? options.LearningRate;
        options.LoraAlpha = parse.GetValue(_alpha) ?? options.LoraAlpha;
        options.LoraDropout = parse.GetValue(_dropout) ?? options.LoraDropout;
        options.WarmupShare = parse.GetValue(_warmup) ?? options.WarmupShare;
        options.Seed = parse.GetValue(_seed) ?? options.Seed;
        options.LoraTargets = parse.GetValue(_targets)?.Split(',', StringSplitOptions.TrimEntries) ?? options.LoraTargets;
        _base.Set(options, parse);
        if (!parse.GetValue(_dryRun) && !streams.OnlyErrors)
        {
            options.Progress = LiveTraining.IsPossible(streams) ? new LiveTraining(streams) : new StepLines(streams);
        }
        return options;

        int OrDefault(Option<int> option, int value) => parse.GetValue(option) is int given and > 0 ? given : value;
    }

    /// <summary>Does something of the library, whose errors name the options of the command line then.</summary>
    private static T InOptions<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (ArgumentException error)
        {
            throw new UsageException(OptionName.InMessage(error), error);
        }
        catch (Exception error) when (error is InvalidDataException or NotSupportedException or InvalidOperationException && OptionName.InText(error.Message) != error.Message)
        {
            throw new ToolException(OptionName.InText(error.Message), error);
        }
    }

    private static int Dimension(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int dimension) && dimension > 0
        ? dimension
        : throw new UsageException($"--matryoshka has '{text}' among its dimensions; give whole numbers from 1 with commas between them.");

    private PeftAdapter Fit(LacosBloomTrainer trainer, IDataView data, IProgress<TrainingProgress>? progress, string output)
    {
        try
        {
            return progress is LiveTraining live ? live.Run(() => trainer.FitAdapter(data)) : trainer.FitAdapter(data);
        }
        finally
        {
            TrainingCurves.TryDraw(output, streams);
        }
    }

    private void Describe(TrainingPlan plan)
    {
        Line("pairs", $"{plan.Rows:N0}, {plan.DistinctTexts:N0} different texts of {plan.MeanTokens:F1} tokens in the mean, {plan.LongTexts:N0} too long");
        Line("steps", $"{plan.TotalSteps:N0}, {plan.StepsPerEpoch:N0} an epoch, {plan.StepsLeft:N0} to make");
        Line("trained weights", $"{plan.TrainedWeights:N0}, optimiser state {ModelSummary.Size(plan.OptimizerBytes)}");
        Line("memory", $"about {ModelSummary.Size(plan.EstimatedBytes)}, without the runtime and libtorch");
        Line("time", $"about {Duration.Of(plan.EstimatedTime)}, without evaluations");

        void Line(string name, FormattableString text) => streams.WriteLine($"{name,-16} {text.ToString(CultureInfo.InvariantCulture)}");
    }

    /// <summary>Says how training goes: evaluations and now and then a step.</summary>
    private sealed class StepLines(ToolStreams streams) : IProgress<TrainingProgress>
    {
        private long _lastTime = -10_000;

        public void Report(TrainingProgress value)
        {
            long now = Environment.TickCount64;
            if (value.Spearman is null && value.Step != value.TotalSteps && now - _lastTime < 10_000)
            {
                return;
            }
            _lastTime = now;
            string spearman = value.Spearman is double number ? string.Create(CultureInfo.InvariantCulture, $", Spearman {100 * number:F2}") : "";
            streams.Note(string.Create(
                CultureInfo.InvariantCulture, $"step {value.Step:N0}/{value.TotalSteps:N0}, loss {value.Loss:F4}, {value.SentencesPerSecond:N0} sentences/s, {Duration.Of(value.TimeLeft)} left{spearman}"));
        }
    }
}
