#:project ../src/Microsoft.ML.Lacos
#:package System.Numerics.Tensors
#:property PublishAot=false

// Searches by meaning, across languages: a corpus is embedded once into a file, and a question is compared with all of it.
//   dotnet run -c Release samples/Search.cs                             data/articles.tsv: help pages of a shop, one language each, written for this sample
//   dotnet run -c Release samples/Search.cs -- "a question" ... [--corpus FILE] [--index FILE] [--top 3]
using System.Globalization;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.AI;
using Microsoft.ML.Lacos;
using Microsoft.ML.Lacos.Hub;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
List<string> questions = [.. args];
string corpus = Option("corpus") ?? Path.Combine((string)AppContext.GetData("EntryPointFileDirectoryPath")!, "data", "articles.tsv");
string index = Option("index") ?? Path.Combine(Path.GetTempPath(), $"lacos-search-{Environment.UserName}.index");
string top = Option("top") ?? "3";
if (!int.TryParse(top, out int count) || count < 1 || questions.Find(argument => argument.StartsWith("--", StringComparison.Ordinal)) is not null)
{
    Console.Error.WriteLine($"The arguments '{string.Join(' ', args)}' are not QUESTION ... [--corpus FILE] [--index FILE] [--top N] with N of at least 1.");
    return 2;
}
if (!File.Exists(corpus))
{
    Console.Error.WriteLine($"There is no file '{corpus}'. Give a .tsv file with a header and a column 'text', or a file with a text on each line.");
    return 1;
}
if (questions.Count == 0)
{
    questions = ["I forgot my login, what now?", "Wie lange dauert der Versand?", "¿Me devuelven el dinero?", "Mon aspirateur va-t-il tomber dans l'escalier ?", "Is there a student discount?"];
}
string[] texts = Read(corpus);

// 1. The corpus becomes vectors once. The index knows which texts and which model it is of, so that neither a changed corpus nor another model is ever compared with old vectors.
using LacosModel model = LacosModel.LoadDefault();
using SentenceEncoder encoder = SentenceEncoder.Create(model);
using IEmbeddingGenerator<string, Embedding<float>> generator = encoder.AsEmbeddingGenerator();
byte[] key = SHA256.HashData(Encoding.UTF8.GetBytes(model.Fingerprint + '\n' + string.Join('\n', texts)));
float[]? vectors = Load(index, key, texts.Length * encoder.Dimension);
if (vectors is null)
{
    GeneratedEmbeddings<Embedding<float>> embeddings = await generator.GenerateAsync(texts);
    vectors = [.. embeddings.SelectMany(embedding => embedding.Vector.ToArray())];
    Save(index, key, vectors);
    Console.WriteLine($"Embedded {texts.Length} texts into {index}.");
}
else
{
    Console.WriteLine($"Read the vectors of {texts.Length} texts from {index}.");
}

// 2. Vectors have norm 1, so the dot product is the cosine.
foreach (string question in questions)
{
    ReadOnlyMemory<float> asked = await generator.GenerateVectorAsync(question);
    var best = Enumerable.Range(0, texts.Length).Select(row => (Row: row, Cosine: TensorPrimitives.Dot(asked.Span, vectors.AsSpan(row * encoder.Dimension, encoder.Dimension))))
        .OrderByDescending(hit => hit.Cosine).Take(count);
    Console.WriteLine($"\n{question}");
    foreach (var (row, cosine) in best)
    {
        Console.WriteLine($"   {cosine,6:F3}  {texts[row]}");
    }
}
return 0;

string? Option(string name)
{
    int at = questions.IndexOf("--" + name);
    if (at < 0 || at + 1 >= questions.Count)
    {
        return null;
    }
    string value = questions[at + 1];
    questions.RemoveRange(at, 2);
    return value;
}

// The file is the key of 32 bytes, then the vectors, row after row. Another key or length means: not of these texts, embed again.
static float[]? Load(string path, byte[] key, int length)
{
    if (!File.Exists(path) || new FileInfo(path).Length != key.Length + ((long)length * sizeof(float)))
    {
        return null;
    }
    byte[] bytes = File.ReadAllBytes(path);
    return bytes.AsSpan(0, key.Length).SequenceEqual(key) ? MemoryMarshal.Cast<byte, float>(bytes.AsSpan(key.Length)).ToArray() : null;
}

static void Save(string path, byte[] key, float[] vectors)
{
    string whole = $"{path}.{Environment.ProcessId}";
    File.WriteAllBytes(whole, [.. key, .. MemoryMarshal.AsBytes<float>(vectors)]);
    File.Move(whole, path, overwrite: true);
}

static string[] Read(string path)
{
    string[] lines = [.. File.ReadLines(path).Where(line => line.Trim().Length > 0)];
    int text = path.EndsWith(".tsv", StringComparison.OrdinalIgnoreCase) && lines.Length > 0 ? Array.IndexOf(lines[0].Split('\t'), "text") : -1;
    return text < 0 ? lines : [.. lines.Skip(1).Select(line => line.Split('\t').ElementAtOrDefault(text) ?? "")];
}
