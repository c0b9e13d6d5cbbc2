using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Losses;

/// <summary>A training objective over the vectors of a batch's sentences.</summary>
/// <remarks>
/// A loss gets one tensor of vectors for each column of sentences, all of shape [rows, dimension] and of one floating-point type; row i of every column
/// comes from row i of the data. It returns a scalar, the mean over the batch, that gradients flow back from.
/// </remarks>
public abstract class SentenceLoss : IDisposable
{
    /// <summary>Short name, used in logs and configuration.</summary>
    public abstract string Name { get; }

    /// <summary>The labels it needs.</summary>
    public abstract LossLabel Label { get; }

    /// <summary>Fewest columns of sentences.</summary>
    public virtual int MinimumColumns => 2;

    /// <summary>Most columns of sentences.</summary>
    public virtual int MaximumColumns => 2;

    /// <summary>What the loss itself learns, by name; empty for most losses. Not part of the encoder.</summary>
    public virtual IReadOnlyList<(string Name, torch.Tensor Value)> Parameters => [];

    /// <summary>Computes the loss.</summary>
    /// <param name="embeddings">One tensor [rows, dimension] for each column of sentences.</param>
    /// <param name="labels">As <see cref="Label"/> says; null where it is <see cref="LossLabel.None"/>.</param>
    /// <returns>A scalar.</returns>
    /// <exception cref="ArgumentException">Columns, shapes, types or labels are not what this loss needs.</exception>
    /// <exception cref="ObjectDisposedException">The loss learns something itself and has been disposed.</exception>
    public torch.Tensor Forward(IReadOnlyList<torch.Tensor> embeddings, torch.Tensor? labels = null)
    {
        ArgumentNullException.ThrowIfNull(embeddings);
        CheckColumns(embeddings);
        CheckLabels(embeddings[0], labels);

        // Holds what is computed on the way too: TorchSharp lets a collection free a tensor while torch computes with it, if nothing refers to it any more.
        using DisposeScope scope = torch.NewDisposeScope();
        torch.Tensor? converted = Label is LossLabel.None or LossLabel.Class ? null : labels!.to_type(embeddings[0].dtype, copy: true);
        return Compute(embeddings, converted ?? labels).MoveToOuterDisposeScope();
    }

    /// <summary>Computes the loss of arguments that have been checked.</summary>
    /// <param name="embeddings">One tensor [rows, dimension] for each column of sentences.</param>
    /// <param name="labels">As <see cref="Label"/> says, in the floating-point type of the vectors unless they are classes.</param>
    /// <returns>A scalar; every other tensor made on the way is freed after the call.</returns>
    protected internal abstract torch.Tensor Compute(IReadOnlyList<torch.Tensor> embeddings, torch.Tensor? labels);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the loss has learned.</summary>
    /// <param name="disposing">Whether called from <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
    }

    private void CheckColumns(IReadOnlyList<torch.Tensor> embeddings)
    {
        if (embeddings.Count < MinimumColumns || embeddings.Count > MaximumColumns)
        {
            string expected = MinimumColumns == MaximumColumns ? $"{MinimumColumns}" : MaximumColumns == int.MaxValue ? $"{MinimumColumns} or more" : $"{MinimumColumns} to {MaximumColumns}";
            throw new ArgumentException($"{Name} needs {expected} columns of sentences, got {embeddings.Count}; change the columns or the loss.", nameof(embeddings));
        }
        if (embeddings.Any(column => column is null))
        {
            throw new ArgumentException($"Column {embeddings.TakeWhile(column => column is not null).Count()} (from 0) of the vectors is null; give a tensor for each column of sentences.", nameof(embeddings));
        }
        if (!embeddings[0].is_floating_point())
        {
            throw new ArgumentException($"{Name} needs vectors of a floating-point type, got {embeddings[0].dtype}; convert them.", nameof(embeddings));
        }
        long[] first = embeddings[0].shape;
        if (first.Length != 2 || first[0] == 0 || first[1] == 0)
        {
            throw new ArgumentException($"{Name} needs vectors of shape [rows, dimension], got [{string.Join(", ", first)}].", nameof(embeddings));
        }
        foreach (torch.Tensor column in embeddings)
        {
            if (!column.shape.SequenceEqual(first) || column.dtype != embeddings[0].dtype)
            {
                throw new ArgumentException(
                    $"{Name} needs columns of one shape and type, got [{string.Join(", ", first)}] {embeddings[0].dtype} and [{string.Join(", ", column.shape)}] {column.dtype}.",
                    nameof(embeddings));
            }
        }
    }

    private void CheckLabels(torch.Tensor first, torch.Tensor? labels)
    {
        if (Label == LossLabel.None)
        {
            return;
        }
        if (labels is null)
        {
            throw new ArgumentNullException(nameof(labels), $"{Name} needs labels ({Label}); name the label column or choose a loss without labels.");
        }
        long[] expected = Label == LossLabel.Vector ? first.shape : [first.shape[0]];
        if (!labels.shape.SequenceEqual(expected))
        {
            throw new ArgumentException($"{Name} needs labels of shape [{string.Join(", ", expected)}], got [{string.Join(", ", labels.shape)}].", nameof(labels));
        }
        if (Label == LossLabel.Class && labels.dtype != torch.ScalarType.Int64)
        {
            throw new ArgumentException($"{Name} needs whole numbers (Int64) as labels, got {labels.dtype}.", nameof(labels));
        }
    }
}
