using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>Gives each different text a number, and its token ids with prompt and limit.</summary>
/// <remarks>
/// Texts are told apart by the first 128 bits of their SHA-256, so that none has to be kept, and without their prompts: a document that is also a query is one text. Where there are two prompts,
/// its token ids stand behind each that it has been read with; with one, the number of a text is that of its tokens.
/// </remarks>
internal sealed class TextInterner
{
    private const int NotYet = -1;

    private readonly Dictionary<UInt128, int> _numbers = [];
    private readonly BloomTokenizer _tokenizer;
    private readonly List<int> _ids = [];
    private readonly AppliedPrompt[] _prompts;
    private readonly List<int>[] _tokensOf;
    private readonly int _limit;

    /// <param name="model">Gives tokenizer and settings.</param>
    /// <param name="options">Give prompts and limit.</param>
    /// <param name="tokens">Where the token ids go.</param>
    /// <exception cref="ArgumentException">A prompt leaves no token for the text, or there is none of that name.</exception>
    public TextInterner(LacosModel model, LacosBloomTrainer.Options options, TokenStore tokens)
    {
        _tokenizer = BloomTokenizer.FromJson(model.TokenizerJson.Span);
        _limit = options.MaximumTokenCount == 0 ? model.Settings.MaximumTokenCount : options.MaximumTokenCount;
        var first = AppliedPrompt.Of(model.Settings, _tokenizer, options.Prompt, options.PromptName, options.MaximumTokenCount);
        AppliedPrompt second = options.HasSentence2Prompt
            ? AppliedPrompt.Of(model.Settings, _tokenizer, options.Sentence2Prompt, options.Sentence2PromptName, options.MaximumTokenCount, AppliedPrompt.SecondPrefix)
            : first;
        _prompts = second.Text == first.Text ? [first] : [first, second];
        _tokensOf = HasTwoPrompts ? [[], []] : [];
        Tokens = tokens;
    }

    /// <summary>Whether the second sentences have another prompt than the first ones.</summary>
    public bool HasTwoPrompts => _prompts.Length > 1;

    /// <summary>Leading tokens that pooling leaves out, of first sentences.</summary>
    public int PoolFrom => _prompts[0].PoolFrom;

    /// <summary>Leading tokens that pooling leaves out, of all other sentences.</summary>
    public int SecondPoolFrom => _prompts[^1].PoolFrom;

    /// <summary>Texts cut at the limit so far, each once for each prompt that it has been read with.</summary>
    public int LongTexts { get; private set; }

    /// <summary>Token ids of all texts so far.</summary>
    public TokenStore Tokens { get; }

    /// <summary>Number of a text that stands in the first column.</summary>
    public int NumberOf(ReadOnlyMemory<char> text) => Intern(text, column: 0).Number;

    /// <summary>Number and tokens of a text.</summary>
    /// <param name="text">The text; must not be empty.</param>
    /// <param name="column">Its column of sentences, which decides the prompt.</param>
    public InternedText Intern(ReadOnlyMemory<char> text, int column)
    {
        UInt128 hash = TextHash.Of(text.Span);
        bool isKnown = _numbers.TryGetValue(hash, out int number);
        if (!HasTwoPrompts)
        {
            if (!isKnown)
            {
                number = Tokenize(text, _prompts[0]);
                _numbers.Add(hash, number);
            }
            return new InternedText(number, number);
        }
        if (!isKnown)
        {
            number = _numbers.Count;
            _numbers.Add(hash, number);
            _tokensOf[0].Add(NotYet);
            _tokensOf[1].Add(NotYet);
        }
        int side = column == 0 ? 0 : 1;
        int tokens = _tokensOf[side][number];
        if (tokens == NotYet)
        {
            _tokensOf[side][number] = tokens = Tokenize(text, _prompts[side]);
        }
        return new InternedText(number, tokens);
    }

    private int Tokenize(ReadOnlyMemory<char> text, AppliedPrompt prompt)
    {
        _ids.Clear();
        LongTexts += _tokenizer.Encode(prompt.Text + text.ToString(), _limit, _ids) > _limit ? 1 : 0;
        return Tokens.Add(CollectionsMarshal.AsSpan(_ids));
    }
}

/// <summary>What a text is known by.</summary>
/// <param name="Number">Which text it is, from 0.</param>
/// <param name="Tokens">Which token ids of the store are its, with the prompt of its column.</param>
internal readonly record struct InternedText(int Number, int Tokens);
