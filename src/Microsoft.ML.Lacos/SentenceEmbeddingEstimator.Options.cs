using Microsoft.ML.Lacos.Bloom;

namespace Microsoft.ML.Lacos;

public sealed partial class SentenceEmbeddingEstimator
{
    /// <summary>Options of <see cref="SentenceEmbeddingEstimator"/>; a field left alone keeps the default shown or the model's own value.</summary>
    public sealed class Options
    {
        /// <summary>A <c>.lacos</c> file or a model folder; <see langword="null"/> takes the embedded default model.</summary>
        public string? Model;

        /// <summary>A PEFT folder with a LoRA adapter to merge into the model; <see langword="null"/> for none.</summary>
        public string? Adapter;

        /// <summary>The text columns and the vector columns to make of them. All share one copy of the weights and are encoded together.</summary>
        public IReadOnlyList<ColumnOptions> Columns = [];

        /// <summary>How token vectors become one vector; <see langword="null"/> for the model's own.</summary>
        public PoolingModes? Pooling;

        /// <summary>Whether a vector is divided by its Euclidean norm, so that the dot product of two is their cosine.</summary>
        public bool Normalize = true;

        /// <summary>Text put before every sentence of columns without a prompt of their own; <see langword="null"/> for the model's default prompt, empty for none.</summary>
        public string? Prompt;

        /// <summary>
        /// Name of one of the model's prompts (<see cref="Hub.SentenceSettings.Prompts"/>) to put before every sentence of columns without a prompt of their own; <see langword="null"/> to go by <see cref="Prompt"/>. Not both.
        /// A saved transformer holds the text.
        /// </summary>
        public string? PromptName;

        /// <summary>Leading dimensions to keep; the vector is normalised after the cut. 0 keeps all.</summary>
        public int Dimension;

        /// <summary>Number format of the vectors.</summary>
        public EmbeddingPrecision Precision;

        /// <summary>Tokens a text may have, prompt included; 0 for the model's own limit.</summary>
        public int MaximumTokenCount;

        /// <summary>What to do with longer texts.</summary>
        public LongText LongText;

        /// <summary>
        /// Name of an <see cref="int"/> column with the tokens of each text, prompt included, before any truncation; <see langword="null"/> for none.
        /// Only with a single column: with several, <see cref="ColumnOptions.TokenCountColumnName"/> names one for each.
        /// </summary>
        public string? TokenCountColumnName;

        /// <summary>
        /// Name of a <see cref="float"/> column with the cosine of the two vectors, 0 where one of them is zero; <see langword="null"/> for none.
        /// Needs exactly two columns.
        /// </summary>
        public string? ScoreColumnName;

        /// <summary>Tokens encoded together, at most, where those that texts share at their beginnings count once; a longer text is a batch of its own. 0 (default) for 4096, or 512 a thread where that is more. Changes no vector.</summary>
        public int BatchTokens;

        /// <summary>
        /// Rows a cursor reads ahead, at most, from 1 to 1,048,576, so that texts of like length can be encoded together. The first windows of a cursor are smaller,
        /// so that a look at the first rows stays cheap. Active columns of these rows are held in memory.
        /// </summary>
        public int LookAheadRows = 1024;

        /// <summary>
        /// Memory for vectors already computed, in bytes from 0, keys included (256 MiB). A trainer that passes over its data many times finds them there
        /// instead of encoding again. 0 turns it off.
        /// </summary>
        public long CacheBytes = 256L << 20;

        /// <summary>Arithmetic of the linear layers.</summary>
        public BloomCompute Compute;

        /// <summary>
        /// Outlier threshold of LLM.int8: feature columns with a magnitude of at least this are computed in fp32, sentence by sentence.
        /// 0 turns it off; the reference's value is 6.0. Only for <see cref="BloomCompute.Int8"/>.
        /// </summary>
        public float OutlierThreshold;

        /// <summary>Threads, at most 256; 0 (default) for <c>LACOS_NUM_THREADS</c>, else as many as CPU affinity and the container's quota allow. Changes no vector. Not saved with a model.</summary>
        public int ThreadCount;

        /// <summary>Checked between batches; when cancelled, reading vectors throws <see cref="OperationCanceledException"/>. Not saved with a model.</summary>
        public CancellationToken CancellationToken;

        internal Options Copy()
        {
            var copy = (Options)MemberwiseClone();
            copy.Columns = [.. Columns];
            return copy;
        }

        internal SentenceEncoderOptions ToEncoderOptions() => new()
        {
            Pooling = Pooling,
            Normalize = Normalize,
            Prompt = Prompt,
            PromptName = PromptName,
            Dimension = Dimension,
            MaximumTokenCount = MaximumTokenCount,
            LongText = LongText,
            Compute = Compute,
            OutlierThreshold = OutlierThreshold,
            ThreadCount = ThreadCount,
            BatchTokens = BatchTokens,
        };
    }
}
