using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Training.Loading;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Bloom;

/// <summary>All frozen blocks with their adapters in the native library, as one custom function of torch's graph.</summary>
/// <remarks>
/// Its inputs are the adapters, its output the tokens after the final layer norm. Rows are never padded; frozen layers run in int8 forward and backward from one packed copy of
/// their weights, and the large activations are kept in bfloat16, or not at all beyond a budget: a block is then computed again, with the same bits.
/// </remarks>
internal sealed unsafe class NativeLoraBlocks : IDisposable
{
    private const int LinearsInBlock = 4;
    private const int MaximumThreads = 256;

    private readonly NativeLoraHandle _handle;
    private readonly BloomWeights _weights;
    private readonly BackwardFailure _failure;

    /// <param name="weights">Row-wise int8. The embedding table is read at every forward pass; a block only here, one after the other.</param>
    /// <param name="failure">Where exceptions of the backward pass go.</param>
    public NativeLoraBlocks(BloomWeights weights, BackwardFailure failure)
    {
        (_weights, _failure) = (weights, failure);
        TorchThreads.Share();
        using (var arrays = new PinnedArrays())
        {
            NativeModelConfig config = NativeWeights.Config(weights.Config, BloomCompute.Int8);
            config.ThreadCount = Math.Clamp(torch.get_num_threads(), 1, MaximumThreads);
            NativeMatrix embeddings = NativeWeights.Matrix(weights.WordEmbeddings, arrays);
            NativeLayerNorm embeddingsNorm = NativeWeights.Norm(weights.WordEmbeddingsLayerNorm, weights.Config.HiddenSize, arrays);
            NativeLayerNorm finalNorm = NativeWeights.Norm(weights.FinalLayerNorm, weights.Config.HiddenSize, arrays);
            NativeMethods.Check(NativeTrainingMethods.lacos_lora_create(&config, &embeddings, &embeddingsNorm, &finalNorm, out _handle));
        }
        foreach (BloomBlockWeights block in weights.Blocks)
        {
            using var arrays = new PinnedArrays();
            NativeBlock native = NativeWeights.Block(block, weights.Config.HiddenSize, arrays);
            NativeMethods.Check(NativeTrainingMethods.lacos_lora_add_block(_handle, &native));
            NativeWeights.LetGoOfLinears(block);
        }
    }

    /// <summary>Whether the native library is there and takes these weights.</summary>
    public static bool CanRun(BloomWeights weights) => BloomEncoders.ManagedReason is null
        && weights.Blocks.All(block => block.Linears
            .All(linear => linear.Weight.Scheme == QuantizationScheme.Rowwise && NativeInt8Linear.CanRun(linear.Weight)));

    /// <summary>Computes the vector of every token after the final layer norm.</summary>
    /// <param name="rows">The batch.</param>
    /// <param name="linears">The layers of all blocks in order; their adapters must stay as they are until the way back is over.</param>
    /// <param name="dropout">Run and step; null for no dropout.</param>
    /// <param name="rate">Share to drop.</param>
    /// <param name="activationMemory">Bytes of activations that may be kept.</param>
    /// <returns>[tokens, hidden].</returns>
    public torch.Tensor EncodeTokens(TokenRows rows, IReadOnlyList<LoraLinear> linears, DropoutKey? dropout, double rate, long activationMemory)
    {
        var pass = new Pass(this, rows, linears, dropout, rate, activationMemory);
        return torch.is_grad_enabled() ? Blocks.apply([.. pass.Parameters, pass]) : pass.Forward(keepTape: false);
    }

    public void Dispose() => _handle.Dispose();

