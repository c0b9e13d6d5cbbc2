using System.Numerics.Tensors;

namespace Lacos.Cli.Mining;

/// <summary>What was found for one anchor.</summary>
/// <param name="LeastTrue">Cosine of its least similar true text.</param>
/// <param name="Negatives">Its negatives with their cosines, the most similar first; fewer than asked for where there are no more.</param>
internal sealed record MinedAnchor(float LeastTrue, (float Score, int Index)[] Negatives);

/// <summary>Finds hard negatives: the texts most similar to an anchor that are none of its true ones, within bounds. Exact: every anchor is compared with every text.</summary>
/// <remarks>
/// As <c>mine_hard_negatives</c> of sentence-transformers: bounds first, then the first survivors are skipped, then the choice; an anchor with several true texts is bounded
/// by the least similar of them (NV-Retriever, arXiv 2407.15831, calls the relative bound TopK-PercPos). Two things differ: bounds are applied to all texts instead of to a
/// first selection, and a text equal to the anchor is never its negative.
/// </remarks>
/// <param name="corpus">The texts.</param>
/// <param name="settings">What is taken for a negative.</param>
/// <param name="threads">Threads, 1 or more.</param>
internal sealed class HardNegatives(VectorTable corpus, MiningSettings settings, int threads)
{
    // Anchors that share a pass over the texts: few enough for their heaps and vectors to stay in the cache beside a stretch of texts.
    private const int Group = 16;
    private const int Stretch = 256;

    /// <summary>Finds the negatives of some anchors.</summary>
    /// <param name="anchors">Their vectors.</param>
    /// <param name="trueTexts">Of each anchor, its true texts' places in the corpus: at least one.</param>
    /// <param name="excluded">Of each anchor, all places that are not negatives.</param>
    /// <param name="firstNumber">Number of the first anchor, which with the seed decides its choice.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    public MinedAnchor[] Find(VectorTable anchors, IReadOnlyList<int[]> trueTexts, IReadOnlyList<HashSet<int>> excluded, int firstNumber, CancellationToken cancellationToken)
    {
        var found = new MinedAnchor[anchors.Count];
        int groups = (anchors.Count + Group - 1) / Group;
        Parallel.For(0, groups, new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = threads }, group =>
        {
            int start = group * Group;
            int count = Math.Min(Group, anchors.Count - start);
            var ceilings = new float[count];
            var leastTrue = new float[count];
            var nearest = new NearestTexts[count];
            for (int i = 0; i < count; i++)
            {
                leastTrue[i] = LeastTrue(anchors[start + i], trueTexts[start + i]);
                ceilings[i] = settings.Ceiling(leastTrue[i]);
                nearest[i] = new NearestTexts((int)Math.Min(settings.Depth, corpus.Count));
            }
            for (int first = 0; first < corpus.Count; first += Stretch)
            {
                cancellationToken.ThrowIfCancellationRequested();
                ReadOnlySpan<float> texts = corpus.From(first);
                int rows = Math.Min(Stretch, texts.Length / corpus.Dimension);
                for (int i = 0; i < count; i++)
                {
                    Compare(anchors[start + i], texts, first, rows, ceilings[i], excluded[start + i], nearest[i]);
                }
            }
            for (int i = 0; i < count; i++)
            {
                found[start + i] = new MinedAnchor(leastTrue[i], Choose(nearest[i].Ranked(), firstNumber + start + i));
            }
        });
        return found;
    }

    private void Compare(ReadOnlySpan<float> anchor, ReadOnlySpan<float> texts, int first, int rows, float ceiling, HashSet<int> excluded, NearestTexts nearest)
    {
        float floor = (float)(settings.MinimumScore ?? double.NegativeInfinity);
        float threshold = nearest.Threshold;
        for (int row = 0; row < rows; row++)
        {
            float score = TensorPrimitives.Dot(anchor, texts.Slice(row * corpus.Dimension, corpus.Dimension));
            if (score > threshold && score <= ceiling && score >= floor && !excluded.Contains(first + row))
            {
                nearest.Offer(score, first + row);
                threshold = nearest.Threshold;
            }
        }
    }

    private float LeastTrue(ReadOnlySpan<float> anchor, int[] trueTexts)
    {
        float least = float.PositiveInfinity;
        foreach (int text in trueTexts)
        {
            least = Math.Min(least, TensorPrimitives.Dot(anchor, corpus[text]));
        }
        return least;
    }

    private (float Score, int Index)[] Choose((float Score, int Index)[] ranked, int number)
    {
        (float Score, int Index)[] candidates = ranked[Math.Min(settings.Skip, ranked.Length)..];
        if (candidates.Length <= settings.Negatives)
        {
            return candidates;
        }
        if (settings.Range == settings.Negatives)
        {
            return candidates[..settings.Negatives];
        }

        // A generator of its own for each anchor: the choice does not depend on what other threads do.
        var random = new Random(unchecked((settings.Seed * 1_000_003) ^ number));
        int[] order = [.. Enumerable.Range(0, candidates.Length)];
        random.Shuffle(order);
        return [.. order.Take(settings.Negatives).Order().Select(place => candidates[place])];
    }
}
