namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>Vectors already computed, by prompt and text, within a budget of bytes. Thread-safe.</summary>
/// <remarks>
/// When full, a random entry makes room. Trainers pass over their data in the same order again and again: with more texts than room,
/// dropping the one used longest ago would drop each just before it is needed, while a random choice keeps a share of hits close to the share that fits.
/// Texts are spread over shards by hash, each with its own lock and its part of the budget.
/// </remarks>
internal sealed class VectorMemory
{
    private const int MostShards = 16;
    private const long SmallestShard = 1 << 18;

    private readonly Shard[] _shards;

    public VectorMemory(long budgetBytes)
    {
        int count = (int)Math.Clamp(budgetBytes / SmallestShard, 1, MostShards);
        _shards = [.. Enumerable.Range(0, count).Select(index => new Shard(budgetBytes / count, (uint)index))];
    }

    /// <summary>Bytes in use: texts, vectors and an estimate of what the tables need for them.</summary>
    public long Bytes => _shards.Sum(shard => shard.Bytes);

    /// <summary>Texts remembered.</summary>
    public int Count => _shards.Sum(shard => shard.Count);

    /// <summary>Looks a text up.</summary>
    /// <param name="prompt">Number of the prompt before it.</param>
    /// <param name="text">The text.</param>
    public EncodedText? Find(int prompt, string text) => ShardOf(text).Find((prompt, text));

    public void Remember(int prompt, string text, EncodedText encoded) => ShardOf(text).Remember((prompt, text), encoded);

    /// <summary>What an entry costs: its two arrays, their headers, the record, and the slots in list and table.</summary>
    public static long CostOf(string text, EncodedText encoded) => (2L * text.Length) + (4L * encoded.Length) + 160;

    private Shard ShardOf(string text) => _shards[(uint)text.GetHashCode(StringComparison.Ordinal) % (uint)_shards.Length];

    private sealed class Shard(long budget, uint seed)
    {
        private readonly Dictionary<(int Prompt, string Text), int> _places = [];
        private readonly List<Entry> _entries = [];
        private uint _random = (seed * 0x9E3779B9u) | 1;
        private long _bytes;

        public long Bytes
        {
            get
            {
                lock (_places)
                {
                    return _bytes;
                }
            }
        }

        public int Count
        {
            get
            {
                lock (_places)
                {
                    return _entries.Count;
                }
            }
        }

        public EncodedText? Find((int Prompt, string Text) key)
        {
            lock (_places)
            {
                return _places.TryGetValue(key, out int place) ? _entries[place].Encoded : null;
            }
        }

        public void Remember((int Prompt, string Text) key, EncodedText encoded)
        {
            long cost = CostOf(key.Text, encoded);

            // One huge text must not push out everything else.
            if (cost > budget / 4)
            {
                return;
            }
            lock (_places)
            {
                if (_places.ContainsKey(key))
                {
                    return;
                }
                while (_bytes + cost > budget)
                {
                    Forget((int)(Next() % (uint)_entries.Count));
                }
                _places.Add(key, _entries.Count);
                _entries.Add(new Entry(key, encoded));
                _bytes += cost;
            }
        }

        private void Forget(int place)
        {
            Entry gone = _entries[place];
            Entry last = _entries[^1];
            _entries[place] = last;
            _places[last.Key] = place;
            _entries.RemoveAt(_entries.Count - 1);
            _places.Remove(gone.Key);
            _bytes -= CostOf(gone.Key.Text, gone.Encoded);
        }

        /// <summary>xorshift32 (Marsaglia 2003).</summary>
        private uint Next()
        {
            _random ^= _random << 13;
            _random ^= _random >> 17;
            _random ^= _random << 5;
            return _random;
        }

        private readonly record struct Entry((int Prompt, string Text) Key, EncodedText Encoded);
    }
}
