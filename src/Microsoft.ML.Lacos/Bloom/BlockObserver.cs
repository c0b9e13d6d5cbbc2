namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Sees the residual stream of one sentence on its way through the blocks.</summary>
/// <param name="row">Row of the batch.</param>
/// <param name="block">Index of the block about to run; the block count for the last block's output, before the final layer norm.</param>
/// <param name="states">[tokens, hidden], valid during the call.</param>
internal delegate void BlockObserver(int row, int block, ReadOnlySpan<float> states);
