namespace Microsoft.ML.Lacos;

public sealed partial class LacosBloomTrainer
{
    public sealed partial class Options
    {
        /// <summary>
        /// Column of texts (text) to train on classes instead of pairs: <see cref="LabelColumnName"/>, by default <c>Label</c>, then names each text's class,
        /// or for the loss <see cref="TrainingLoss.MeanSquaredError"/> its teacher's vector. <see cref="Datasets"/> may stand beside it. <see langword="null"/> trains on pairs of sentences.
        /// </summary>
        public string? TextColumnName;

        /// <summary>Name of the new column of vectors, where <see cref="TextColumnName"/> is given.</summary>
        public string EmbeddingColumnName = "Features";

        /// <summary>
        /// Matching pairs made for each text with others of its class, at least 1, and as many with texts of other classes, where <see cref="TextColumnName"/> is given.
        /// An epoch is once through these pairs.
        /// </summary>
        public int PairsPerText = 8;
    }
}
