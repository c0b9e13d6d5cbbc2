using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Training.Bloom;
using Microsoft.ML.Lacos.Training.Checkpoints;
using Microsoft.ML.Lacos.Training.Data;
using Microsoft.ML.Lacos.Training.Distributed;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Loop;

/// <summary>A run from its first or a resumed step to its end: batches, schedule, evaluations, checkpoints, log.</summary>
internal sealed class TrainingRun : IDisposable
{
    private readonly Func<PeftAdapter, LacosModel> _adapted;
    private readonly ValidationSet? _validation;
    private readonly LacosBloomTrainer.Options _options;
    private readonly Action<string> _inform;
    private readonly Ranks _ranks;
    private readonly BatchTrainer _trainer;
    private readonly LoadedData _data;
    private readonly MixedSampler _sampler;
    private readonly LearningRates _rates;
    private readonly RunLock? _lock;
    private readonly CheckpointFolder? _checkpoints;
    private readonly RunLength _length;
    private long _step;
    private long _savedStep = -1;
    private BestAdapter? _best;
    private int _evaluationsWithoutGain;
    private bool _isEvaluationDue;

    /// <summary>Prepares a run, and resumes it where options say so.</summary>
    /// <param name="model">The base; stays the caller's.</param>
    /// <param name="data">Training data; stays the caller's.</param>
    /// <param name="adapted">Gives the model with an adapter merged in, as it will be used.</param>
    /// <param name="validation">Where the adapter is judged; null for nowhere.</param>
    /// <param name="options">Checked options.</param>
    /// <param name="inform">Told what a person should know.</param>
    public TrainingRun(
        LacosModel model, LoadedData data, Func<PeftAdapter, LacosModel> adapted, ValidationSet? validation, LacosBloomTrainer.Options options, Action<string> inform)
    {
        (_data, _adapted, _validation, _options, _inform) = (data, adapted, validation, options, inform);
        _ranks = new Ranks(options.ProcessGroup);
        _sampler = new MixedSampler(data.Datasets, options.Seed, options.BucketByLength);
        _length = RunLength.Of(options, _sampler);
        _rates = new LearningRates(options.Schedule, options.LearningRate, _length.Total, options.WarmupShare);
        _trainer = new BatchTrainer(model, data, options);
        try
        {
            CheckpointState? state = null;
            var settings = new Lazy<IReadOnlyDictionary<string, string>>(() => RunSettings.Of(model, data.Datasets, options, _length.Total));
            if (options.OutputFolder is string folder)
            {
                _lock = _ranks.IsFirst ? new RunLock(folder) : null;
                _checkpoints = new CheckpointFolder(folder, settings.Value, options.KeepCheckpoints);
                state = EarlierRun.StateToContinue(_checkpoints, options, earlier => StateOfTrainer.Require(_trainer, earlier), _sampler, _length.Total, inform);
            }
            if (_ranks.AreMany)
            {
                // The folder is written to only when every rank has read it.
                _ranks.RequireSame(RunSettings.OfRanks(settings.Value, options, validation?.Fingerprint, state));
            }
            if (state is not null)
            {
                Continue(state);
            }
            foreach (string note in _sampler.Notes)
            {
                inform(note);
            }
            if (_checkpoints is not null && _ranks.IsFirst)
            {
                _checkpoints.Prepare();
                RunFiles.RemoveLeftovers(options.OutputFolder!);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Whether a run with so many evaluations behind it that gained nothing ends early.</summary>
    public static bool IsOutOfPatience(LacosBloomTrainer.Options options, int evaluationsWithoutGain) => options.Patience > 0 && evaluationsWithoutGain >= options.Patience;

    /// <summary>Steps made.</summary>
    public long Step => _step;

    /// <summary>Steps of the whole run.</summary>
    public long TotalSteps => _length.Total;

    /// <summary>Makes the remaining steps.</summary>
    /// <param name="cancellationToken">Cancels between steps, after a checkpoint.</param>
    /// <returns>The best adapter where there is a validation set, else the last.</returns>
    /// <exception cref="InvalidOperationException">The loss or a gradient became NaN or infinite, or ranks have come to hold different weights.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, on this rank or another.</exception>
    public PeftAdapter Run(CancellationToken cancellationToken)
    {
        using TrainingLog? log = _ranks.IsFirst && _options.OutputFolder is string folder ? new TrainingLog(folder, _step) : null;
        var clock = Stopwatch.StartNew();
        long first = _step;
        long sentences = 0;
        if (_isEvaluationDue)
        {
            EvaluateAgain(log, cancellationToken);
        }
        while (_step < _length.Last && !IsOutOfPatience(_options, _evaluationsWithoutGain))
        {
            if (_ranks.Any(cancellationToken.IsCancellationRequested))
            {
                Save();
                throw Cancelled(cancellationToken);
            }
            IReadOnlyList<SamplerPosition> before = _sampler.Positions;
            MixedBatch batch = _sampler.Next();
            double rate = _rates.Of(_step + 1);
            BatchResult result = _trainer.Step(batch, _step + 1, rate);
            if (!result.IsFinite)
            {
                _sampler.MoveTo(_step, before);
                throw Diverged(result, batch);
            }
            _step++;
            LoadedDataset dataset = _data.Datasets[batch.Dataset];
            sentences += (long)batch.Rows.Length * dataset.Rows.Columns.Length;
            _isEvaluationDue = _validation is not null && (_step % _options.EvaluateEvery == 0 || _step == _length.Total);
            double? spearman = _isEvaluationDue ? Evaluate(_validation!, cancellationToken) : null;
            double seconds = Math.Max(clock.Elapsed.TotalSeconds, 1e-9);
            TimeSpan left = RunLength.TimeOf(seconds / (_step - first), _length.Last - _step);
            var progress = new TrainingProgress(_step, _length.Total, result.Loss, rate, result.GradientNorm, spearman, sentences / seconds, left, dataset.Settings.Name);
            log?.Write(progress);
            _options.Progress?.Report(progress);
            if (_step % _options.CheckpointEvery == 0)
            {
                Save();
            }
        }
        Save();
        if (_isEvaluationDue)
        {
            throw Cancelled(cancellationToken);
        }
        CheckDrift();
        return _best is null && !_trainer.IsSound
            ? throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"Step {_step} left weights that are not finite. Lower LearningRate ({_options.LearningRate}) or WeightDecay ({_options.WeightDecay}); earlier checkpoints are kept."))
            : _best?.Adapter ?? _trainer.Model.ToAdapter();
    }

    public void Dispose()
    {
        _trainer.Dispose();
        _lock?.Dispose();
    }

    // Somebody stopped the run in the evaluation, which decides now as it would have then; or the run had ended, and is judged on other data.
    private void EvaluateAgain(TrainingLog? log, CancellationToken cancellationToken)
    {
        if (Evaluate(_validation!, cancellationToken) is not double spearman)
        {
            throw Cancelled(cancellationToken);
        }
        _savedStep = -1;
        log?.Complete(_step, spearman);
        _inform(string.Create(CultureInfo.InvariantCulture, $"Step {_step}: Spearman {spearman:F4}, evaluated on resuming."));
    }

    private double? Evaluate(ValidationSet validation, CancellationToken cancellationToken)
    {
        PeftAdapter adapter = _trainer.Model.ToAdapter();
        if (_ranks.OfFirst(_ranks.IsFirst ? Judge(adapter, validation, cancellationToken) : null) is not double spearman)
        {
            return null;
        }
        _isEvaluationDue = false;
        if (_best is null || spearman > _best.Spearman)
        {
            _best = new BestAdapter(adapter, double.IsFinite(spearman) ? spearman : -1, _step);
            _evaluationsWithoutGain = 0;
        }
        else if (++_evaluationsWithoutGain == _options.Patience)
        {
            _inform(string.Create(CultureInfo.InvariantCulture, $"Stopped at step {_step}: no gain since step {_best.Step}."));
        }
        return spearman;
    }

    private double? Judge(PeftAdapter adapter, ValidationSet validation, CancellationToken cancellationToken)
    {
        try
        {
            using LacosModel adapted = _adapted(adapter);
            using SentenceEncoder first = SentenceEncoder.Create(adapted, new SentenceEncoderOptions { Compute = _options.Compute, Pooling = _options.Pooling, Prompt = _options.Prompt, PromptName = _options.PromptName, MaximumTokenCount = _options.MaximumTokenCount });
            using SentenceEncoder? second = _options.HasSentence2Prompt ? first.WithPrompt(_options.Sentence2Prompt, _options.Sentence2PromptName) : null;
            return validation.Spearman(first, second ?? first, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The step itself is done: the loop saves it, evaluation still due, and ends.
            return null;
        }
    }

    private void Continue(CheckpointState state)
    {
        StateOfTrainer.Restore(_trainer, state);
        (_step, _savedStep) = (state.Step, state.Step);
        ContinueEvaluations(state);
        _inform(string.Create(CultureInfo.InvariantCulture, $"Continued from step {_step} of {_length.Total}."));
    }

    private void ContinueEvaluations(CheckpointState state)
    {
        if (state.Validation == _validation?.Fingerprint)
        {
            (_best, _evaluationsWithoutGain, _isEvaluationDue) = (state.Best, state.EvaluationsWithoutGain, state.IsEvaluationDue);
            return;
        }
        _isEvaluationDue = _validation is not null && _step == _length.Total;
        if (state.Best is BestAdapter best)
        {
            string now = _validation is null ? "there is no validation data any more, and the last adapter will be the result" : "the validation data are others, and the best adapter is chosen anew";
            _inform(string.Create(CultureInfo.InvariantCulture, $"The adapter of step {best.Step} was the best so far (Spearman {best.Spearman:F4}), but {now}."));
        }
    }

    private void Save()
    {
        // Weights that a step has just made infinite must not push out good ones; the next step's loss tells of them.
        if (_checkpoints is null || _savedStep == _step || !_trainer.IsSound)
        {
            return;
        }
        CheckDrift();
        if (_ranks.IsFirst)
        {
            Write(_checkpoints);
        }
        _savedStep = _step;
    }

    private void Write(CheckpointFolder checkpoints)
    {
        checkpoints.Write(new CheckpointState
        {
            Step = _step,
            Samplers = _sampler.Positions,
            Adapter = _trainer.Model.ToAdapter(),
            Arrays = StateOfTrainer.Arrays(_trainer),
            Best = _best,
            EvaluationsWithoutGain = _evaluationsWithoutGain,
            IsEvaluationDue = _isEvaluationDue,
            Validation = _validation?.Fingerprint,
        });
    }

    // Every rank makes the same step from the same sums; one whose memory or program is another would go its own way unseen.
    private void CheckDrift()
    {
        if (!_ranks.AreMany)
        {
            return;
        }
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((_, torch.Tensor value) in _trainer.Optimizer.Parameters)
        {
            hash.AppendData(MemoryMarshal.AsBytes<float>(DeviceTensors.Read(value)));
        }
        byte[] own = hash.GetHashAndReset();
        byte[] all = _ranks.Gather(own);
        int other = Enumerable.Range(0, _ranks.Count).FirstOrDefault(rank => !all.AsSpan(rank * own.Length, own.Length).SequenceEqual(all.AsSpan(0, own.Length)), -1);
        if (other >= 0)
        {
            throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture, $"Step {_step}: rank {other} of {_ranks.Count} has other weights than rank 0, so the ranks no longer train one model. Resume from the last checkpoint, with the same program on every machine."));
        }
    }

    private OperationCanceledException Cancelled(CancellationToken cancellationToken)
    {
        // Whichever process ends first may take the others along: rank 0 has written its checkpoint when they get here.
        _ranks.Any(here: false);
        return new OperationCanceledException(
            string.Create(CultureInfo.InvariantCulture, $"Training was cancelled after step {_step}{(_checkpoints is null ? "" : "; it can be resumed")}."), cancellationToken);
    }

    private InvalidOperationException Diverged(BatchResult result, MixedBatch batch)
    {
        const int Shown = 64;
        Save();
        string kept = _savedStep >= 0 ? string.Create(CultureInfo.InvariantCulture, $"The checkpoint of step {_savedStep} is kept.") : "No checkpoint was written.";
        return new InvalidOperationException(string.Create(
            CultureInfo.InvariantCulture,
            $"Training stopped at step {_step + 1}: the loss is {result.Loss} and the gradient's norm {result.GradientNorm}, with the rows {string.Join(", ", batch.Rows.Take(Shown))}{(batch.Rows.Length > Shown ? ", …" : "")} (from 0) of {_data.Datasets[batch.Dataset].Settings.Name}. {kept} Look at these rows, or lower the learning rate ({_options.LearningRate})."));
    }
}
