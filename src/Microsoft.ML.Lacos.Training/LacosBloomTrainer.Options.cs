using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Training.Bloom;
using Microsoft.ML.Lacos.Training.Distributed;

namespace Microsoft.ML.Lacos;

public sealed partial class LacosBloomTrainer
{
    /// <summary>Options of <see cref="LacosBloomTrainer"/>; a field left alone keeps the default shown.</summary>
    public sealed partial class Options
    {
        /// <summary>The base model: a <c>.lacos</c> file or a model folder; <see langword="null"/> takes the embedded default model.</summary>
        public string? Model;

        /// <summary>Column of the first sentences (text).</summary>
        public string Sentence1ColumnName = "Sentence1";

        /// <summary>Column of the second sentences (text).</summary>
        public string Sentence2ColumnName = "Sentence2";

        /// <summary>Columns of hard negatives (text): sentences that look like a partner of the first and are none. Only for <see cref="TrainingLoss.MultipleNegativesRanking"/>.</summary>
        public IReadOnlyList<string> NegativeColumnNames = [];

        /// <summary>Column of labels, of the kind that <see cref="Loss"/> needs; <see langword="null"/> takes <c>Label</c> where it needs one.</summary>
        public string? LabelColumnName;

        /// <summary>Name of the new column of first vectors.</summary>
        public string Embedding1ColumnName = "Embedding1";

        /// <summary>Name of the new column of second vectors.</summary>
        public string Embedding2ColumnName = "Embedding2";

        /// <summary>Name of the new column with the cosine of the two vectors, 0 where one of them is zero.</summary>
        public string ScoreColumnName = "Score";

        /// <summary>What is minimised.</summary>
        public TrainingLoss Loss = TrainingLoss.MultipleNegativesRanking;

        /// <summary>Factor of the similarities, the inverse of the temperature, for the losses that have one; positive.</summary>
        public double Scale = 20;

        /// <summary>Whether <see cref="TrainingLoss.MultipleNegativesRanking"/> also makes the second sentence find the first.</summary>
        public bool BothDirections;

        /// <summary>Cosine distance from which on pairs labelled 0 are far enough apart, for <see cref="TrainingLoss.Contrastive"/>; above 0 and at most 2.</summary>
        public double Margin = 0.5;

        /// <summary>Leading dimensions that shall be good vectors by themselves (Matryoshka), each once and at most the vectors' length; empty for the full vector only.</summary>
        public IReadOnlyList<int> MatryoshkaDimensions = [];

        /// <summary>Further data sets to learn from in turn with the one that <c>Fit</c> is given; each has its own loss and share of the steps.</summary>
        public IReadOnlyList<TrainingDataset> Datasets = [];

        /// <summary>What messages and the log call the data that <c>Fit</c> is given.</summary>
        public string DataName = "the training data";

        /// <summary>Factor of the loss of the data that <c>Fit</c> is given; positive.</summary>
        public double LossWeight = 1;

        /// <summary>Share of the steps of the data that <c>Fit</c> is given, in proportion to the weights of <see cref="Datasets"/>; <see langword="null"/> in all of them shares by size.</summary>
        public double? Weight;

        /// <summary>Column of languages (text) or of anything else whose values shall come in other proportions than the data has them; <see langword="null"/> or an empty name for none.</summary>
        public string? BalanceColumnName;

        /// <summary>Exponent of a value's number of rows in its share, from 0 to 1: 1 as in the data, 0 each value as often as any other.</summary>
        public double BalancePower = 0.5;

        /// <summary>Whether the rows of a batch shall be of similar length. Batches are never padded, so that it costs little to leave it off.</summary>
        public bool BucketByLength;

        /// <summary>Bytes of token ids held in memory (512 MiB); those of larger data go to a temporary file.</summary>
        public long TokenMemoryBytes = 512L << 20;

        /// <summary>Rank of the LoRA adapters, from 1 to 4096.</summary>
        public int LoraRank = 8;

        /// <summary>Numerator of the adapters' factor; positive.</summary>
        public double LoraAlpha = 16;

        /// <summary>Share of an adapter's inputs dropped while training, from 0 to below 1.</summary>
        public double LoraDropout = 0.05;

        /// <summary>Whether the adapters' factor divides by the root of the rank instead of the rank (rsLoRA).</summary>
        public bool RankStabilized;

