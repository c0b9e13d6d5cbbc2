using System.Globalization;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>What a model folder says about turning token vectors into sentence vectors.</summary>
/// <remarks>Two are equal where all settings are, prompts by name and text.</remarks>
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
    public IReadOnlyDictionary<string, string> Prompts { get; init => field = value ?? throw new ArgumentNullException(nameof(Prompts)); } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Name of the prompt used when the caller names none; <see langword="null"/> for no prompt.</summary>
    public string? DefaultPromptName { get; init; }

    /// <summary>Whether the prompt's tokens are pooled too.</summary>
    public bool IncludePrompt { get; init; } = true;

    /// <summary>Whether all settings are the same.</summary>
    /// <param name="other">Other settings.</param>
    public bool Equals(SentenceSettings? other) =>
        other is not null
        && (Pooling, Normalize, MaximumTokenCount, DefaultPromptName, IncludePrompt) == (other.Pooling, other.Normalize, other.MaximumTokenCount, other.DefaultPromptName, other.IncludePrompt)
        && Prompts.Count == other.Prompts.Count
        && Prompts.All(prompt => other.Prompts.TryGetValue(prompt.Key, out string? text) && text == prompt.Value);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Pooling, Normalize, MaximumTokenCount, DefaultPromptName, IncludePrompt, Prompts.Count);

    /// <inheritdoc/>
    public override string ToString() => RecordText.Of(this);

    /// <summary>The text put before a sentence.</summary>
    /// <param name="prompt">A text; <see langword="null"/> for the default prompt, empty for none.</param>
    /// <param name="promptName">Name of one of the prompts, in place of a text; <see langword="null"/> for none.</param>
    /// <param name="prefix">What the options' names begin with.</param>
    /// <exception cref="ArgumentException">There is no prompt of that name.</exception>
    /// <exception cref="InvalidDataException">The default prompt is not among the prompts.</exception>
    internal string PromptText(string? prompt, string? promptName, string prefix = "")
    {
        if (promptName is not null)
        {
            return Prompts.TryGetValue(promptName, out string? named) ? named : throw UnknownPrompt(promptName, prefix);
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
        string name = FreeName("trained");
        return With(name, text) with { DefaultPromptName = name };
    }

    /// <summary>
    /// These settings, those of a model whose first sentences have the default prompt, with the prompt of second sentences among the prompts. A text is called <c>document</c>, and a default prompt
    /// that was given as a text <c>query</c> too: under these names sentence-transformers looks for them. A name with an empty text counts as free where it is not the default; one with another text is left alone,
    /// and the second prompt then keeps the name that the model knows it by, or becomes <c>document-2</c> and so on.
    /// </summary>
    /// <param name="prompt">The text; empty for none, which is kept too, because the default would hold in its place.</param>
    /// <param name="promptName">Name of one of the prompts, in place of a text.</param>
    /// <param name="isFirstText">Whether the default prompt was given as a text.</param>
    /// <param name="name">What the second prompt is called.</param>
    /// <exception cref="ArgumentException">There is no prompt of that name.</exception>
    internal SentenceSettings WithSecondPrompt(string? prompt, string? promptName, bool isFirstText, out string name)
    {
        string text = PromptText(prompt, promptName, AppliedPrompt.SecondPrefix);
        SentenceSettings settings = this;
        if (promptName is null)
        {
            name = IsFree("document", text)
                ? "document"
                : Prompts.Where(pair => pair.Value == text).Select(pair => pair.Key).Order(StringComparer.Ordinal).FirstOrDefault() ?? FreeName("document");
            settings = With(name, text);
        }
        else
        {
            name = promptName;
        }
        string first = settings.PromptText(null, null);
        return isFirstText && first.Length > 0 && name != "query" && settings.IsFree("query", first) ? settings.With("query", first) : settings;
    }

    private SentenceSettings With(string name, string text) => this with { Prompts = new Dictionary<string, string>(Prompts, StringComparer.Ordinal) { [name] = text } };

    private bool IsFree(string name, string text) =>
        !Prompts.TryGetValue(name, out string? known) || known == text || (known.Length == 0 && name != DefaultPromptName);

    private string FreeName(string name) =>
        Enumerable.Range(1, Prompts.Count + 1).Select(number => number == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}-{number}")).First(free => !Prompts.ContainsKey(free));

    private ArgumentException UnknownPrompt(string name, string prefix) => new(
        $"{prefix}PromptName is '{TextInMessage.Of(name)}'; {(Prompts.Count == 0 ? "the model has no prompts with names. Give the text itself" : $"the model's prompts are: {PromptNames}. Name one of them, or give a text")} instead.",
        $"{prefix}PromptName");

    private string PromptNames => TextInMessage.Of(string.Join(", ", Prompts.Keys.Order(StringComparer.Ordinal)));

    /// <summary>Leading tokens of a text that pooling leaves out: those of the prompt, but for a special token at its end, which the reference does not count.</summary>
    internal int FirstPooledToken(IReadOnlyList<int> promptIds, BloomTokenizer tokenizer)
    {
        bool endsInSpecialToken = promptIds.Count > 0 && tokenizer.IsSpecial(promptIds[^1]);
        return IncludePrompt ? 0 : promptIds.Count - (endsInSpecialToken ? 1 : 0);
    }
}
