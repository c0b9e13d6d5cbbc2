namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>Refuses options that cannot work before a model is opened; what depends on the model is checked when it is.</summary>
internal static class OptionsValidation
{
    private const int MostLookAheadRows = 1 << 20;

    /// <summary>Checks options and returns a copy in which <see cref="SentenceEmbeddingEstimator.Options.TokenCountColumnName"/> has moved to its column.</summary>
    public static SentenceEmbeddingEstimator.Options Checked(SentenceEmbeddingEstimator.Options options)
    {
        ArgumentNullException.ThrowIfNull(options);
        CheckColumns(options);
        options = options.Copy();
        if (options.TokenCountColumnName is string tokenCount)
        {
            SentenceEmbeddingEstimator.ColumnOptions only = options.Columns[0];
            options.Columns = [new(only.OutputColumnName, only.InputColumnName, tokenCount, only.Prompt, only.PromptName)];
            options.TokenCountColumnName = null;
        }
        CheckOutputNames(options);
        NullOrNamed(options.Model, nameof(options.Model), "a .lacos file or a model folder; null takes the embedded default model");
        NullOrNamed(options.Adapter, nameof(options.Adapter), "a PEFT folder; null takes none");
        if (!Enum.IsDefined(options.Precision))
        {
            throw new ArgumentOutOfRangeException(nameof(options.Precision), options.Precision, "Precision must be Float32, Int8 or Binary.");
        }
        if (options.LookAheadRows is < 1 or > MostLookAheadRows)
        {
            throw new ArgumentOutOfRangeException(nameof(options.LookAheadRows), options.LookAheadRows, $"LookAheadRows must be from 1 to {MostLookAheadRows}; 1024 is the default.");
        }
        if (options.CacheBytes < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(options.CacheBytes), options.CacheBytes, "CacheBytes must be at least 0; 0 turns the memory of vectors off.");
        }
        options.ToEncoderOptions().Validate();
        return options;
    }

    private static void CheckColumns(SentenceEmbeddingEstimator.Options options)
    {
        if (options.Columns is not { Count: > 0 })
        {
            throw new ArgumentException("Columns is empty. Give at least one, for example Columns = [new(\"Features\", \"Text\")].", nameof(options.Columns));
        }
        if (options.Columns.Any(column => column is null))
        {
            throw new ArgumentException($"Columns[{options.Columns.TakeWhile(column => column is not null).Count()}] is null. Leave it out or name a column.", nameof(options.Columns));
        }
        NullOrNamed(options.TokenCountColumnName, nameof(options.TokenCountColumnName), "the name of a new column; null for none");
        NullOrNamed(options.ScoreColumnName, nameof(options.ScoreColumnName), "the name of a new column; null for none");
        if (options.TokenCountColumnName is string tokenCount && (options.Columns.Count != 1 || options.Columns[0].TokenCountColumnName is not null))
        {
            throw new ArgumentException(
                $"TokenCountColumnName is '{tokenCount}' but there are {options.Columns.Count} columns, or the column names its own. Name the count column in each ColumnOptions instead.", nameof(options.TokenCountColumnName));
        }
        if (options.ScoreColumnName is string score && options.Columns.Count != 2)
        {
            throw new ArgumentException($"ScoreColumnName is '{score}' but there are {options.Columns.Count} columns. A score compares exactly two.", nameof(options.ScoreColumnName));
        }
    }

    private static void CheckOutputNames(SentenceEmbeddingEstimator.Options options)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        IEnumerable<string?> all = options.Columns.SelectMany(column => new[] { column.OutputColumnName, column.TokenCountColumnName }).Append(options.ScoreColumnName);
        foreach (string? name in all)
        {
            if (name is not null && !names.Add(name))
            {
                throw new ArgumentException($"Two output columns are named '{name}'. Give each its own name.", nameof(options.Columns));
            }
        }
    }

    private static void NullOrNamed(string? value, string name, string hint)
    {
        if (value is not null && string.IsNullOrWhiteSpace(value))
        {
            throw new ArgumentException($"{name} is '{value}'. Give {hint}.", name);
        }
    }
}
