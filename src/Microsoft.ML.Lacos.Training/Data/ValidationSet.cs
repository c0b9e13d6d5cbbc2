using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.ML.Lacos.Evaluation;

namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>Scored pairs on which an adapter is judged, as it will be used: merged into the model and run by the model's own encoder.</summary>
internal sealed class ValidationSet
{
    // Each text once, however many pairs it stands in: pairs made of classes have each text in dozens.
    private readonly string[] _texts;
    private readonly int[] _places;
    private readonly double[] _labels;
    private readonly int[] _groups;
    private readonly int _groupCount;
    private readonly Lazy<string> _fingerprint;

    /// <param name="texts">First and second text of each pair in turn.</param>
    /// <param name="labels">The score of each pair.</param>
    public ValidationSet(IEnumerable<string?> texts, double[] labels)
        : this(texts, labels, new int[labels.Length], 1)
    {
    }

    private ValidationSet(IEnumerable<string?> texts, double[] labels, int[] groups, int groupCount)
    {
        (_labels, _groups, _groupCount) = (labels, groups, groupCount);
        var distinct = new List<string>();
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        _places = [.. texts.Select(text => NumberOf(text ?? ""))];
        _texts = [.. distinct];
        _fingerprint = new Lazy<string>(Hash);

        int NumberOf(string text)
        {
            if (numbers.TryAdd(text, distinct.Count))
            {
                distinct.Add(text);
            }
            return numbers[text];
        }
    }

    /// <summary>The pairs.</summary>
    public IEnumerable<(string First, string Second)> Pairs => Enumerable.Range(0, _labels.Length).Select(i => (_texts[_places[2 * i]], _texts[_places[(2 * i) + 1]]));

    /// <summary>sha256 of the texts, scores and sets in their order: what a score of it can be compared with.</summary>
    public string Fingerprint => _fingerprint.Value;

    /// <summary>Reads the pairs.</summary>
    /// <param name="data">The data.</param>
    /// <param name="first">Column of first sentences.</param>
    /// <param name="second">Column of second sentences.</param>
    /// <param name="label">Column of scores.</param>
    /// <param name="group">Text column that tells the sets apart whose correlations are averaged; null where all is one set.</param>
    /// <exception cref="InvalidDataException">Fewer than two pairs of a set have a score, or all its scores are equal.</exception>
    public static ValidationSet Read(IDataView data, string first, string second, string label, string? group)
    {
        DataViewSchema.Column[] columns = [.. new[] { first, second, label, group }.OfType<string>().Select(name => data.Schema[name])];
        using DataViewRowCursor cursor = data.GetRowCursor(columns);
        ValueGetter<ReadOnlyMemory<char>> left = cursor.GetGetter<ReadOnlyMemory<char>>(columns[0]);
        ValueGetter<ReadOnlyMemory<char>> right = cursor.GetGetter<ReadOnlyMemory<char>>(columns[1]);
        Func<double> readLabel = LabelColumn.Reader(cursor, columns[2]);
        ValueGetter<ReadOnlyMemory<char>>? readGroup = group is null ? null : cursor.GetGetter<ReadOnlyMemory<char>>(columns[3]);
        var names = new Dictionary<string, int>(StringComparer.Ordinal);
        var texts = new List<string?>();
        var labels = new List<double>();
        var groups = new List<int>();
        ReadOnlyMemory<char> text = default;
        while (cursor.MoveNext())
        {
            double score = readLabel();
            if (double.IsNaN(score))
            {
                continue;
            }
            left(ref text);
            texts.Add(text.ToString());
            right(ref text);
            texts.Add(text.ToString());
            labels.Add(score);
            text = default;
            readGroup?.Invoke(ref text);
            string name = text.ToString();
            names.TryAdd(name, names.Count);
            groups.Add(names[name]);
        }
        ILookup<int, double> scoresOf = Enumerable.Range(0, labels.Count).ToLookup(i => groups[i], i => labels[i]);
        if (names.Count == 0)
        {
            // One set, of no pairs.
            names.Add("", 0);
        }
        foreach ((string name, int number) in names)
        {
            int different = scoresOf[number].Distinct().Count();
            if (different < 2)
            {
                string where = names.Count > 1 ? $" of '{name}'" : "";
                throw new InvalidDataException($"The validation data has {scoresOf[number].Count()} scored pair(s){where} with {different} different score(s) in column '{label}'; at least two different ones are needed for a correlation.");
            }
        }
        return new ValidationSet(texts, [.. labels], [.. groups], names.Count);
    }

    private string Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string text in _places.Select(place => _texts[place]))
        {
            hash.AppendData(BitConverter.GetBytes(text.Length));
            hash.AppendData(MemoryMarshal.AsBytes<char>(text));
        }
        hash.AppendData(MemoryMarshal.AsBytes<double>(_labels));
        hash.AppendData(MemoryMarshal.AsBytes<int>(_groups));
        return Convert.ToHexString(hash.GetHashAndReset()).ToLowerInvariant();
    }

    /// <summary>Cosine Spearman of a model, the mean over the sets.</summary>
    /// <param name="first">Encodes the first texts.</param>
    /// <param name="second">Encodes the second texts, over the same weights: the same encoder, or one with another prompt.</param>
    /// <param name="cancellationToken">Ends the encoding.</param>
    public double Spearman(SentenceEncoder first, SentenceEncoder second, CancellationToken cancellationToken)
    {
        int width = first.Dimension;
        float[] left, right;
        if (first.Prompt == second.Prompt)
        {
            left = right = Encode(first, _texts, cancellationToken);
        }
        else
        {
            left = EncodeSide(first, 0, cancellationToken);
            right = EncodeSide(second, 1, cancellationToken);
        }
        SimilarityScores[] scores = [.. Enumerable.Range(0, _groupCount).Select(_ => new SimilarityScores())];
        for (int i = 0; i < _labels.Length; i++)
        {
            scores[_groups[i]].Add<float>(_labels[i], left.AsSpan(_places[2 * i] * width, width), right.AsSpan(_places[(2 * i) + 1] * width, width));
        }
        return scores.Average(set => set.ToMetrics().CosineSpearman);
    }

    // Vectors stand at the places of their texts; those that stand on the other side only stay empty.
    private float[] EncodeSide(SentenceEncoder encoder, int side, CancellationToken cancellationToken)
    {
        int width = encoder.Dimension;
        int[] places = [.. _places.Where((_, i) => i % 2 == side).Distinct()];
        float[] vectors = Encode(encoder, [.. places.Select(place => _texts[place])], cancellationToken);
        var all = new float[checked(_texts.Length * width)];
        for (int i = 0; i < places.Length; i++)
        {
            vectors.AsSpan(i * width, width).CopyTo(all.AsSpan(places[i] * width));
        }
        return all;
    }

    // Vectors of a training that has gone astray may be NaN: a score that is NaN then, not an error of the model's file.
    private static float[] Encode(SentenceEncoder encoder, string[] texts, CancellationToken cancellationToken)
    {
        var vectors = new float[checked(texts.Length * encoder.Dimension)];
        ((ITextEncoder)encoder).Encode(texts, vectors, [], cancellationToken);
        return vectors;
    }
}
