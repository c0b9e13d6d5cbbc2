using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Quantization;

/// <summary>Changes elements of a matrix on their way from a file, before they are quantised.</summary>
/// <param name="start">Row-major position of the first element.</param>
/// <param name="values">The elements from there on.</param>
internal delegate void WeightUpdate(long start, Span<float> values);

/// <summary>Makes weight matrices from float tensors, quantising on the way, in memory of their own.</summary>
/// <remarks>A unit (row or block) at a time on each of the threads that <c>LACOS_NUM_THREADS</c>, else affinity and quota allow: beside the result only one unit a thread is in memory, and of a mapped file the stretch that a thread is reading.</remarks>
internal static unsafe class WeightMatrixBuilder
{
    // Work handed to one thread at a time, in elements: enough to hide the cost of handing it out.
    private const int ElementsPerTask = 1 << 18;

    /// <summary>The quantiser of a scheme; <see langword="null"/> for <see cref="QuantizationScheme.None"/>.</summary>
    public static IWeightQuantizer? QuantizerOf(QuantizationScheme scheme, int blockSize) => scheme switch
    {
        QuantizationScheme.None => null,
        QuantizationScheme.Rowwise => new RowwiseQuantizer(),
        QuantizationScheme.BlockwiseDynamic or QuantizationScheme.BlockwiseLinear => new BlockwiseQuantizer(scheme, blockSize),
        _ => throw new ArgumentOutOfRangeException(nameof(scheme), scheme, "Not a quantisation scheme."),
    };

    /// <summary>Makes a matrix.</summary>
    /// <param name="source">rows * columns elements, row-major.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="quantizer">How to quantise; <see langword="null"/> to keep 32-bit floats.</param>
    /// <param name="name">Name for messages.</param>
    /// <param name="memory">Memory of the result, to be disposed with it.</param>
    /// <param name="update">Applied to elements as they are read; <see langword="null"/> for none.</param>
    /// <param name="panels">How row-wise codes are packed; <see langword="null"/> to leave them row-major.</param>
    /// <param name="progress">Told of elements that are done; <see langword="null"/> for nobody.</param>
    /// <exception cref="InvalidDataException">An element is NaN or infinite.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static WeightMatrix Build(
        TensorFloats source,
        int rows,
        int columns,
        IWeightQuantizer? quantizer,
        string name,
        out NativeBuffer memory,
        WeightUpdate? update = null,
        WeightPanels? panels = null,
        WeightProgress? progress = null)
    {
        long count = (long)rows * columns;
        ArgumentOutOfRangeException.ThrowIfNotEqual(source.Count, count);
        int unit = quantizer is null or { BlockSize: 0 } ? columns : (int)Math.Min(quantizer.BlockSize, count);
        long units = (count + unit - 1) / unit;
        if (units > Array.MaxLength)
        {
            throw new NotSupportedException($"'{name}' would have {units} blocks of {unit} elements. Choose a larger block size.");
        }
        var scales = new float[quantizer is null ? 0 : units];
        var buffer = new NativeBuffer(panels?.ByteLength(rows, columns) ?? (count * (quantizer is null ? sizeof(float) : 1)));
        try
        {
            panels?.FillPadding(buffer.Pointer, rows, columns);
            Fill(source, unit, units, quantizer, scales, buffer, name, update, panels, progress);
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
        memory = buffer;
        return new WeightMatrix(
            quantizer?.Scheme ?? QuantizationScheme.None, rows, columns, buffer.Pointer, scales, quantizer is null ? [] : quantizer.CodeBook.ToArray(), quantizer?.BlockSize ?? 0, buffer, panels);
    }

    /// <summary>Refuses NaN and infinity.</summary>
    /// <param name="source">Elements.</param>
    /// <param name="columns">Elements read at a time.</param>
    /// <param name="name">Name for messages.</param>
    /// <exception cref="InvalidDataException">An element is NaN or infinite.</exception>
    public static void CheckFinite(TensorFloats source, int columns, string name)
    {
        long bad = long.MaxValue;
        Parallel.For(0L, (source.Count + columns - 1) / columns, EncoderThreads.Options(), () => new float[columns], (index, _, row) =>
        {
            Span<float> values = row.AsSpan(0, (int)Math.Min(columns, source.Count - (index * columns)));
            source.Read(index * columns, values);
            int position = TensorFloats.IndexOfNonFinite(values);
            if (position >= 0)
            {
                InterlockedMinimum(ref bad, (index * columns) + position);
            }
            return row;
        }, static _ => { });
        ThrowIfBad(source, bad, name);
    }

    private static void Fill(
        TensorFloats source, int unit, long units, IWeightQuantizer? quantizer, float[] scales, NativeBuffer buffer, string name, WeightUpdate? update, WeightPanels? panels, WeightProgress? progress)
    {
        long unitsPerTask = Math.Max(1, ElementsPerTask / unit);
        long tasks = (units + unitsPerTask - 1) / unitsPerTask;
        long bad = long.MaxValue;
        byte* target = buffer.Pointer;
        ParallelOptions options = EncoderThreads.Options();
        options.CancellationToken = progress?.CancellationToken ?? CancellationToken.None;
        Parallel.For(0L, tasks, options, () => (Row: new float[unit], Codes: new byte[panels is null ? 0 : unit]), (task, _, own) =>
        {
            for (long index = task * unitsPerTask; index < Math.Min(units, (task + 1) * unitsPerTask); index++)
            {
                long start = index * unit;
                int length = (int)Math.Min(unit, source.Count - start);
                Span<float> values = quantizer is null ? new Span<float>((float*)target + start, length) : own.Row.AsSpan(0, length);
                source.Read(start, values);
                update?.Invoke(start, values);
                int position = TensorFloats.IndexOfNonFinite(values);
                if (position >= 0)
                {
                    InterlockedMinimum(ref bad, start + position);
                    return own;
                }
                if (quantizer is not null)
                {
                    Span<byte> codes = panels is null ? new Span<byte>(target + start, length) : own.Codes;
                    scales[index] = quantizer.Quantize(values, codes);
                    panels?.WriteRow(target, (int)index, MemoryMarshal.Cast<byte, sbyte>(codes));
                }
            }
            long first = task * unitsPerTask * unit;
            long done = Math.Min(unitsPerTask * unit, source.Count - first);
            source.LetGo(first, done);
            progress?.Add(done);
            return own;
        }, static _ => { });
        ThrowIfBad(source, bad, name, update);
    }

    private static void ThrowIfBad(TensorFloats source, long bad, string name, WeightUpdate? update = null)
    {
        if (bad != long.MaxValue)
        {
            var value = new float[1];
            source.Read(bad, value);
            update?.Invoke(bad, value);
            throw new InvalidDataException($"Tensor '{name}' holds {value[0]} at element {bad}. The weights are damaged: fetch or convert them again.");
        }
    }

    private static void InterlockedMinimum(ref long location, long value)
    {
        long seen = Volatile.Read(ref location);
        while (value < seen)
        {
            long before = Interlocked.CompareExchange(ref location, value, seen);
            if (before == seen)
            {
                return;
            }
            seen = before;
        }
    }
}
