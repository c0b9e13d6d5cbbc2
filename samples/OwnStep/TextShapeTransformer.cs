using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using OwnStep;

[assembly: IgnoresAccessChecksTo("Microsoft.ML.Core")]
[assembly: IgnoresAccessChecksTo("Microsoft.ML.Data")]
[assembly: LoadableClass(typeof(TextShapeTransformer), null, typeof(SignatureLoadModel), "Text shape", TextShapeTransformer.LoaderSignature)]

namespace OwnStep;

/// <summary>Adds the vector. Thread-safe; the same for a view, a row and a <see cref="PredictionEngine{TSrc, TDst}"/>.</summary>
public sealed class TextShapeTransformer : ITransformer
{
    /// <summary>At most 24 ASCII characters, unlike that of any other step. It stands in every saved model and never changes.</summary>
    internal const string LoaderSignature = "OwnStepTextShape";

    private readonly IHost _host;
    private readonly float[] _means;
    private readonly float[] _scales;

    internal TextShapeTransformer(IHostEnvironment env, string output, string input, float[] means, float[] scales)
    {
        _host = env.Register(nameof(TextShapeTransformer));
        (OutputColumnName, InputColumnName, _means, _scales) = (output, input, means, scales);
    }

    /// <summary>The new column.</summary>
    public string OutputColumnName { get; }

    /// <summary>The text column.</summary>
    public string InputColumnName { get; }

    /// <summary>Means of the numbers over the data that was fitted, before they are scaled.</summary>
    public IReadOnlyList<float> Means => _means;

    /// <summary>Each row is mapped by itself, so that a prediction engine can do it.</summary>
    public bool IsRowToRowMapper => true;

    /// <summary>Tells the schema of <see cref="Transform"/>'s result.</summary>
    /// <param name="inputSchema">Schema of the input.</param>
    /// <exception cref="ArgumentOutOfRangeException">The column is missing or is not a text.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => new TextShapeMapper(this, inputSchema).OutputSchema;

    /// <summary>Gives a view with the new column; nothing is read before a cursor over it is.</summary>
    /// <param name="input">Data with the text column.</param>
    /// <exception cref="ArgumentOutOfRangeException">The column is missing or is not a text.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new TextShapeView(new TextShapeMapper(this, input.Schema), input);
    }

    /// <summary>Gives a mapper of single rows.</summary>
    /// <param name="inputSchema">Schema of the rows.</param>
    /// <exception cref="ArgumentOutOfRangeException">The column is missing or is not a text.</exception>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => new TextShapeMapper(this, inputSchema);

    internal DataViewSchema.Column FindText(DataViewSchema schema) => TextColumn.Find(_host, schema, InputColumnName);

    internal void Measure(ReadOnlySpan<char> text, Span<float> shape)
    {
        TextShape.Measure(text, shape);
        for (int i = 0; i < shape.Length; i++)
        {
            shape[i] = (shape[i] - _means[i]) * _scales[i];
        }
    }

    // From here on: how the step goes into a model's file and comes back.
    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(GetVersionInfo());
        ctx.SaveBinaryStream("TextShape", writer =>
        {
            writer.Write(OutputColumnName);
            writer.Write(InputColumnName);
            writer.Write(_means.Length);
            foreach (float number in _means.Concat(_scales))
            {
                writer.Write(number);
            }
        });
    }

    // ML.NET finds it by its name and parameters, and calls it by reflection. An error that a host has marked reaches the caller of a single step as it is, others as one of reflection.
    private static TextShapeTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        IHost host = env.Register(nameof(TextShapeTransformer));
        try
        {
            return Read(host, ctx);
        }
        catch (Exception error)
        {
            host.Process(error);
            throw;
        }
    }

    private static TextShapeTransformer Read(IHost host, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        TextShapeTransformer? transformer = null;
        bool found = ctx.TryLoadBinaryStream("TextShape", reader =>
        {
            string output = reader.ReadString(), input = reader.ReadString();
            int width = reader.ReadInt32();
            if (width != TextShape.Names.Length)
            {
                throw new InvalidDataException($"The saved step has {width} numbers; {TextShape.Names.Length} are known. The file is damaged, or another version wrote it.");
            }
            float[] means = [.. Enumerable.Range(0, width).Select(_ => reader.ReadSingle())];
            transformer = new TextShapeTransformer(host, output, input, means, [.. Enumerable.Range(0, width).Select(_ => reader.ReadSingle())]);
        });
        return found ? transformer! : throw new InvalidDataException("The saved step has no entry 'TextShape'. The file is damaged.");
    }

    // The assembly's full name is written down: keep AssemblyVersion as it is, or an older install cannot read what a newer one saved.
    private static VersionInfo GetVersionInfo() => new(
        modelSignature: "OWNSHAPE", verWrittenCur: 0x00010001, verReadableCur: 0x00010001, verWeCanReadBack: 0x00010001,
        loaderSignature: LoaderSignature, loaderAssemblyName: typeof(TextShapeTransformer).Assembly.FullName);
}