        /// <summary>Linear layers to adapt: any of <c>query_key_value</c>, <c>dense</c>, <c>dense_h_to_4h</c>, <c>dense_4h_to_h</c>.</summary>
        public IReadOnlyList<string> LoraTargets = ["query_key_value"];

        /// <summary>Factor of the trained updates in the adapter that is given back, above 0 and at most 1000; below 1 lies between base and trained model. Evaluations while training judge the adapter at 1.</summary>
        public double Strength = 1;

        /// <summary>What updates the weights.</summary>
        public TrainingOptimizer Optimizer = TrainingOptimizer.Adam8bit;

        /// <summary>Largest learning rate, reached after warming up; positive.</summary>
        public double LearningRate = 2e-4;

        /// <summary>Decoupled weight decay, from 0.</summary>
        public double WeightDecay;

        /// <summary>Share of the steps in which the learning rate rises from 0, from 0 to 1.</summary>
        public double WarmupShare = 0.1;

        /// <summary>How the learning rate falls afterwards.</summary>
        public LearningRateSchedule Schedule = LearningRateSchedule.Linear;

        /// <summary>Gradients of a larger norm are scaled down to it; 0 for no limit.</summary>
        public double MaximumGradientNorm = 1;

        /// <summary>Passes over the data, at least 1 where <see cref="Steps"/> is 0.</summary>
        public int Epochs = 1;

        /// <summary>Steps of the run; 0 to go by <see cref="Epochs"/>.</summary>
        public int Steps;

        /// <summary>Rows of a step, at least 1. For <see cref="TrainingLoss.MultipleNegativesRanking"/> more rows are more negatives.</summary>
        public int BatchSize = 32;

        /// <summary>Rows encoded at once, at least 1: a larger <see cref="BatchSize"/> goes through a gradient cache, with the same gradients, the memory of this many rows, and one more forward pass.</summary>
        public int MiniBatchSize = 32;

        /// <summary>
        /// Bytes of activations that a step may keep for its way back; 0 for half of the memory that is free when training starts. Blocks beyond it keep their input alone and are computed
        /// again: about a third more work, the same gradients to the bit. On int8 weights with the native library only.
        /// </summary>
        public long ActivationMemory;

        /// <summary>Tokens a text may have, prompt included; 0 for the model's own limit.</summary>
        public int MaximumTokenCount;

        /// <summary>
        /// Text put before every sentence, in training, in evaluations and by the transformer that is fitted; <see langword="null"/> for the model's default prompt, empty for none.
        /// An adapter alone does not carry it: whoever merges one gives the prompt again.
        /// </summary>
        public string? Prompt;

        /// <summary>Name of one of the model's prompts (<see cref="Hub.SentenceSettings.Prompts"/>), used like the text of <see cref="Prompt"/>; <see langword="null"/> to go by that. Not both.</summary>
        public string? PromptName;

        /// <summary>
        /// Text put before every second sentence and hard negative, likewise in evaluations and by the fitted transformer, for documents that queries shall find; empty for none, <see langword="null"/>
        /// for what the first sentences have. Rows that share a text still count as sharing it, whatever is put before it. Not with <see cref="TextColumnName"/>.
        /// </summary>
        public string? Sentence2Prompt;

        /// <summary>Name of one of the model's prompts, used like the text of <see cref="Sentence2Prompt"/>; <see langword="null"/> to go by that. Not both.</summary>
        public string? Sentence2PromptName;

        /// <summary>How token vectors become one vector; <see langword="null"/> for the model's own way.</summary>
        public PoolingModes? Pooling;

        /// <summary>Decides the order of the rows, the adapters' first values and what dropout drops.</summary>
        public int Seed = 1;

        /// <summary>Whether a model folder is trained over int8 weights (<see cref="BloomCompute.Int8"/>) or as it is (<see cref="BloomCompute.Float32"/>); a <c>.lacos</c> file is trained over the weights it has.</summary>
        public BloomCompute Compute;

        /// <summary>
        /// Scheme in which the base is held while training, embedding table included where it is block-wise; <see langword="null"/> goes by <see cref="Compute"/>.
        /// <see cref="QuantizationScheme.None"/> is an fp32 base. A <c>.lacos</c> file has its scheme already: only a model folder can be given one.
        /// </summary>
        public QuantizationScheme? BaseScheme;

