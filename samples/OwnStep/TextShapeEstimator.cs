using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace OwnStep;

/// <summary>Measures how the texts of a column are written and learns mean and deviation of each number.</summary>
public sealed class TextShapeEstimator : IEstimator<TextShapeTransformer>
{
    private readonly IHost _host;
    private readonly string _output;
    private readonly string _input;

    internal TextShapeEstimator(IHostEnvironment env, string output, string input)
    {
        _host = env.Register(nameof(TextShapeEstimator));
        (_output, _input) = (output, input);
    }

    /// <summary>Reads all texts once.</summary>
    /// <param name="input">Data with the text column.</param>
    /// <exception cref="ArgumentOutOfRangeException">The column is missing or is not a text.</exception>
    /// <exception cref="InvalidDataException">There are no rows.</exception>
    public TextShapeTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        DataViewSchema.Column column = TextColumn.Find(_host, input.Schema, _input);
        int width = TextShape.Names.Length;
        double[] sums = new double[width], squares = new double[width];
        Span<float> shape = stackalloc float[width];
        long rows = 0;

        // Only the columns named here are read. A getter is asked for once and called in each row.
        using (DataViewRowCursor cursor = input.GetRowCursor([column]))
        {
            ValueGetter<ReadOnlyMemory<char>> getText = cursor.GetGetter<ReadOnlyMemory<char>>(column);
            ReadOnlyMemory<char> text = default;
            for (; cursor.MoveNext(); rows++)
            {
                getText(ref text);
                TextShape.Measure(text.Span, shape);
                for (int i = 0; i < width; i++)
                {
                    sums[i] += shape[i];
                    squares[i] += (double)shape[i] * shape[i];
                }
            }
        }
        if (rows == 0)
        {
            throw _host.Process(new InvalidDataException($"Column '{_input}' has no rows, so there is nothing to take a mean of. Look at what was loaded and filtered."));
        }
        using (IChannel channel = _host.Start("Fitting"))
        {
            channel.Info(MessageSensitivity.None, "Measured {0} text(s) of column '{1}'.", rows, _input);
        }
        float[] means = [.. sums.Select(sum => (float)(sum / rows))];
        float[] scales = [.. squares.Select((square, i) => Scale((square / rows) - ((double)means[i] * means[i])))];
        return new TextShapeTransformer(_host, _output, _input, means, scales);
    }

    /// <summary>Tells what column will be added, before there is data: a chain of estimators is checked with it as a whole.</summary>
    /// <param name="inputSchema">Shape of the input.</param>
    /// <exception cref="ArgumentOutOfRangeException">The column is missing or is not a text.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        TextColumn.Require(_host, inputSchema, _input);
        var slotNames = new SchemaShape.Column("SlotNames", SchemaShape.Column.VectorKind.Vector, TextDataViewType.Instance, isKey: false);
        var column = new SchemaShape.Column(_output, SchemaShape.Column.VectorKind.Vector, NumberDataViewType.Single, isKey: false, new SchemaShape([slotNames]));
        return new SchemaShape([.. inputSchema.Where(other => other.Name != _output), column]);
    }

    // What never varies stays 0.
    private static float Scale(double variance) => variance > 1e-12 ? (float)(1 / Math.Sqrt(variance)) : 0;
}
