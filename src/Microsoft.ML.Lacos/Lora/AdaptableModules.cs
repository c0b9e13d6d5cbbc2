using Microsoft.ML.Lacos.Bloom;

namespace Microsoft.ML.Lacos.Lora;

/// <summary>The linear layers of a BLOOM by name: what LoRA can adapt.</summary>
internal static class AdaptableModules
{
    // The largest BLOOM has 70.
    private const int MostBlocks = 128;

    /// <summary>Whether a name is that of a linear layer in some block.</summary>
    public static bool IsModule(string name)
    {
        int block = ModuleNames.Block(name);
        return block >= 0 && NamesOf(block).Contains(name);
    }

    /// <summary>Whether a configuration adapts any linear layer of a BLOOM; one for another kind of model mostly does not.</summary>
    /// <exception cref="InvalidDataException">A pattern of the configuration is no regular expression.</exception>
    public static bool AreTargeted(LoraConfig config) => (config.Blocks ?? Enumerable.Range(0, MostBlocks)).SelectMany(NamesOf).Any(config.Targets);

    /// <summary>Names of a block's linear layers, in the order of the forward pass.</summary>
    public static string[] NamesOf(int block) =>
        [BloomTensorNames.QueryKeyValue(block), BloomTensorNames.Dense(block), BloomTensorNames.DenseHTo4H(block), BloomTensorNames.Dense4HToH(block)];

    /// <summary>The same block with each linear layer replaced.</summary>
    /// <param name="weights">The block.</param>
    /// <param name="block">Its index.</param>
    /// <param name="replace">Gives the layer to put in the place of the one with this name.</param>
    public static BloomBlockWeights Replace(BloomBlockWeights weights, int block, Func<string, LinearWeights, LinearWeights> replace) => weights with
    {
        QueryKeyValue = replace(BloomTensorNames.QueryKeyValue(block), weights.QueryKeyValue),
        Dense = replace(BloomTensorNames.Dense(block), weights.Dense),
        DenseHTo4H = replace(BloomTensorNames.DenseHTo4H(block), weights.DenseHTo4H),
        Dense4HToH = replace(BloomTensorNames.Dense4HToH(block), weights.Dense4HToH),
    };
}
