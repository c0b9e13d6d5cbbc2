using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>Gives each different text a number, and its token ids with prompt and limit.</summary>
/// <remarks>Texts are told apart by the first 128 bits of their SHA-256, so that none has to be kept.</remarks>
internal sealed class TextInterner
{
    private readonly Dictionary<UInt128, int> _numbers = [];
    private readonly BloomTokenizer _tokenizer;
    private readonly List<int> _ids = [];
    private readonly AppliedPrompt _prompt;
    private readonly int _limit;

    /// <param name="model">Gives tokenizer and settings.</param>
    /// <param name="prompt">Text put before every text; null for the model's default prompt, empty for none.</param>
    /// <param name="promptName">Name of one of the model's prompts, in place of a text; null for none.</param>
    /// <param name="maximumTokenCount">Tokens a text may have, prompt included; 0 for the model's own limit.</param>
    /// <param name="tokens">Where the token ids go.</param>
    /// <exception cref="ArgumentException">The prompt leaves no token for the text, or there is none of that name.</exception>
    public TextInterner(LacosModel model, string? prompt, string? promptName, int maximumTokenCount, TokenStore tokens)
    {
        _tokenizer = BloomTokenizer.FromJson(model.TokenizerJson.Span);
        _limit = maximumTokenCount == 0 ? model.Settings.MaximumTokenCount : maximumTokenCount;
        _prompt = AppliedPrompt.Of(model.Settings, _tokenizer, prompt, promptName, maximumTokenCount);
        Tokens = tokens;
    }

    /// <summary>Leading tokens that pooling leaves out.</summary>
    public int PoolFrom => _prompt.PoolFrom;

    /// <summary>Texts cut at the limit so far.</summary>
    public int LongTexts { get; private set; }

    /// <summary>Token ids of all texts so far.</summary>
    public TokenStore Tokens { get; }

    /// <summary>Number of a text, which must not be empty.</summary>
    public int NumberOf(ReadOnlyMemory<char> text)
    {
        UInt128 hash = TextHash.Of(text.Span);
        if (!_numbers.TryGetValue(hash, out int number))
        {
            _ids.Clear();
            LongTexts += _tokenizer.Encode(_prompt.Text + text.ToString(), _limit, _ids) > _limit ? 1 : 0;
            number = Tokens.Add(CollectionsMarshal.AsSpan(_ids));
            _numbers.Add(hash, number);
        }
        return number;
    }
}
