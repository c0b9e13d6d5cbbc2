using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Hub;

/// <content>Saving as a folder that other tools open.</content>
public sealed partial class LacosModel
{
    /// <summary>Writes the model as a Hugging Face BLOOM folder that is also a sentence-transformers folder: weights, tokenizer, pooling, prompts, token limit.</summary>
    /// <param name="path">The folder. It appears only when it is complete, in place of an empty folder or of one that this method wrote; its parent must exist.</param>
    /// <param name="precision">Element type of the weights.</param>
    /// <param name="cancellationToken">Ends the writing; nothing is left behind.</param>
    /// <remarks>
    /// Quantised weights are written with the values they are computed with. A checkpoint folder loaded with <see cref="Quantization.QuantizationScheme.None"/> keeps its
    /// values to the bit, and an adapter merged into it is not rounded to 8 bits. The layout is that of sentence-transformers before version 6, which every version reads.
    /// The tokenizer is set to pad on the right, so that poolings that go by position give the same vectors in any batch.
    /// </remarks>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="precision"/> is none that exists.</exception>
    /// <exception cref="DirectoryNotFoundException">The folder to write into does not exist.</exception>
    /// <exception cref="IOException">There is a file, or a folder with something else in it, at <paramref name="path"/>; or the disk is full.</exception>
    /// <exception cref="InvalidDataException">A weight does not fit into the precision, or the tokenizer is damaged.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    /// <exception cref="OperationCanceledException">The writing was cancelled.</exception>
    public void SaveFolder(string path, CheckpointPrecision precision = CheckpointPrecision.Float32, CancellationToken cancellationToken = default) =>
        WriteFolder(path, precision, new WeightProgress(null, cancellationToken));

    /// <inheritdoc cref="SaveFolder(string, CheckpointPrecision, CancellationToken)"/>
    internal void WriteFolder(string path, CheckpointPrecision precision, WeightProgress progress)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!Enum.IsDefined(precision))
        {
            throw new ArgumentOutOfRangeException(nameof(precision), precision, $"The precision is {(int)precision}; it must be {nameof(CheckpointPrecision.Float32)} or {nameof(CheckpointPrecision.Float16)}.");
        }
        using IDisposable lease = Lease();
        var writer = new SentenceTransformersWriter(new ExportedModel(TokenizerJson, Settings, Provenance), new LoadedRows(_weights), precision);
        ExportedFolder.Replace(path, folder => writer.Write(folder, progress));
    }
}
