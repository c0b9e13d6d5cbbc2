using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>What a model folder says about turning token vectors into sentence vectors.</summary>
public sealed record SentenceSettings
{
    /// <summary>Token limit of a model that names none.</summary>
    public const int DefaultMaximumTokenCount = 256;

    /// <summary>How token vectors become one vector.</summary>
    public PoolingModes Pooling { get; init; } = PoolingModes.Mean;

    /// <summary>Whether the vector is divided by its Euclidean norm.</summary>
    public bool Normalize { get; init; } = true;

    /// <summary>Tokens a text may have, prompt included; the rest is treated as the caller's long-text option says.</summary>
    public int MaximumTokenCount { get; init; } = DefaultMaximumTokenCount;

    /// <summary>Texts put before a sentence, by name.</summary>
    public IReadOnlyDictionary<string, string> Prompts { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Name of the prompt used when the caller names none; <see langword="null"/> for no prompt.</summary>
    public string? DefaultPromptName { get; init; }

    /// <summary>Whether the prompt's tokens are pooled too.</summary>
    public bool IncludePrompt { get; init; } = true;

    /// <summary>Leading tokens of a text that pooling leaves out: those of the prompt, but for a special token at its end, which the reference does not count.</summary>
    internal int FirstPooledToken(IReadOnlyList<int> promptIds, BloomTokenizer tokenizer)
    {
        bool endsInSpecialToken = promptIds.Count > 0 && tokenizer.IsSpecial(promptIds[^1]);
        return IncludePrompt ? 0 : promptIds.Count - (endsInSpecialToken ? 1 : 0);
    }
}
