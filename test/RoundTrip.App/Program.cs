// save FILE: fits a pipeline, writes its vectors, saves it.  load FILE: loads what another process saved, with nothing registered, and writes its vectors.
using Microsoft.ML;
using Microsoft.ML.Data;

if (args is not [("save" or "load") and var mode, var path])
{
    Console.Error.WriteLine("usage: RoundTrip.App save|load FILE");
    return 2;
}

var context = new MLContext(seed: 1);
IDataView data = context.Data.LoadFromEnumerable(new[] { "The train leaves at eight.", "Der Zug fährt um acht.", "", "猫が眠る。" }.Select(text => new Line { Text = text }));
ITransformer model = mode == "save" ? Fit() : context.Model.Load(path, out _);
if (mode == "save")
{
    context.Model.Save(model, data.Schema, path);
}
foreach (float[] vector in model.Transform(data).GetColumn<float[]>("Features"))
{
    Console.WriteLine($"cursor {Hex(vector)}");
}
using var engine = context.Model.CreatePredictionEngine<Line, Vector>(model);
foreach (Line line in context.Data.CreateEnumerable<Line>(data, reuseRowObject: false))
{
    Console.WriteLine($"engine {Hex(engine.Predict(line).Features)}");
}
return 0;

ITransformer Fit() => context.Transforms.CopyColumns("Copy", "Text").Append(context.Transforms.Text.ApplySentenceEmbedding("Features", "Copy")).Fit(data);

static string Hex(float[] vector) => Convert.ToHexString(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(vector));

internal sealed class Line
{
    public string Text { get; set; } = "";
}

internal sealed class Vector
{
    public float[] Features { get; set; } = [];
}
