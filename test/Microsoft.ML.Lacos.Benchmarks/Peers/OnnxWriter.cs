using Google.Protobuf;

namespace Microsoft.ML.Lacos.Benchmarks.Peers;

/// <summary>Writes an ONNX model (onnx.proto3) node by node.</summary>
/// <remarks>Only what a transformer encoder needs: nodes with integer and float attributes, raw initialisers, inputs and outputs with symbolic dimensions.</remarks>
internal sealed class OnnxWriter : IDisposable
{
    private const int Float = 1;
    private const int Int8 = 3;
    private const int Int64 = 7;
    private const string MicrosoftDomain = "com.microsoft";
    private readonly MemoryStream _graph = new();
    private int _names;

    public static (string Name, object Value) Attribute(string name, object value) => (name, value);

    /// <summary>Adds a node with one output and returns the output's name.</summary>
    public string Node(string type, string[] inputs, params (string Name, object Value)[] attributes) => Nodes(type, inputs, 1, "", attributes)[0];

    /// <summary>Adds a node of ONNX Runtime's own operator set.</summary>
    public string MicrosoftNode(string type, string[] inputs, params (string Name, object Value)[] attributes) => Nodes(type, inputs, 1, MicrosoftDomain, attributes)[0];

    /// <summary>Adds a node whose one output has a given name, for an output of the graph.</summary>
    public void NamedNode(string output, string type, string[] inputs) => AddNode(type, inputs, [output], "", []);

    /// <summary>The same with a node of ONNX Runtime's own operator set.</summary>
    public void NamedMicrosoftNode(string output, string type, string[] inputs) => AddNode(type, inputs, [output], MicrosoftDomain, []);

    /// <summary>Adds a node with several outputs.</summary>
    public string[] Nodes(string type, string[] inputs, int outputs, string domain, params (string Name, object Value)[] attributes)
    {
        string[] names = [.. Enumerable.Range(0, outputs).Select(_ => $"t{_names++}")];
        AddNode(type, inputs, names, domain, attributes);
        return names;
    }

    private void AddNode(string type, string[] inputs, string[] outputs, string domain, (string Name, object Value)[] attributes) => Message(_graph, 1, node =>
        {
            Array.ForEach(inputs, input => Text(node, 1, input));
            Array.ForEach(outputs, output => Text(node, 2, output));
            Text(node, 3, "node_" + outputs[0]);
            Text(node, 4, type);
            foreach ((string name, object value) in attributes)
            {
                Message(node, 5, attribute => WriteAttribute(attribute, name, value));
            }
            Text(node, 7, domain);
        });

    public string Constant(ReadOnlySpan<float> values, params long[] shape) => Initializer(Float, System.Runtime.InteropServices.MemoryMarshal.AsBytes(values), shape);

    public string Constant(ReadOnlySpan<sbyte> values, params long[] shape) => Initializer(Int8, System.Runtime.InteropServices.MemoryMarshal.AsBytes(values), shape);

    public string Constant(ReadOnlySpan<long> values, params long[] shape) => Initializer(Int64, System.Runtime.InteropServices.MemoryMarshal.AsBytes(values), shape);

    public void FloatInput(string name, params object[] shape) => Value(11, name, Float, shape);

    public void Int64Input(string name, params object[] shape) => Value(11, name, Int64, shape);

    public void FloatOutput(string name, params object[] shape) => Value(12, name, Float, shape);

    public void Dispose() => _graph.Dispose();

    public byte[] ToModel()
    {
        Text(_graph, 2, "bloom");
        using var model = new MemoryStream();
        Integer(model, 1, 8);
        Text(model, 2, "lacos-benchmarks");
        Bytes(model, 7, _graph.GetBuffer().AsSpan(0, (int)_graph.Length));
        OperatorSet(model, "", 17);
        OperatorSet(model, MicrosoftDomain, 1);
        return model.ToArray();
    }

    private static void OperatorSet(MemoryStream model, string domain, long version) => Message(model, 8, set =>
    {
        Text(set, 1, domain);
        Integer(set, 2, version);
    });

    private static void WriteAttribute(MemoryStream attribute, string name, object value)
    {
        Text(attribute, 1, name);
        switch (value)
        {
            case float number:
                Coded(attribute, stream =>
                {
                    stream.WriteTag(2, WireFormat.WireType.Fixed32);
                    stream.WriteFloat(number);
                });
                Integer(attribute, 20, 1);
                break;
            case long number:
                Integer(attribute, 3, number);
                Integer(attribute, 20, 2);
                break;
            case long[] numbers:
                Array.ForEach(numbers, number => Integer(attribute, 8, number));
                Integer(attribute, 20, 7);
                break;
            default:
                throw new ArgumentException($"An attribute of type {value.GetType()} is not supported.", nameof(value));
        }
    }

    private string Initializer(int type, ReadOnlySpan<byte> data, long[] shape)
    {
        string name = $"w{_names++}";
        using var tensor = new MemoryStream(data.Length + 64);
        Array.ForEach(shape, size => Integer(tensor, 1, size));
        Integer(tensor, 2, type);
        Text(tensor, 8, name);
        Bytes(tensor, 9, data);
        Bytes(_graph, 5, tensor.GetBuffer().AsSpan(0, (int)tensor.Length));
        return name;
    }

    private void Value(int field, string name, int type, object[] shape) => Message(_graph, field, value =>
    {
        Text(value, 1, name);
        Message(value, 2, valueType => Message(valueType, 1, tensor =>
        {
            Integer(tensor, 1, type);
            Message(tensor, 2, dimensions => Array.ForEach(shape, size => Message(dimensions, 1, dimension =>
            {
                if (size is string symbol)
                {
                    Text(dimension, 2, symbol);
                }
                else
                {
                    Integer(dimension, 1, Convert.ToInt64(size, System.Globalization.CultureInfo.InvariantCulture));
                }
            })));
        }));
    });

    private static void Message(MemoryStream parent, int field, Action<MemoryStream> write)
    {
        using var child = new MemoryStream();
        write(child);
        Bytes(parent, field, child.GetBuffer().AsSpan(0, (int)child.Length));
    }

    private static void Bytes(MemoryStream parent, int field, ReadOnlySpan<byte> content)
    {
        int length = content.Length;
        Coded(parent, stream =>
        {
            stream.WriteTag(field, WireFormat.WireType.LengthDelimited);
            stream.WriteLength(length);
        });
        parent.Write(content);
    }

    private static void Text(MemoryStream parent, int field, string value) => Bytes(parent, field, System.Text.Encoding.UTF8.GetBytes(value));

    private static void Integer(MemoryStream parent, int field, long value) => Coded(parent, stream =>
    {
        stream.WriteTag(field, WireFormat.WireType.Varint);
        stream.WriteInt64(value);
    });

    private static void Coded(MemoryStream parent, Action<CodedOutputStream> write)
    {
        using var stream = new CodedOutputStream(parent, leaveOpen: true);
        write(stream);
        stream.Flush();
    }
}