    private static float* Address(torch.Tensor? tensor) => tensor is null ? null : (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.bytes));

    /// <summary>Stands for a layer whose weights are in the native blocks.</summary>
    internal sealed class Part(LinearWeights linear) : FrozenLinear(linear.Weight.Columns, linear.Weight.Rows)
    {
        public override torch.Tensor Forward(torch.Tensor x) => throw new InvalidOperationException("This layer runs inside the native blocks; encode with the whole model.");

        public override void Dispose()
        {
        }
    }

    /// <summary>One batch: what its way back must know.</summary>
    private sealed class Pass(NativeLoraBlocks blocks, TokenRows rows, IReadOnlyList<LoraLinear> linears, DropoutKey? dropout, double rate, long activationMemory)
    {
        private NativeLoraTapeHandle? _tape;

        /// <summary>A and B of every adapter, in the order of the layers.</summary>
        public IEnumerable<torch.Tensor> Parameters => linears.Where(linear => linear.A is not null).SelectMany(linear => new torch.Tensor[] { linear.A!, linear.B! });

        public BackwardFailure Failure => blocks._failure;

        public torch.Tensor Forward(bool keepTape)
        {
            int hidden = blocks._weights.Config.HiddenSize;
            torch.Tensor tokens = torch.empty(rows.Ids.Length, hidden, dtype: torch.ScalarType.Float32);
            nint tape = 0;
            fixed (int* ids = rows.Ids, offsets = rows.Offsets)
            fixed (long* keys = rows.RowKeys)
            fixed (NativeAdapter* adapters = Adapters())
            {
                var native = new NativeTrainingRows
                {
                    TokenIds = ids,
                    TokenCount = rows.Ids.Length,
                    RowOffsets = offsets,
                    RowCount = rows.Count,
                    RowKeys = keys,
                    DropoutKey = dropout is DropoutKey key ? DropoutMask.Mixed(key) : 0,
                    DropoutThreshold = dropout is null ? 0 : DropoutMask.Threshold(rate),
                };
                NativeMethods.Check(NativeTrainingMethods.lacos_lora_forward(blocks._handle, &native, adapters, activationMemory, keepTape ? &tape : null, Address(tokens), (long)rows.Ids.Length * hidden));
            }
            GC.KeepAlive(blocks._weights);
            _tape = keepTape ? new NativeLoraTapeHandle(tape) : null;
            return tokens;
        }

        public List<torch.Tensor> Backward(torch.Tensor gradient)
        {
            NativeLoraTapeHandle tape = _tape ?? throw new InvalidOperationException("The way back was gone already; encode again for another one.");
            List<torch.Tensor> gradients = [.. Parameters.Select(parameter => torch.empty(parameter.shape, dtype: torch.ScalarType.Float32))];
            var places = new NativeAdapterGradient[linears.Count];
            int next = 0;
            for (int i = 0; i < places.Length; i++)
            {
                if (linears[i].A is not null)
                {
                    places[i] = new NativeAdapterGradient { A = Address(gradients[next]), B = Address(gradients[next + 1]) };
                    next += 2;
                }
            }
            using torch.Tensor packed = gradient.contiguous();
            fixed (NativeAdapter* adapters = Adapters())
            fixed (NativeAdapterGradient* to = places)
            {
                NativeMethods.Check(NativeTrainingMethods.lacos_lora_backward(blocks._handle, tape, adapters, Address(packed), packed.NumberOfElements, to));
            }
            tape.Dispose();
            _tape = null;
            return gradients;
        }

        private NativeAdapter[] Adapters()
        {
            double keep = dropout is null ? 1 : 1 - rate;
            return [.. linears.Select(linear => linear.A is null
                ? default
                : new NativeAdapter { Rank = (int)linear.A.shape[0], Scale = (float)(linear.Scale / keep), A = Address(linear.A), B = Address(linear.B) })];
        }
    }

    private sealed class Blocks : torch.autograd.SingleTensorFunction<Blocks>
    {
        private const string PassKey = "pass";

        public override string Name => nameof(NativeLoraBlocks);

        public override torch.Tensor forward(torch.autograd.AutogradContext ctx, params object[] vars)
        {
            var pass = (Pass)vars[^1];
            ctx.save_data(PassKey, pass);
            return pass.Forward(keepTape: true);
        }

        public override List<torch.Tensor> backward(torch.autograd.AutogradContext ctx, torch.Tensor grad_output)
        {
            var pass = (Pass)ctx.get_data(PassKey);
            List<torch.Tensor> gradients = pass.Failure.Guard(() => pass.Backward(grad_output), () => [.. pass.Parameters.Select(parameter => torch.zeros_like(parameter))]);
            return [.. gradients, null!];
        }
    }
}
