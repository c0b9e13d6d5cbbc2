using System.Buffers;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Lora;

/// <summary>A BLOOM's weights with an adapter merged into them. Owns the merged matrices and shares all others with the base model.</summary>
public sealed class MergedBloomWeights : IDisposable
{
    private readonly List<NativeBuffer> _memory = [];

    private MergedBloomWeights(BloomWeights weights) => Weights = weights;

    /// <summary>The weights; readable until this object, or for the shared ones the base model, and every encoder over them has been disposed.</summary>
    public BloomWeights Weights { get; private set; }

    /// <inheritdoc/>
    public void Dispose() => _memory.ForEach(buffer => buffer.Dispose());

    /// <summary>Merges an adapter; see <see cref="PeftAdapter.Merge"/>.</summary>
    internal static MergedBloomWeights Merge(BloomWeights weights, PeftAdapter adapter)
    {
        BloomShapes.Check(weights);
        CheckModules(weights, adapter);
        var merged = new MergedBloomWeights(weights);
        try
        {
            BloomBlockWeights[] blocks = [.. weights.Blocks.Select((block, index) => AdaptableModules.Replace(block, index, (name, linear) =>
                adapter.Modules.TryGetValue(name, out LoraMatrices? matrices) ? merged.Add(linear, name, matrices, adapter.Config.ScalingOf(name)) : linear))];
            merged.Weights = weights with { Blocks = blocks };
            return merged;
        }
        catch
        {
            merged.Dispose();
            throw;
        }
    }

    /// <summary>The update of a matrix as weights are read, or <see langword="null"/> where the adapter has none.</summary>
    /// <exception cref="InvalidDataException">The adapter was made for another shape.</exception>
    internal static WeightUpdate? UpdateOf(PeftAdapter adapter, string module, int rows, int columns)
    {
        if (!adapter.Modules.TryGetValue(module, out LoraMatrices? matrices))
        {
            return null;
        }
        CheckShape(adapter, module, matrices, rows, columns);
        float scaling = adapter.Config.ScalingOf(module);
        return (start, values) => matrices.AddTo(start, values, scaling);
    }

    /// <summary>Refuses an adapter that asks for layers the model lacks, or lacks ones that it targets.</summary>
    /// <exception cref="InvalidDataException">They do not belong together.</exception>
    internal static void CheckModules(BloomConfig config, PeftAdapter adapter)
    {
        foreach (string module in adapter.Modules.Keys)
        {
            if (ModuleNames.Block(module) >= config.LayerCount)
            {
                throw new InvalidDataException($"The adapter adapts '{module}' and the model has {config.LayerCount} blocks. Use the base model the adapter was trained on{Origin(adapter)}.");
            }
        }
        for (int block = 0; block < config.LayerCount; block++)
        {
            foreach (string module in AdaptableModules.NamesOf(block))
            {
                if (adapter.Config.Targets(module) && !adapter.Modules.ContainsKey(module))
                {
                    throw new InvalidDataException($"The adapter's configuration targets '{module}' and its weights lack it. Use the base model the adapter was trained on{Origin(adapter)}, or fetch the adapter again.");
                }
            }
        }
    }

    /// <summary>As <see cref="CheckModules(BloomConfig, PeftAdapter)"/>, and refuses one of another shape than a layer.</summary>
    /// <exception cref="InvalidDataException">They do not belong together.</exception>
    internal static void CheckModules(BloomWeights weights, PeftAdapter adapter)
    {
        CheckModules(weights.Config, adapter);
        for (int block = 0; block < weights.Config.LayerCount; block++)
        {
            AdaptableModules.Replace(weights.Blocks[block], block, (name, linear) =>
            {
                if (adapter.Modules.TryGetValue(name, out LoraMatrices? matrices))
                {
                    CheckShape(adapter, name, matrices, linear.Weight.Rows, linear.Weight.Columns);
                }
                return linear;
            });
        }
    }

    private static void CheckShape(PeftAdapter adapter, string module, LoraMatrices matrices, int rows, int columns)
    {
        if (matrices.OutFeatures != rows || matrices.InFeatures != columns)
        {
            throw new InvalidDataException($"The adapter's update of '{module}' is {matrices.OutFeatures} x {matrices.InFeatures} and the model's layer is {rows} x {columns}. Use the base model the adapter was trained on{Origin(adapter)}.");
        }
    }

    private static string Origin(PeftAdapter adapter) => adapter.Config.BaseModel is { Length: > 0 } origin ? $" ('{TextInMessage.Of(origin)}')" : "";

    /// <summary>A layer with its update added.</summary>
    private unsafe LinearWeights Add(LinearWeights linear, string name, LoraMatrices matrices, float scaling)
    {
        WeightMatrix old = linear.Weight;
        using MemoryHandle held = old.Pin();
        int columns = old.Columns;
        var sum = new NativeBuffer((long)old.Rows * columns * sizeof(float));
        _memory.Add(sum);
        float* data = (float*)sum.Pointer;
        EncoderThreads.Run(old.Rows, EncoderThreads.Resolve(0), row =>
        {
            var target = new Span<float>(data + ((long)row * columns), columns);
            old.DequantizeHeldRow(row, target);
            matrices.AddTo((long)row * columns, target, scaling);
        });
        WeightMatrix weight = WeightMatrixBuilder.Build(new TensorFloats(sum.Pointer, SafetensorsDType.F32, (long)old.Rows * columns), old.Rows, columns, QuantizerOf(old), name + " with the adapter", out NativeBuffer memory);
        _memory.Add(memory);
        _memory.Remove(sum);
        sum.Dispose();
        return linear with { Weight = weight };
    }

    private static IWeightQuantizer? QuantizerOf(WeightMatrix matrix) =>
        matrix.CodeBook.Length == 0 ? WeightMatrixBuilder.QuantizerOf(matrix.Scheme, matrix.BlockSize) : new BlockwiseQuantizer(matrix.Scheme, matrix.BlockSize, matrix.CodeBook);
}
