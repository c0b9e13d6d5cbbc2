using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.ML.Data;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>Holds the values of one input column over the rows of a window.</summary>
internal abstract class ColumnBuffer
{
    private static readonly MethodInfo s_create = typeof(ColumnBuffer).GetMethod(nameof(CreateTyped), BindingFlags.NonPublic | BindingFlags.Static)!;
    private static readonly MethodInfo s_createVector = typeof(ColumnBuffer).GetMethod(nameof(CreateVector), BindingFlags.NonPublic | BindingFlags.Static)!;

    /// <summary>Copies the value of the input's current row.</summary>
    public abstract void Capture(int row);

    /// <summary>A getter of the value of the row that <paramref name="currentRow"/> tells.</summary>
    public abstract Delegate Getter(Func<int> currentRow);

    /// <summary>Buffers a column of any type.</summary>
    public static ColumnBuffer Create(DataViewRow input, DataViewSchema.Column column)
    {
        Type type = column.Type.RawType;
        bool isVector = type.IsGenericType && type.GetGenericTypeDefinition() == typeof(VBuffer<>);
        MethodInfo create = isVector ? s_createVector.MakeGenericMethod(type.GetGenericArguments()[0]) : s_create.MakeGenericMethod(type);
        return (ColumnBuffer)create.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [input, column], null)!;
    }

    private static ScalarBuffer<T> CreateTyped<T>(DataViewRow input, DataViewSchema.Column column) => new ScalarBuffer<T>(input.GetGetter<T>(column));

    private static VectorBuffer<T> CreateVector<T>(DataViewRow input, DataViewSchema.Column column) => new VectorBuffer<T>(input.GetGetter<VBuffer<T>>(column));

    private abstract class Buffer<T>(ValueGetter<T> getter) : ColumnBuffer
    {
        protected T[] Values { get; private set; } = [];

        public override void Capture(int row)
        {
            if (row == Values.Length)
            {
                T[] values = Values;
                Array.Resize(ref values, Math.Max(16, 2 * row));
                Values = values;
            }
            Forget(ref Values[row]);
            getter(ref Values[row]);
        }

        protected virtual void Forget(ref T value)
        {
        }
    }

    private sealed class ScalarBuffer<T>(ValueGetter<T> getter) : Buffer<T>(getter)
    {
        public override Delegate Getter(Func<int> currentRow) => (ValueGetter<T>)((ref T value) => value = Values[currentRow()]);

        protected override void Forget(ref T value)
        {
            // Some getters dispose what they find in the slot (images do), and a consumer may still hold the value of the last window.
            if (RuntimeHelpers.IsReferenceOrContainsReferences<T>())
            {
                value = default!;
            }
        }
    }

    private sealed class VectorBuffer<T>(ValueGetter<VBuffer<T>> getter) : Buffer<VBuffer<T>>(getter)
    {
        // Deep copies both ways: a VBuffer shares its arrays with whoever holds a copy of the struct.
        public override Delegate Getter(Func<int> currentRow) => (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) => Values[currentRow()].CopyTo(ref value));
    }
}
