using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Lacos.Training.Bloom;
using Microsoft.ML.Lacos.Training.Data;

namespace Microsoft.ML.Lacos.Training.Loop;

/// <summary>Estimates the memory of a run: weights in all the forms in which it holds them, and the activations of a step.</summary>
/// <param name="graph">The model that is trained.</param>
/// <param name="weights">Its base.</param>
/// <param name="options">The run's.</param>
internal sealed class StepMemory(LoraBloom graph, BloomWeights weights, LacosBloomTrainer.Options options)
{
    // fp32 vectors of the hidden size that torch's graph keeps for one token and block: two norms' inputs and outputs, query, key, value and context, the residuals,
    // and twice the feed-forward width before and after its activation.
    private const int VectorsInGraph = 20;

    // Bytes a token and hidden element that the native blocks keep of a block beside its input: queries, keys, values and the input of GELU in bfloat16, and the state after attention.
    private const int KeptBytes = 18;
    private const int ContextBytes = 2;

    // Bytes a token and hidden element while a block runs there: 11 vectors of floats, what an adapter saw (4), rows in 8 bits with their sums on both ways, and torch's copies of output and gradient.
    private const int WorkspaceBytes = 100;

    /// <summary>Bytes of the weights: the table, of a file at most the rows that are looked up; the layers where they were loaded, unless those are pages of a file that is given back; and as the graph holds them.</summary>
    /// <param name="tokenCount">Tokens of all texts.</param>
    public long Weights(long tokenCount) => Table(weights.WordEmbeddings, tokenCount) + weights.Blocks.SelectMany(block => block.Linears).Sum(linear => Loaded(linear.Weight) + linear.Weight.ByteSize);

    /// <summary>Bytes of a second model, as an evaluation makes it of the base and the adapters: its layers packed, and its table, or of a file the layers that an adapter changes.</summary>
    public long OfEvaluation()
    {
        WeightMatrix[] layers = [.. weights.Blocks.SelectMany(block => block.Linears).Select(linear => linear.Weight)];
        long packed = layers.Sum(layer => layer.ByteSize);
        if (!IsFile(weights.WordEmbeddings))
        {
            return packed + weights.WordEmbeddings.ByteSize;
        }
        return packed + graph.Adapted.Sum(linear => linear.A!.shape[1] * linear.B!.shape[0]);
    }

    /// <summary>Bytes of the activations of a data set's steps.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="mean">Tokens of a text in the mean.</param>
    /// <param name="longest">Tokens of the longest text.</param>
    public long Activations(LoadedDataset dataset, double mean, long longest)
    {
        // Without the cache all columns of a batch are in one graph.
        long batch = Math.Min(dataset.Settings.BatchSize, dataset.Rows.Count);
        bool isCached = batch > options.MiniBatchSize;
        int columns = dataset.Rows.Columns.Length;
        long rows = isCached ? options.MiniBatchSize : batch * columns;
        double tokens = Math.Min(rows * longest, (rows * mean) + (2 * longest));
        return (long)(graph.IsNative ? InNativeBlocks(tokens, isCached ? tokens : tokens / columns) : InTorch(tokens, rows, longest));
    }

    // As the library decides: blocks are kept in order while the budget lasts, the input of each always.
    private double InNativeBlocks(double tokens, double tokensAtOnce)
    {
        BloomConfig config = graph.Config;
        LoraLinear[] adapted = [.. graph.Adapted];
        bool keepsContext = adapted.Any(linear => linear.Name.EndsWith(".self_attention.dense", StringComparison.Ordinal));
        double ranks = sizeof(float) * adapted.Sum(linear => (double)linear.A!.shape[0]) / config.LayerCount;
        double block = tokens * ((config.HiddenSize * (KeptBytes + (keepsContext ? ContextBytes : 0))) + ranks);
        double kept = Math.Clamp(Math.Floor(graph.ActivationMemory / Math.Max(block, 1)), 0, config.LayerCount);
        double spare = kept < config.LayerCount ? block * tokensAtOnce / Math.Max(tokens, 1) : 0;
        return (kept * block) + spare + (tokens * config.HiddenSize * sizeof(float) * (config.LayerCount + 1)) + (tokensAtOnce * config.HiddenSize * WorkspaceBytes);
    }

    private double InTorch(double tokens, long rows, long longest) =>
        sizeof(float) * graph.Config.LayerCount * ((tokens * graph.Config.HiddenSize * VectorsInGraph) + (2.0 * rows * graph.Config.HeadCount * longest * longest));

    private static long Table(WeightMatrix table, long tokenCount) => IsFile(table) ? Math.Min(table.ByteSize, tokenCount * (table.ByteSize / table.Rows)) : table.ByteSize;

    private long Loaded(WeightMatrix matrix) => graph.IsNative && IsFile(matrix) ? 0 : matrix.ByteSize;

    private static bool IsFile(WeightMatrix matrix) => matrix.Owner is SafetensorsFile;
}
