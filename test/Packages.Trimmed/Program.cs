using System.Globalization;
using Microsoft.Extensions.AI;
using Microsoft.ML.Lacos;
using Microsoft.ML.Lacos.Hub;

// Prints what a SentenceEncoder gives by every way that reads or writes JSON, files or settings: trimmed and not, it must be the same.
using var model = LacosModel.LoadDefault();
using var encoder = SentenceEncoder.Create(model);
Console.WriteLine($"{encoder.Description}, {model.Fingerprint}");
foreach (string text in (string[])["A man is playing a guitar.", "Mañana va a llover en el norte.", "明天下雨", "e\u0301", ""])
{
    Show(encoder.Encode(text));
}
using var query = encoder.WithPrompt("query: ");
Show(query.Encode("rain"));
using var generator = encoder.AsEmbeddingGenerator();
Show((await generator.GenerateAsync(["rain"]))[0].Vector.ToArray());

DirectoryInfo folder = Directory.CreateTempSubdirectory("lacos-trimmed-");
string file = Path.Combine(folder.FullName, "a.lacos"), exported = Path.Combine(folder.FullName, "exported");
model.Save(file);
model.SaveFolder(exported);
foreach (string path in (string[])[file, exported])
{
    using var loaded = LacosModel.Load(path);
    using var again = SentenceEncoder.Create(loaded, new SentenceEncoderOptions { Dimension = 64, LongText = LongText.Window });
    Show(again.Encode("rain"));
}
folder.Delete(recursive: true);

static void Show(float[] vector) => Console.WriteLine(string.Join(' ', vector.Take(8).Select(value => value.ToString("R", CultureInfo.InvariantCulture))));
