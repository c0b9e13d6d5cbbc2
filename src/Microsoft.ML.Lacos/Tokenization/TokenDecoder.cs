using System.Runtime.InteropServices;
using System.Text;

namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>Turns ids back into text: the bytes of all tokens one after the other, read as UTF-8.</summary>
internal sealed class TokenDecoder
{
    private readonly byte[] _bytes;
    private readonly int[] _starts;
    private readonly bool[] _known;
    private readonly HashSet<int> _special;

    /// <param name="definition">The tokens.</param>
    /// <param name="maximumId">The largest id among them.</param>
    /// <param name="special">Ids of tokens declared special.</param>
    public TokenDecoder(TokenizerDefinition definition, int maximumId, HashSet<int> special)
    {
        MaximumId = maximumId;
        _special = special;
        _starts = new int[MaximumId + 2];
        _known = new bool[MaximumId + 1];
        var added = new string?[MaximumId + 1];
        foreach (AddedToken token in definition.AddedTokens)
        {
            added[token.Id] = token.Content;
        }
        var bytes = new List<byte>();
        for (int id = 0; id <= MaximumId; id++)
        {
            _starts[id] = bytes.Count;
            _known[id] = added[id] is not null || definition.Vocabulary.HasId(id);
            if (_known[id])
            {
                bytes.AddRange(BytesOf(added[id] ?? definition.Vocabulary.Text(id)));
                LongestToken = Math.Max(LongestToken, bytes.Count - _starts[id]);
            }
        }
        _starts[^1] = bytes.Count;
        _bytes = [.. bytes];
    }

    public int MaximumId { get; }

    /// <summary>Bytes of the longest token.</summary>
    public int LongestToken { get; }

    /// <summary>The bytes of a token.</summary>
    public ReadOnlySpan<byte> this[int id] => id >= 0 && id <= MaximumId && _known[id]
        ? _bytes.AsSpan(_starts[id].._starts[id + 1])
        : throw new ArgumentOutOfRangeException("ids", id, $"No token has this id; ids go up to {MaximumId}. Decode only ids of the same tokenizer.");

    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens)
    {
        var bytes = new List<byte>();
        foreach (int id in ids)
        {
            ReadOnlySpan<byte> token = this[id];
            if (!skipSpecialTokens || !_special.Contains(id))
            {
                bytes.AddRange(token);
            }
        }
        return Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(bytes));
    }

    // A token with a character outside the byte alphabet, such as an added token with a space, stands for its own UTF-8.
    private static byte[] BytesOf(string content)
    {
        var bytes = new byte[content.Length];
        for (int at = 0; at < content.Length; at++)
        {
            int value = ByteLevelAlphabet.ToByte(content[at]);
            if (value < 0)
            {
                return Encoding.UTF8.GetBytes(content);
            }
            bytes[at] = (byte)value;
        }
        return bytes;
    }
}
