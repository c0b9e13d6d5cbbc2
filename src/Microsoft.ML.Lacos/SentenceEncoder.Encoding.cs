using System.Numerics.Tensors;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos;

public sealed partial class SentenceEncoder
{
    /// <summary>Texts tokenised before any of them is encoded: enough to sort by length, few enough to hold.</summary>
    private const int TextsPerRound = 4096;

    /// <summary>Windows of one text whose vectors are held at a time.</summary>
    private const int WindowsPerRound = 4096;

    /// <summary>Encodes texts.</summary>
    /// <param name="texts">Texts; <see langword="null"/> counts as empty.</param>
    /// <param name="vectors">Output, [texts, <see cref="Dimension"/>] row-major.</param>
    /// <param name="tokenCounts">
    /// Output: tokens of each text before truncation, prompt included. Empty when not wanted: counting all tokens of a very long text costs time that encoding its first ones does not.
    /// </param>
    /// <param name="cancellationToken">Checked between batches.</param>
    /// <returns>How many texts had more tokens than <see cref="MaximumTokenCount"/>.</returns>
    /// <exception cref="ArgumentException">A span has the wrong length, or a text is too long and the options say to throw. Of several such texts the first is named.</exception>
    /// <exception cref="InvalidDataException">A vector holds NaN or infinity, which means that the model's weights are damaged or too large for the arithmetic; the message names the text by its index. The vectors are written all the same.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; the output is then incomplete.</exception>
    /// <exception cref="ObjectDisposedException">The encoder has been disposed.</exception>
    public int Encode(ReadOnlySpan<string?> texts, Span<float> vectors, Span<int> tokenCounts, CancellationToken cancellationToken = default)
    {
        int longTexts = EncodeUnchecked(texts, vectors, tokenCounts, cancellationToken);
        int bad = TensorFloats.IndexOfNonFinite(vectors);
        if (bad >= 0)
        {
            int row = bad / Dimension;
            throw VectorCheck.ErrorOf($"Text {row} (from 0), '{Shorten(texts[row] ?? "")}',", vectors.Slice(row * Dimension, Dimension))!;
        }
        return longTexts;
    }

    // Those who read vectors one by one check them one by one: another text's is no reason to refuse one.
    int ITextEncoder.Encode(ReadOnlySpan<string?> texts, Span<float> vectors, Span<int> tokenCounts, CancellationToken cancellationToken) =>
        EncodeUnchecked(texts, vectors, tokenCounts, cancellationToken);

    int ITextEncoder.CountTokens(string? text)
    {
        BeginUse();
        try
        {
            return CountTokensInUse(text);
        }
        finally
        {
            EndUse();
        }
    }

    /// <summary>Keeps the model open, whoever disposes the encoder, until <see cref="EndUse"/>.</summary>
    /// <exception cref="ObjectDisposedException">The encoder has been disposed.</exception>
    internal void BeginUse() => _uses.Enter(this);

    /// <summary>Ends what <see cref="BeginUse"/> began; the last use releases the model where the encoder has been disposed.</summary>
    internal void EndUse() => _uses.Leave();

    /// <summary>All tokens of a text, prompt included, whatever the limit; between <see cref="BeginUse"/> and <see cref="EndUse"/>.</summary>
    internal int CountTokensInUse(string? text) => _tokenizer.CountTokens(_prompt + text);

    private int EncodeUnchecked(ReadOnlySpan<string?> texts, Span<float> vectors, Span<int> tokenCounts, CancellationToken cancellationToken)
    {
        BeginUse();
        try
        {
            return EncodeInUse(texts, vectors, tokenCounts, cancellationToken);
        }
        finally
        {
            EndUse();
        }
    }

