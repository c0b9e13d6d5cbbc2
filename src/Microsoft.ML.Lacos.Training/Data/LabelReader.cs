using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.Lacos.Training.Losses;

namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>Reads a data set's labels of the kind that its loss needs: numbers, classes, or a teacher's vectors.</summary>
internal sealed class LabelReader
{
    private readonly DatasetSettings _settings;
    private readonly int _keyCount;
    private readonly Func<double>? _number;
    private readonly Func<long, float[]>? _vector;
    private readonly List<double> _labels = [];
    private readonly List<float[]> _vectors = [];

    private LabelReader(DatasetSettings settings, int keyCount, Func<double>? number, Func<long, float[]>? vector) =>
        (_settings, _keyCount, _number, _vector) = (settings, keyCount, number, vector);

    /// <summary>Numbers so far; null for vectors.</summary>
    public double[]? Labels => _number is null ? null : [.. _labels];

    /// <summary>Vectors so far; null for numbers.</summary>
    public float[][]? Vectors => _vector is null ? null : [.. _vectors];

    /// <summary>Classes of the labels; 0 where they are no classes.</summary>
    /// <exception cref="InvalidDataException">All are of one class.</exception>
    public int ClassCount
    {
        get
        {
            if (Loop.LossOfDataset.LabelOf(_settings.Loss) != LossLabel.Class)
            {
                return 0;
            }
            int classes = Math.Max(_keyCount, (int)_labels.Max() + 1);
            return classes >= 2
                ? classes
                : throw new InvalidDataException($"All labels of {_settings.Name} in column '{_settings.LabelColumn}' are of one class; the loss {_settings.Loss} needs at least 2. Name another label column or loss.");
        }
    }

    /// <summary>Makes the reader of a cursor's labels.</summary>
    /// <param name="cursor">A cursor in which the column is active.</param>
    /// <param name="column">The label column.</param>
    /// <param name="settings">The data set.</param>
    /// <param name="kind">What its loss needs.</param>
    /// <param name="dimension">Elements that a teacher's vector must have.</param>
    /// <exception cref="ArgumentException">The column's type is of the wrong kind for the loss.</exception>
    public static LabelReader Of(DataViewRow cursor, DataViewSchema.Column column, DatasetSettings settings, LossLabel kind, int dimension)
    {
        if (kind != LossLabel.Vector)
        {
            return new LabelReader(settings, TrainingLabels.KeyCount(column), TrainingLabels.Reader(cursor, column, kind), null);
        }
        if (column.Type is not VectorDataViewType { ItemType: NumberDataViewType item } vector || item.RawType != typeof(float) || vector.Size != dimension)
        {
            throw TrainingLabels.NoTeacher(column.Name, settings.Loss, string.Create(CultureInfo.InvariantCulture, $"{dimension} Single"), column.Type.ToString()!);
        }
        ValueGetter<VBuffer<float>> getter = cursor.GetGetter<VBuffer<float>>(column);
        VBuffer<float> buffer = default;
        return new LabelReader(settings, 0, null, row =>
        {
            getter(ref buffer);
            float[] values = [.. buffer.DenseValues()];
            return Array.TrueForAll(values, float.IsFinite)
                ? values
                : throw new InvalidDataException($"Row {row} (from 0) of {settings.Name} has a vector that is not finite in column '{column.Name}'. Leave the row out, or correct it.");
        });
    }

    /// <summary>Reads the current row's label.</summary>
    /// <param name="row">Number of the row, for messages.</param>
    /// <exception cref="InvalidDataException">The loss cannot use the value.</exception>
    public void Read(long row)
    {
        if (_vector is not null)
        {
            _vectors.Add(_vector(row));
            return;
        }
        double value = _number!();
        TrainingLabels.Check(value, _settings, row);
        _labels.Add(value);
    }
}
