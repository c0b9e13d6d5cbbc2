using System.Text;
using System.Text.Json.Nodes;
using Microsoft.ML.Lacos.Tokenization;
using HuggingFace = Tokenizers.DotNet.Tokenizer;

namespace Microsoft.ML.Lacos.Tests.Tokenization.Reference;

/// <summary>One tokenizer.json, read by this library and by Hugging Face tokenizers (in Rust).</summary>
internal sealed class ReferenceTokenizer : IDisposable
{
    private readonly HuggingFace _reference;
    private readonly string _json;

    public ReferenceTokenizer(JsonNode file)
    {
        _json = file.ToJsonString();
        Own = TokenizerFiles.Load(file);
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("tokenizer.json"), _json);
        try
        {
            _reference = new HuggingFace(folder.File("tokenizer.json"));
        }
        catch (DllNotFoundException error)
        {
            Assert.Inconclusive($"Not run: Hugging Face tokenizers is referenced for Linux x64 only ({error.Message.Split('\n')[0]}).");
            throw;
        }
    }

    public BloomTokenizer Own { get; }

    /// <summary>The reference's ids of a text.</summary>
    public int[] Encode(string text) => Array.ConvertAll(_reference.Encode(text), static id => (int)id);

    /// <summary>Both give the same ids and the same text for them.</summary>
    /// <param name="text">Any text. The reference takes valid UTF-16 only, so it gets U+FFFD for a surrogate without its partner.</param>
    public void AssertSame(string text)
    {
        int[] expected = Encode(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)));
        int[] actual = [.. Own.EncodeToIds(text)];
        Assert.IsTrue(expected.AsSpan().SequenceEqual(actual), $"{Escape(text)}: [{string.Join(' ', actual)}], the reference has [{string.Join(' ', expected)}], with {Shorten(_json)}");
        Assert.AreEqual(_reference.Decode(Array.ConvertAll(expected, static id => (uint)id)), Own.Decode(expected, skipSpecialTokens: true), Escape(text));
    }

    public void Dispose() => _reference.Dispose();

    private static string Shorten(string json) => json.Length <= 3000 ? json : json[..3000] + "...";

    private static string Escape(string text) => string.Concat(text.Take(200).Select(static unit => unit is >= ' ' and <= '~' ? unit.ToString() : $"\\u{(int)unit:x4}"));
}