        /// <summary>Type of the products over 8-bit weights where torch computes them: on a GPU, without the native library, and for block-wise schemes.</summary>
        public TrainingPrecision Precision;

        /// <summary>
        /// Folder of a PEFT adapter, made on the same base, from which training starts; <see langword="null"/> starts with the base model as it is. Rank, alpha, targets and rsLoRA are
        /// then the adapter's own, whatever the fields here say; the dropout is <see cref="LoraDropout"/>.
        /// </summary>
        public string? Adapter;

        /// <summary>Scored pairs on which the adapter is judged; <see langword="null"/> for none. <see cref="Fit(IDataView, IDataView)"/> takes its place.</summary>
        public IDataView? ValidationSet;

        /// <summary>Column of the validation set's scores.</summary>
        public string ValidationLabelColumnName = "Label";

        /// <summary>Column of the validation set (text) that tells apart the sets whose correlations are averaged; <see langword="null"/> where all of it is one set.</summary>
        public string? ValidationGroupColumnName;

        /// <summary>Whether training rows that stand in the validation set too are left out; else they are counted and named. Of texts and classes, a row stands there with its text, whatever its class.</summary>
        public bool LeaveOutValidationPairs;

        /// <summary>Steps between two evaluations, at least 1; there is always one after the last step. The best adapter is what the fit gives.</summary>
        public int EvaluateEvery = 100;

        /// <summary>Evaluations without a gain after which training stops early; 0 for never.</summary>
        public int Patience;

        /// <summary>
        /// Folder for <c>train-log.jsonl</c>, <c>checkpoints</c> and, once the training has ended, the adapter that was kept as a PEFT folder (<c>adapter_config.json</c>,
        /// <c>adapter_model.safetensors</c>); <see langword="null"/> writes nothing. One that holds an adapter and no checkpoints is refused.
        /// </summary>
        public string? OutputFolder;

        /// <summary>Steps between two checkpoints, at least 1; there is always one where training stops.</summary>
        public int CheckpointEvery = 100;

        /// <summary>Checkpoints kept, the newest ones; at least 1.</summary>
        public int KeepCheckpoints = 3;

        /// <summary>Whether to continue from the newest whole checkpoint in <see cref="OutputFolder"/>; from the start where there is none at all. Where all are damaged the run is refused.</summary>
        public bool Resume;

        /// <summary>Step after which to stop, with a checkpoint, leaving the schedule that of the whole run; 0 for none.</summary>
        public int StopAtStep;

        /// <summary>
        /// Processes that train this model together, each on its rows of every batch; <see langword="null"/> for this one alone. All are started with the same options on the same data, and
        /// <see cref="OutputFolder"/> is one folder that all of them see. <see cref="BatchSize"/> stays the rows of a step, <see cref="MiniBatchSize"/> those that one process encodes at once.
        /// The gradients are those of one process on the whole batch, up to rounding; rank 0 writes the files and evaluates, and every rank gets the same adapter. Stays the caller's.
        /// </summary>
        public IProcessGroup? ProcessGroup;

        /// <summary>Told after each step, on the training thread.</summary>
        public IProgress<TrainingProgress>? Progress;

        /// <summary>When cancelled, a checkpoint is written and <see cref="OperationCanceledException"/> thrown.</summary>
        public CancellationToken CancellationToken;

        /// <summary>Where the graph runs; null for what the environment asks for.</summary>
        internal GraphDevice? Device;

        internal Options Copy()
        {
            var copy = (Options)MemberwiseClone();
            copy.NegativeColumnNames = [.. NegativeColumnNames ?? []];
            copy.MatryoshkaDimensions = [.. MatryoshkaDimensions ?? []];
            copy.LoraTargets = [.. LoraTargets ?? []];
            copy.Datasets = [.. (Datasets ?? []).Select(dataset => dataset?.Copy() ?? throw new ArgumentException("A data set of Datasets is null; leave it out.", nameof(Datasets)))];
            return copy;
        }

        /// <summary>Whether second sentences are given a prompt of their own, be it that of the first ones.</summary>
        internal bool HasSentence2Prompt => Sentence2Prompt is not null || Sentence2PromptName is not null;

        /// <summary>Columns of sentences in the order of the loss.</summary>
        internal IReadOnlyList<string> SentenceColumns => TextColumnName is string text ? [text] : [Sentence1ColumnName, Sentence2ColumnName, .. NegativeColumnNames];
    }
}
