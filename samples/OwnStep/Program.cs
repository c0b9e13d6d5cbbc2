// A step of one's own for ML.NET: an estimator that learns, a transformer that is saved in the pipeline's file and comes back in a process that registered nothing.
//   dotnet run -c Release --project samples/OwnStep
using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using OwnStep;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
string[] questions = ["Where is my parcel??? I want it NOW!!!", "When will the parcel arrive?", "WHY IS NOBODY ANSWERING", "Ist das Paket schon unterwegs?"];
if (args is ["predict", string saved])
{
    // 3. Another process: Load alone, then rows one by one.
    ITransformer loaded = new MLContext().Model.Load(saved, out _);
    using var engine = new MLContext().Model.CreatePredictionEngine<Message, Prediction>(loaded);
    foreach (string question in questions)
    {
        Console.WriteLine($"   {engine.Predict(new Message { Text = question }).Probability,5:F2}  {question}");
    }
    return 0;
}

var mlContext = new MLContext(seed: 1);
mlContext.Log += (_, log) =>
{
    if (log.Source.StartsWith(nameof(TextShapeEstimator), StringComparison.Ordinal) && log.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Info)
    {
        Console.WriteLine($"   log: {log.RawMessage}");
    }
};
IDataView messages = mlContext.Data.LoadFromEnumerable(
[
    new Message { Text = "WHAT IS WRONG WITH YOU???", Label = true },
    new Message { Text = "I have been waiting for 3 WEEKS!!!!", Label = true },
    new Message { Text = "Das ist eine FRECHHEIT!!!", Label = true },
    new Message { Text = "ANSWER ME. NOW.", Label = true },
    new Message { Text = "I HAVE TOLD YOU TWICE", Label = true },
    new Message { Text = "¡¡¡Esto es INACEPTABLE!!!", Label = true },
    new Message { Text = "Could you tell me when it will arrive?" },
    new Message { Text = "Thank you, the chair is lovely." },
    new Message { Text = "Ich möchte die Bestellung 4711 ändern." },
    new Message { Text = "¿Puedo pagar con tarjeta?" },
    new Message { Text = "The lamp came without its bulb, please send one." },
]);

Console.WriteLine("1. The step alone: five numbers a text, of mean 0 and deviation 1");
TextShapeTransformer shape = mlContext.Transforms.Text.MeasureTextShape("Shape", "Text").Fit(messages);
IDataView shaped = shape.Transform(messages);
Console.WriteLine($"   {string.Join("  ", SlotNames(shaped.Schema["Shape"]).Select(name => $"{name,11}"))}");
foreach ((float[] numbers, string text) in shaped.GetColumn<float[]>("Shape").Zip(shaped.GetColumn<string>("Text")))
{
    Console.WriteLine($"   {string.Join("  ", numbers.Select(number => $"{number,11:F2}"))}  {text}");
}

Console.WriteLine("\n2. In a chain before a trainer, as any other step");
var pipeline = mlContext.Transforms.Text.MeasureTextShape("Features", "Text").Append(mlContext.BinaryClassification.Trainers.SdcaLogisticRegression());
ITransformer model = pipeline.Fit(messages);

string path = Path.Combine(Path.GetTempPath(), $"own-step-{Environment.ProcessId}.zip");
try
{
    mlContext.Model.Save(model, messages.Schema, path);
    Console.WriteLine($"\n3. Saved to {new FileInfo(path).Length:N0} bytes; loaded in another process: is somebody shouting?");
    using Process another = Process.Start(Environment.ProcessPath!, [.. Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? new[] { typeof(Message).Assembly.Location } : [], "predict", path]);
    another.WaitForExit();
    return another.ExitCode;
}
finally
{
    File.Delete(path);
}

static IEnumerable<string> SlotNames(DataViewSchema.Column column)
{
    VBuffer<ReadOnlyMemory<char>> names = default;
    column.GetSlotNames(ref names);
    return [.. names.DenseValues().Select(name => name.ToString())];
}

/// <summary>A text, and whether it shouts.</summary>
internal sealed class Message
{
    public string Text { get; set; } = "";

    public bool Label { get; set; }
}

/// <summary>What the classifier says.</summary>
internal sealed class Prediction
{
    public float Probability { get; set; }
}
