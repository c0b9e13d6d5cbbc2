using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>The text that is put before every sentence, as a tokenizer sees it.</summary>
/// <param name="Text">The text; empty for none.</param>
/// <param name="Ids">Its tokens by itself.</param>
/// <param name="PoolFrom">Leading tokens of a prompted text that pooling leaves out.</param>
internal sealed record AppliedPrompt(string Text, int[] Ids, int PoolFrom)
{
    /// <summary>What the names of a trainer's options for second sentences begin with.</summary>
    public const string SecondPrefix = "Sentence2";

    /// <summary>Refuses a prompt that is given both as a text and by its name.</summary>
    /// <param name="prompt">The text, if any.</param>
    /// <param name="promptName">The name, if any.</param>
    /// <param name="prefix">What the options' names begin with.</param>
    /// <exception cref="ArgumentException">Both are given.</exception>
    public static void RefuseBoth(string? prompt, string? promptName, string prefix = "")
    {
        if (prompt is not null && promptName is not null)
        {
            throw new ArgumentException($"{prefix}PromptName is '{TextInMessage.Of(promptName)}' and {prefix}Prompt is '{TextInMessage.Of(prompt)}'; one of them must be null. Give the name or the text.", prefix.Length == 0 ? nameof(promptName) : $"{prefix}PromptName");
        }
    }

    /// <summary>Chooses the prompt and counts its tokens.</summary>
    /// <param name="settings">What the model says.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="prompt">The prompt asked for; <see langword="null"/> for the model's default, empty for none.</param>
    /// <param name="promptName">Name of one of the model's prompts, in place of a text; <see langword="null"/> for none.</param>
    /// <param name="maximumTokenCount">Tokens a text may have, prompt included; 0 for the model's own limit.</param>
    /// <param name="prefix">What the options' names begin with.</param>
    /// <exception cref="ArgumentException">The prompt leaves no token for the text, or there is none of that name.</exception>
    /// <exception cref="InvalidDataException">The model's default prompt is not among its prompts, or leaves no token within the model's own limit.</exception>
    public static AppliedPrompt Of(SentenceSettings settings, BloomTokenizer tokenizer, string? prompt, string? promptName, int maximumTokenCount, string prefix = "")
    {
        string text = settings.PromptText(prompt, promptName, prefix);
        int[] ids = text.Length == 0 ? [] : [.. tokenizer.EncodeToIds(text)];
        int limit = maximumTokenCount == 0 ? settings.MaximumTokenCount : maximumTokenCount;
        if (ids.Length < limit)
        {
            return new AppliedPrompt(text, ids, settings.FirstPooledToken(ids, tokenizer));
        }
        string counts = $"has {ids.Length} tokens and the limit of a text is {limit}, prompt included";
        throw prompt is null && promptName is null && maximumTokenCount == 0
            ? new InvalidDataException($"In the model's own settings the prompt '{TextInMessage.Of(settings.DefaultPromptName!)}' {counts}, so that no text has room. Name another prompt or a larger MaximumTokenCount in the options, or correct the model's settings.")
            : new ArgumentException($"The prompt{(prefix.Length == 0 ? "" : $" of {prefix}Prompt")} {counts}. Shorten the prompt or raise MaximumTokenCount.", nameof(prompt));
    }
}