    /// <summary>Encodes without a look at the vectors; between <see cref="BeginUse"/> and <see cref="EndUse"/>.</summary>
    internal int EncodeInUse(ReadOnlySpan<string?> texts, Span<float> vectors, Span<int> tokenCounts, CancellationToken cancellationToken)
    {
        if (vectors.Length != (long)texts.Length * Dimension)
        {
            throw new ArgumentException($"{texts.Length} texts of {Dimension} dimensions need {(long)texts.Length * Dimension} elements, got {vectors.Length}.", nameof(vectors));
        }
        if (!tokenCounts.IsEmpty && tokenCounts.Length != texts.Length)
        {
            throw new ArgumentException($"{texts.Length} texts need as many token counts, got room for {tokenCounts.Length}. Pass an empty span to leave them out.", nameof(tokenCounts));
        }
        int longTexts = 0;
        for (int start = 0; start < texts.Length; start += TextsPerRound)
        {
            int count = Math.Min(TextsPerRound, texts.Length - start);
            longTexts += EncodeRound(texts.Slice(start, count), vectors.Slice(start * Dimension, count * Dimension), tokenCounts.IsEmpty ? [] : tokenCounts.Slice(start, count), cancellationToken);
        }
        return longTexts;
    }

    private int EncodeRound(ReadOnlySpan<string?> texts, Span<float> vectors, Span<int> tokenCounts, CancellationToken cancellationToken)
    {
        TokenizedText[] tokenized = Tokenize(texts, !tokenCounts.IsEmpty, cancellationToken);
        var sequences = new List<TokenSequence>(texts.Length);
        bool[]? windowed = null;
        int longTexts = 0;
        for (int row = 0; row < tokenized.Length; row++)
        {
            TokenizedText text = tokenized[row];
            if (!tokenCounts.IsEmpty)
            {
                tokenCounts[row] = text.FullCount;
            }
            longTexts += text.FullCount > MaximumTokenCount ? 1 : 0;
            if (text.Ids.Length > MaximumTokenCount)
            {
                (windowed ??= new bool[texts.Length])[row] = true;
                AddWindows(text.Ids, row, sequences);
            }
            else
            {
                sequences.Add(new TokenSequence(text.Ids, row, _poolFrom, text.Ids.Length));
            }
        }
        if (windowed is null)
        {
            EncodeSequences(sequences, _pooling, vectors, cancellationToken);
        }
        else
        {
            EncodeWithWindows(sequences, windowed, vectors, cancellationToken);
        }
        return longTexts;
    }

