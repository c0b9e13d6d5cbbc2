using System.Runtime.InteropServices;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>The texts of a window of rows, one list for each text column in use, and their vectors once asked for.</summary>
internal sealed class TextWindow
{
    private readonly EmbeddingContext _context;
    private readonly int[] _slots;
    private readonly ValueGetter<ReadOnlyMemory<char>>[] _getters;
    private readonly TextVectors[] _vectors;
    private readonly List<string> _texts = [];
    private EncodedText?[] _encoded = [];
    private bool _isEncoded;

    public TextWindow(EmbeddingContext context, ColumnBindings bindings, DataViewRow input, bool[] sources)
    {
        _context = context;
        _slots = new int[sources.Length];
        var getters = new List<ValueGetter<ReadOnlyMemory<char>>>();
        var vectors = new List<TextVectors>();
        for (int source = 0; source < sources.Length; source++)
        {
            if (sources[source])
            {
                _slots[source] = getters.Count;
                vectors.Add(context.VectorsOf(source));
                getters.Add(input.GetGetter<ReadOnlyMemory<char>>(bindings.Source(source)));
            }
        }
        _getters = [.. getters];
        _vectors = [.. vectors];
    }

    /// <summary>Characters held.</summary>
    public long Characters { get; private set; }

    /// <summary>Texts encoded so far, over all windows, that were longer than the token limit.</summary>
    public int LongTexts { get; private set; }

    public void Clear()
    {
        _texts.Clear();
        _isEncoded = false;
        Characters = 0;
    }

    /// <summary>Takes the texts of the input's current row, or none of them when one cannot be read.</summary>
    public void Capture()
    {
        int before = _texts.Count;
        try
        {
            foreach (ValueGetter<ReadOnlyMemory<char>> getter in _getters)
            {
                ReadOnlyMemory<char> text = default;
                getter(ref text);
                _texts.Add(text.ToString());
                Characters += text.Length;
            }
        }
        catch
        {
            _texts.RemoveRange(before, _texts.Count - before);
            throw;
        }
    }

    /// <summary>The text of a row and source; encodes the window the first time.</summary>
    public EncodedText Get(int row, int source)
    {
        if (!_isEncoded)
        {
            if (_encoded.Length < _texts.Count)
            {
                _encoded = new EncodedText?[_texts.Count];
            }
            try
            {
                EncodeAll();
            }
            catch (ArgumentException) when (_context.Options.LongText == LongText.Throw)
            {
                EncodeOneByOne();
            }
            _isEncoded = true;
        }
        return _encoded[(row * _getters.Length) + _slots[source]]!;
    }

    // Texts behind one prompt are encoded together, from whichever columns they are.
    private void EncodeAll()
    {
        if (Array.TrueForAll(_vectors, vectors => vectors == _vectors[0]))
        {
            LongTexts += _vectors[0].Encode(CollectionsMarshal.AsSpan(_texts), _encoded.AsSpan(0, _texts.Count), _context.Options.CancellationToken);
            return;
        }
        foreach (TextVectors vectors in _vectors.Distinct())
        {
            int[] places = [.. Enumerable.Range(0, _texts.Count).Where(place => VectorsAt(place) == vectors)];
            string[] texts = [.. places.Select(place => _texts[place])];
            var encoded = new EncodedText?[texts.Length];
            LongTexts += vectors.Encode(texts, encoded, _context.Options.CancellationToken);
            for (int i = 0; i < places.Length; i++)
            {
                _encoded[places[i]] = encoded[i];
            }
        }
    }

    private TextVectors VectorsAt(int place) => _vectors[place % _vectors.Length];

    // So that a text too long is an error of its own row alone.
    private void EncodeOneByOne()
    {
        for (int place = 0; place < _texts.Count; place++)
        {
            try
            {
                LongTexts += VectorsAt(place).Encode([_texts[place]], _encoded.AsSpan(place, 1), _context.Options.CancellationToken);
            }
            catch (ArgumentException error)
            {
                _encoded[place] = new EncodedText(error, VectorsAt(place).CountTokens(_texts[place]));
            }
        }
    }
}
