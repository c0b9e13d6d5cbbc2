using System.Text.Json;
using System.Text.Unicode;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>Reads the <c>tokenizer.json</c> of Hugging Face tokenizers and refuses what would be tokenised differently here.</summary>
/// <remarks>Of the sections <c>truncation</c> and <c>padding</c> only the side on which long texts are cut is looked at: length is the caller's business.</remarks>
internal static partial class TokenizerJson
{
    private const string Advice = "Use the tokenizer.json saved with the model.";

    /// <summary>Reads a definition.</summary>
    /// <exception cref="InvalidDataException">The bytes are no tokenizer.json.</exception>
    /// <exception cref="NotSupportedException">It declares something that is not supported.</exception>
    public static TokenizerDefinition Read(ReadOnlySpan<byte> utf8Json)
    {
        try
        {
            ReadOnlySpan<byte> byteOrderMark = [0xEF, 0xBB, 0xBF];
            ReadOnlySpan<byte> json = utf8Json.StartsWith(byteOrderMark) ? utf8Json[byteOrderMark.Length..] : utf8Json;
            if (!Utf8.IsValid(json))
            {
                throw Invalid("is not UTF-8");
            }
            TokenizerSections sections = TokenizerSections.Find(json);
            JsonLimits.RequireTokens(sections.Rest, JsonLimits.MostConfigTokens, "tokenizer.json");
            using JsonDocument rest = JsonDocument.Parse(sections.Rest);
            return Read(rest.RootElement, sections);
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"tokenizer.json is not valid JSON ({utf8Json.Length} bytes): {TextInMessage.Of(error.Message)} Copy the file again; it may be truncated.", error);
        }
        catch (InvalidOperationException error)
        {
            // What JSON readers throw for a name or string whose escapes are not valid UTF-16.
            throw new InvalidDataException($"tokenizer.json has a text that is not valid Unicode: {TextInMessage.Of(error.Message)} {Advice}", error);
        }
    }

    private static TokenizerDefinition Read(JsonElement root, TokenizerSections sections)
    {
        Require(root, JsonValueKind.Object, "the whole file");
        if (Member(root, "version", JsonValueKind.String)?.GetString() is { } version && version != "1.0")
        {
            throw Unsupported($"the format version '{Shorten(version)}'", "Only '1.0' is");
        }
        JsonElement model = Member(root, "model", JsonValueKind.Object) ?? throw Invalid("has no 'model'");
        CheckModel(model);
        _ = Member(model, "vocab", JsonValueKind.Object) ?? throw Invalid("has no 'model.vocab'");
        TokenVocabulary vocabulary = ReadVocabulary(sections.Vocabulary);
        _ = Member(model, "merges", JsonValueKind.Array) ?? throw Invalid("has no 'model.merges'");
        MergeTable merges = ReadMerges(sections.Merges, vocabulary);
        CheckUnknown(model, vocabulary);
        CheckPostProcessor(Member(root, "post_processor", JsonValueKind.Object));
        CheckTruncation(Member(root, "truncation", JsonValueKind.Object));
        (PieceSplitter splitter, PrefixSpace prefix) = ReadPreTokenizer(Member(root, "pre_tokenizer", JsonValueKind.Object));
        if (Member(root, "decoder", JsonValueKind.Object) is { } decoder && TypeOf(decoder, "decoder") is not "ByteLevel" and var type)
        {
            throw Unsupported($"decoder '{Shorten(type)}'", "Only 'ByteLevel' is");
        }
        return new TokenizerDefinition
        {
            Vocabulary = vocabulary,
            Merges = merges,
            AddedTokens = ReadAddedTokens(Member(root, "added_tokens", JsonValueKind.Array), vocabulary),
            Splitter = splitter,
            PrefixSpace = prefix,
            NormalizeToFormC = ReadNormalizer(Member(root, "normalizer", JsonValueKind.Object)),
        };
    }

    /// <summary>A member of an object; <see langword="null"/> where it is missing or null.</summary>
    private static JsonElement? Member(JsonElement parent, string name, JsonValueKind kind)
    {
        if (!parent.TryGetProperty(name, out JsonElement member) || member.ValueKind == JsonValueKind.Null)
        {
            return null;
        }
        Require(member, kind, $"'{name}'");
        return member;
    }

    private static bool Flag(JsonElement parent, string name, bool otherwise = false)
    {
        if (!parent.TryGetProperty(name, out JsonElement member) || member.ValueKind == JsonValueKind.Null)
        {
            return otherwise;
        }
        return member.ValueKind is JsonValueKind.True or JsonValueKind.False ? member.GetBoolean() : throw Invalid($"has a {member.ValueKind} where '{name}' should be true or false");
    }

    private static string Text(JsonElement parent, string name) =>
        (Member(parent, name, JsonValueKind.String) ?? throw Invalid($"has no '{name}' where one is needed")).GetString()!;

    private static string TypeOf(JsonElement part, string name) =>
        (Member(part, "type", JsonValueKind.String) ?? throw Invalid($"has a '{name}' without 'type'")).GetString()!;

    private static void Require(JsonElement element, JsonValueKind kind, string name)
    {
        if (element.ValueKind != kind)
        {
            throw Invalid($"has a {element.ValueKind} where {name} should be of kind {kind}");
        }
    }

    private static InvalidDataException Invalid(string what) => new($"tokenizer.json {what}. {Advice}");

    private static NotSupportedException Unsupported(string what, string only) => new($"tokenizer.json declares {what}, which is not supported. {only} supported; use a BLOOM checkpoint's own tokenizer.json.");

    private static string Shorten(string text) => TextInMessage.Of(text, 60);
}