    private TokenizedText[] Tokenize(ReadOnlySpan<string?> texts, bool countAll, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var tokenized = new TokenizedText[texts.Length];
        if (texts.Length < 64)
        {
            for (int row = 0; row < texts.Length; row++)
            {
                tokenized[row] = TokenizeOne(texts[row], countAll);
            }
            return tokenized;
        }
        string?[] copy = texts.ToArray();
        var failure = new EarliestFailure();
        var parallel = new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = EncoderThreads.Resolve(Options.ThreadCount) };
        try
        {
            Parallel.For(0, copy.Length, parallel, row => failure.Watch(row, () => tokenized[row] = TokenizeOne(copy[row], countAll)));
        }
        catch (Exception error) when (error.GetBaseException() is OutOfMemoryException memory && error != memory)
        {
            // No memory for another worker: the loop wraps it once or twice.
            ExceptionDispatchInfo.Throw(memory);
        }
        failure.Throw();
        return tokenized;
    }

    private TokenizedText TokenizeOne(string? text, bool countAll)
    {
        text ??= "";
        if (_prompt.Length > 0)
        {
            text = _prompt + text;
        }
        if (text.Length == 0)
        {
            return new TokenizedText([], 0);
        }
        var ids = new List<int>(Math.Min(text.Length, MaximumTokenCount));
        int limit = Options.LongText == LongText.Window ? int.MaxValue : MaximumTokenCount;
        int fullCount = _tokenizer.Encode(text, limit, ids);
        if (Options.LongText == LongText.Throw && fullCount > MaximumTokenCount)
        {
            throw new ArgumentException(
                $"The text '{Shorten(text)}' has more than {MaximumTokenCount} tokens. Shorten it, raise MaximumTokenCount, or choose LongText.Truncate or LongText.Window.");
        }
        if (countAll && fullCount > ids.Count)
        {
            fullCount = _tokenizer.CountTokens(text);
        }
        return new TokenizedText([.. ids], fullCount);
    }

    /// <summary>Cuts ids into windows of at most the limit; every window after the first starts with the prompt again. Each weighs as many tokens as are pooled in it.</summary>
    private void AddWindows(int[] ids, int row, List<TokenSequence> sequences)
    {
        sequences.Add(new TokenSequence(ids[..MaximumTokenCount], row, _poolFrom, MaximumTokenCount - _poolFrom));
        int step = MaximumTokenCount - _promptIds.Length;
        for (int start = MaximumTokenCount; start < ids.Length; start += step)
        {
            int length = Math.Min(step, ids.Length - start);
            var window = new int[_promptIds.Length + length];
            _promptIds.CopyTo(window, 0);
            Array.Copy(ids, start, window, _promptIds.Length, length);
            sequences.Add(new TokenSequence(window, row, _poolFrom, window.Length - _poolFrom));
        }
    }

    /// <summary>Encodes sequences in batches of similar length; each row appears once.</summary>
    private void EncodeSequences(IReadOnlyCollection<TokenSequence> sequences, PoolingOptions pooling, Span<float> vectors, CancellationToken cancellationToken)
    {
        foreach (TokenBatch batch in TokenBatch.Plan(sequences, _batchTokens))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var output = new float[batch.Sequences.Count * Dimension];
            _prompted.Encode(batch.Ids, batch.Offsets, batch.PoolFrom, pooling, output);
            for (int i = 0; i < batch.Sequences.Count; i++)
            {
                output.AsSpan(i * Dimension, Dimension).CopyTo(vectors.Slice(batch.Sequences[i].Row * Dimension, Dimension));
            }
        }
    }

    private void EncodeWithWindows(List<TokenSequence> sequences, bool[] windowed, Span<float> vectors, CancellationToken cancellationToken)
    {
        EncodeSequences(sequences.FindAll(sequence => !windowed[sequence.Row]), _pooling, vectors, cancellationToken);

        // Windows are summed in double and in text order, so that the result does not depend on how they were batched.
        List<TokenSequence> windows = sequences.FindAll(sequence => windowed[sequence.Row]);
        for (int first = 0; first < windows.Count;)
        {
            int last = first;
            while (last < windows.Count && windows[last].Row == windows[first].Row)
            {
                last++;
            }
            WeightedMean(windows[first..last], vectors.Slice(windows[first].Row * Dimension, Dimension), cancellationToken);
            first = last;
        }
    }

    private void WeightedMean(List<TokenSequence> windows, Span<float> vector, CancellationToken cancellationToken)
    {
        var sum = new double[Dimension];
        double weights = 0;
        foreach (TokenSequence[] some in windows.Chunk(WindowsPerRound))
        {
            var parts = new float[some.Length * Dimension];
            EncodeSequences([.. some.Select((window, index) => window with { Row = index })], _pooling with { Normalize = false }, parts, cancellationToken);
            for (int i = 0; i < some.Length; i++)
            {
                weights += some[i].Weight;
                for (int d = 0; d < Dimension; d++)
                {
                    sum[d] += (double)some[i].Weight * parts[(i * Dimension) + d];
                }
            }
        }
        double scale = weights == 0 ? 0 : 1 / weights;
        if (IsNormalized)
        {
            scale /= Math.Max(Math.Sqrt(TensorPrimitives.SumOfSquares<double>(sum)) * scale, 1e-12);
        }
        for (int d = 0; d < Dimension; d++)
        {
            vector[d] = (float)(sum[d] * scale);
        }
    }

    private static string Shorten(string text) => text.Length <= 40 ? text : text[..40] + "…";

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct TokenizedText(int[] Ids, int FullCount);
}
