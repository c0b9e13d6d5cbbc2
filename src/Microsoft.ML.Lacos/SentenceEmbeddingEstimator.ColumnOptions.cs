namespace Microsoft.ML.Lacos;

public sealed partial class SentenceEmbeddingEstimator
{
    /// <summary>One text column and the columns made of it.</summary>
    public sealed class ColumnOptions
    {
        /// <summary>Describes one column.</summary>
        /// <param name="outputColumnName">Name of the vector column.</param>
        /// <param name="inputColumnName">Name of the text column; <see langword="null"/> takes <paramref name="outputColumnName"/>.</param>
        /// <param name="tokenCountColumnName">Name of an <see cref="int"/> column with the tokens of each text before any truncation; <see langword="null"/> for none.</param>
        /// <exception cref="ArgumentException">A name is empty.</exception>
        public ColumnOptions(string outputColumnName, string? inputColumnName = null, string? tokenCountColumnName = null)
        {
            OutputColumnName = Named(outputColumnName, nameof(outputColumnName));
            InputColumnName = Named(inputColumnName ?? outputColumnName, nameof(inputColumnName));
            TokenCountColumnName = tokenCountColumnName is null ? null : Named(tokenCountColumnName, nameof(tokenCountColumnName));
        }

        /// <summary>Name of the vector column.</summary>
        public string OutputColumnName { get; }

        /// <summary>Name of the text column.</summary>
        public string InputColumnName { get; }

        /// <summary>Name of the column of token counts; <see langword="null"/> for none.</summary>
        public string? TokenCountColumnName { get; }

        private static string Named(string? name, string parameter) =>
            string.IsNullOrWhiteSpace(name)
                ? throw new ArgumentException($"A column name must not be empty, got '{name}'. Name a column.", parameter)
                : name;
    }
}
