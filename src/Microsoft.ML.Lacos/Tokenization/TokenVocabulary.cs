using System.Text;

namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>Ids of a model's tokens by their spelling in the byte-level alphabet, and back.</summary>
internal sealed class TokenVocabulary
{
    private readonly Utf8Table _spellings;
    private int[] _ids;
    private int[] _numbers;

    /// <param name="expectedCount">How many tokens are expected; more are possible.</param>
    public TokenVocabulary(int expectedCount)
    {
        _spellings = new Utf8Table(expectedCount);
        _ids = new int[Math.Max(16, expectedCount)];
        _numbers = new int[_ids.Length];
    }

    /// <summary>Number of tokens.</summary>
    public int Count => _spellings.Count;

    /// <summary>Largest id; -1 without tokens.</summary>
    public int MaximumId { get; private set; } = -1;

    /// <summary>The id of a token, or -1 where there is none.</summary>
    /// <param name="spelling">UTF-8.</param>
    public int Find(ReadOnlySpan<byte> spelling)
    {
        int number = _spellings.Find(spelling);
        return number < 0 ? -1 : _ids[number];
    }

    /// <summary>The id of a token, or -1 where there is none.</summary>
    public int Find(string spelling) => Find(Encoding.UTF8.GetBytes(spelling));

    /// <summary>The id of the symbol of a byte, or -1 where there is none.</summary>
    public int FindByte(byte value) => Find(ByteLevelAlphabet.ToCharacter(value).ToString());

    /// <summary>Whether a token has the id.</summary>
    public bool HasId(int id) => (uint)id < (uint)_numbers.Length && _numbers[id] != 0;

    /// <summary>Spelling of a token in UTF-8; empty where none has the id.</summary>
    public ReadOnlySpan<byte> Spelling(int id) => HasId(id) ? _spellings[_numbers[id] - 1] : default;

    /// <summary>Spelling of a token; empty where none has the id.</summary>
    public string Text(int id) => Encoding.UTF8.GetString(Spelling(id));

    /// <summary>Adds a token.</summary>
    /// <returns>False, and nothing added, where its spelling or its id is taken.</returns>
    public bool TryAdd(ReadOnlySpan<byte> spelling, int id)
    {
        if (HasId(id) || !_spellings.TryAdd(spelling))
        {
            return false;
        }
        if (Count > _ids.Length)
        {
            Array.Resize(ref _ids, 2 * _ids.Length);
        }
        if (id >= _numbers.Length)
        {
            Array.Resize(ref _numbers, Math.Max(id + 1, 2 * _numbers.Length));
        }
        _ids[Count - 1] = id;
        _numbers[id] = Count;
        MaximumId = Math.Max(MaximumId, id);
        return true;
    }
}
