using System.Globalization;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Safetensors;
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

    /// <summary>The text put before a sentence.</summary>
    /// <param name="prompt">A text; <see langword="null"/> for the default prompt, empty for none.</param>
    /// <param name="promptName">Name of one of the prompts, in place of a text; <see langword="null"/> for none.</param>
    /// <exception cref="ArgumentException">There is no prompt of that name.</exception>
    /// <exception cref="InvalidDataException">The default prompt is not among the prompts.</exception>
    internal string PromptText(string? prompt, string? promptName)
    {
        if (promptName is not null)
        {
            return Prompts.TryGetValue(promptName, out string? named) ? named : throw UnknownPrompt(promptName);
        }
        if (prompt is not null || DefaultPromptName is null)
        {
            return prompt ?? "";
        }
        return Prompts.TryGetValue(DefaultPromptName, out string? text)
            ? text
            : throw new InvalidDataException($"The model's default prompt '{TextInMessage.Of(DefaultPromptName)}' is not among its prompts ({PromptNames}). Name a prompt text in the options, or an empty one for none.");
    }

    /// <summary>
    /// These settings with another default prompt. A text that the model knows keeps its name, another is called <c>trained</c>, or <c>trained-2</c> and so on where that is taken.
    /// </summary>
    /// <param name="prompt">A text; <see langword="null"/> for the default as it is, empty for no default.</param>
    /// <param name="promptName">Name of one of the prompts, in place of a text.</param>
    /// <exception cref="ArgumentException">There is no prompt of that name.</exception>
    internal SentenceSettings WithDefaultPrompt(string? prompt, string? promptName)
    {
        string text = PromptText(prompt, promptName);
        if (promptName is not null || prompt is null || text == PromptText(null, null))
        {
            return this with { DefaultPromptName = promptName ?? DefaultPromptName };
        }
        if (text.Length == 0)
        {
            return this with { DefaultPromptName = null };
        }
        if (Prompts.Where(pair => pair.Value == text).Select(pair => pair.Key).Order(StringComparer.Ordinal).FirstOrDefault() is string known)
        {
            return this with { DefaultPromptName = known };
        }
        string name = Enumerable.Range(1, Prompts.Count + 1).Select(number => number == 1 ? "trained" : string.Create(CultureInfo.InvariantCulture, $"trained-{number}")).First(name => !Prompts.ContainsKey(name));
        return this with { Prompts = new Dictionary<string, string>(Prompts, StringComparer.Ordinal) { [name] = text }, DefaultPromptName = name };
    }

    private ArgumentException UnknownPrompt(string name) => new(
        $"PromptName is '{TextInMessage.Of(name)}'; {(Prompts.Count == 0 ? "the model has no prompts with names. Give the text itself" : $"the model's prompts are: {PromptNames}. Name one of them, or give a text")} instead.",
        "PromptName");

    private string PromptNames => TextInMessage.Of(string.Join(", ", Prompts.Keys.Order(StringComparer.Ordinal)));

    /// <summary>Leading tokens of a text that pooling leaves out: those of the prompt, but for a special token at its end, which the reference does not count.</summary>
    internal int FirstPooledToken(IReadOnlyList<int> promptIds, BloomTokenizer tokenizer)
    {
        bool endsInSpecialToken = promptIds.Count > 0 && tokenizer.IsSpecial(promptIds[^1]);
        return IncludePrompt ? 0 : promptIds.Count - (endsInSpecialToken ? 1 : 0);
    }
}
