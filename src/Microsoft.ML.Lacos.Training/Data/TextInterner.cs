using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>Gives each different text a number, and its token ids with the model's prompt and limit.</summary>
internal sealed class TextInterner
{
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly List<int[]> _tokens = [];
    private readonly BloomTokenizer _tokenizer;
    private readonly string _prompt;
    private readonly int _limit;

    /// <param name="model">Gives tokenizer and settings.</param>
    /// <param name="maximumTokenCount">Tokens a text may have, prompt included; 0 for the model's own limit.</param>
    public TextInterner(LacosModel model, int maximumTokenCount)
    {
        SentenceSettings settings = model.Settings;
        _tokenizer = BloomTokenizer.FromJson(model.TokenizerJson.Span);
        _limit = maximumTokenCount == 0 ? settings.MaximumTokenCount : maximumTokenCount;
        _prompt = settings.DefaultPromptName is string name && settings.Prompts.TryGetValue(name, out string? prompt) ? prompt : "";
        int promptTokens = _prompt.Length == 0 ? 0 : _tokenizer.EncodeToIds(_prompt).Count;
        if (promptTokens >= _limit)
        {
            throw new ArgumentException($"The model's prompt has {promptTokens} tokens and the limit of a text is {_limit}, prompt included. Raise MaximumTokenCount.", nameof(maximumTokenCount));
        }
        PoolFrom = settings.IncludePrompt ? 0 : promptTokens;
    }

    /// <summary>Leading tokens that pooling leaves out.</summary>
    public int PoolFrom { get; }

    /// <summary>Texts cut at the limit so far.</summary>
    public int LongTexts { get; private set; }

    /// <summary>Token ids of all texts so far.</summary>
    public int[][] Tokens => [.. _tokens];

    /// <summary>Number of a text, which must not be empty.</summary>
    public int NumberOf(string text)
    {
        if (!_numbers.TryGetValue(text, out int number))
        {
            number = _tokens.Count;
            var ids = new List<int>();
            LongTexts += _tokenizer.Encode(_prompt + text, _limit, ids) > _limit ? 1 : 0;
            _tokens.Add([.. ids]);
            _numbers.Add(text, number);
        }
        return number;
    }
}
