using Microsoft.ML.Lacos.Training.Losses;

namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>Makes training pairs of texts under classes.</summary>
/// <remarks>
/// Each text of a class with two texts or more is paired with others of its class, in turn, so that no pair comes again before all have come; and as often with a text of
/// another class, drawn from all of them alike. So half of the pairs match, for every text; a class of a single text stands on the other side only. The idea is that of SetFit
/// (Tunstall et al. 2022, arXiv 2209.11055, with R pairs of each kind a text); the order is this file's own. Only the seed decides.
/// A loss without labels gets the matching pairs and their classes: another pair of the class would be a false negative.
/// </remarks>
internal static class LabelledPairs
{
    // 16 bytes each, and about as much again for the training set made of them.
    private const long MostPairs = 20_000_000;

    /// <summary>Makes the pairs.</summary>
    /// <param name="texts">The texts under their classes.</param>
    /// <param name="pairsPerText">Pairs of each kind for a text.</param>
    /// <param name="kind">What the loss learns from.</param>
    /// <param name="seed">Decides the partners.</param>
    /// <param name="tokens">Token ids of each text.</param>
    public static TrainingSet Make(LabelledTexts texts, int pairsPerText, LossLabel kind, int seed, TokenStore tokens)
    {
        List<LabelledPair> pairs = Make(texts, pairsPerText, seed);
        if (kind == LossLabel.None)
        {
            pairs.RemoveAll(pair => !pair.Match);
        }
        return new TrainingSet(
            [[.. pairs.Select(pair => pair.First)], [.. pairs.Select(pair => pair.Second)]],
            tokens,
            kind == LossLabel.None ? null : [.. pairs.Select(pair => pair.Match ? 1.0 : 0.0)],
            kind == LossLabel.Class ? 2 : 0)
        {
            Classes = kind == LossLabel.None ? [.. pairs.Select(pair => pair.Class)] : null,
        };
    }

    /// <summary>Makes matching pairs and as many others.</summary>
    /// <param name="texts">The texts under their classes.</param>
    /// <param name="pairsPerText">Pairs of each kind for a text.</param>
    /// <param name="seed">Decides the partners.</param>
    /// <exception cref="ArgumentException">They would be too many to hold.</exception>
    public static List<LabelledPair> Make(LabelledTexts texts, int pairsPerText, int seed)
    {
        var random = new SplitMix64((ulong)(uint)seed << 32);
        int[] all = [.. texts.Members.SelectMany(members => members)];
        long count = 2L * pairsPerText * texts.Members.Sum(members => members.Length > 1 ? (long)members.Length : 0);
        if (count > MostPairs)
        {
            throw new ArgumentException($"PairsPerText is {pairsPerText}, which makes {count} pairs of {all.Length} texts; at most {MostPairs} are held. Lower it; beyond the texts of a class the same pairs come again.", nameof(pairsPerText));
        }
        var pairs = new List<LabelledPair>((int)count);
        int start = 0;
        for (int label = 0; label < texts.Members.Length; label++)
        {
            int[] members = [.. texts.Members[label]];
            random.Shuffle(members);
            for (int round = 0; round < pairsPerText && members.Length > 1; round++)
            {
                int distance = 1 + (round % (members.Length - 1));
                for (int i = 0; i < members.Length; i++)
                {
                    pairs.Add(new LabelledPair(members[i], members[(i + distance) % members.Length], label, true));

                    // The class itself is a stretch of all texts, which the draw steps over.
                    int other = random.Below(all.Length - members.Length);
                    pairs.Add(new LabelledPair(members[i], all[other < start ? other : other + members.Length], label, false));
                }
            }
            start += members.Length;
        }
        return pairs;
    }
}

/// <summary>Two texts.</summary>
/// <param name="First">Number of the first.</param>
/// <param name="Second">Number of the second.</param>
/// <param name="Class">Class of the first.</param>
/// <param name="Match">Whether the second is of the same class.</param>
internal readonly record struct LabelledPair(int First, int Second, int Class, bool Match);
