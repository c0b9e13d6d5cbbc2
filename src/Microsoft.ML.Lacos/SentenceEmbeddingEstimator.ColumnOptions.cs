using Microsoft.ML.Lacos.Hub;

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
        /// <param name="prompt">Text put before every sentence of this column, empty for none; <see langword="null"/> for what the options say for all columns.</param>
        /// <param name="promptName">Name of one of the model's prompts (<see cref="SentenceSettings.Prompts"/>), in place of <paramref name="prompt"/>. A saved transformer holds the text.</param>
        /// <exception cref="ArgumentException">A column name is empty, or both prompt and name are given.</exception>
        public ColumnOptions(string outputColumnName, string? inputColumnName = null, string? tokenCountColumnName = null, string? prompt = null, string? promptName = null)
        {
            AppliedPrompt.RefuseBoth(prompt, promptName);
            (Prompt, PromptName) = (prompt, promptName);
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

        /// <summary>Text put before every sentence of this column; <see langword="null"/> for what the options say for all columns.</summary>
        public string? Prompt { get; }

        /// <summary>Name of one of the model's prompts, put before every sentence of this column; <see langword="null"/> for none.</summary>
        public string? PromptName { get; }

        private static string Named(string? name, string parameter) =>
            string.IsNullOrWhiteSpace(name)
                ? throw new ArgumentException($"A column name must not be empty, got '{name}'. Name a column.", parameter)
                : name;
    }
}
