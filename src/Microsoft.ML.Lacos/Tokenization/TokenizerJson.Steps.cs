using System.Text.Json;

namespace Microsoft.ML.Lacos.Tokenization;

internal static partial class TokenizerJson
{
    private static bool ReadNormalizer(JsonElement? normalizer)
    {
        if (normalizer is null)
        {
            return false;
        }
        switch (TypeOf(normalizer.Value, "normalizer"))
        {
            case "NFC":
                return true;
            case "Sequence":
                bool any = false;
                foreach (JsonElement part in Parts(normalizer.Value, "normalizers"))
                {
                    any |= ReadNormalizer(part);
                }
                return any;
            case var type:
                throw Unsupported($"the normalizer '{Shorten(type)}'", "Only none and 'NFC' are");
        }
    }

    private static (PieceSplitter Splitter, PrefixSpace Prefix) ReadPreTokenizer(JsonElement? preTokenizer)
    {
        JsonElement[] steps = preTokenizer is null ? []
            : TypeOf(preTokenizer.Value, "pre_tokenizer") == "Sequence" ? Parts(preTokenizer.Value, "pretokenizers") : [preTokenizer.Value];
        string[] types = Array.ConvertAll(steps, static step => TypeOf(step, "pre_tokenizer"));
        if (types is not (["ByteLevel"] or ["Split", "ByteLevel"]))
        {
            throw Unsupported($"the pre-tokenizer [{Shorten(string.Join(", ", types))}]", "Only [ByteLevel] and [Split, ByteLevel] are");
        }
        JsonElement byteLevel = steps[^1];
        bool usesPattern = Flag(byteLevel, "use_regex", otherwise: true);
        bool addsSpace = Flag(byteLevel, "add_prefix_space");
        if (steps.Length == 1)
        {
            return (usesPattern ? new Gpt2PieceSplitter() : new WholeTextSplitter(), addsSpace ? PrefixSpace.Stretch : PrefixSpace.None);
        }
        if (usesPattern)
        {
            throw Unsupported("a Split before a ByteLevel that splits again ('use_regex' = true)", "Only 'use_regex' = false behind a Split is");
        }
        return (ReadSplit(steps[0]), addsSpace ? PrefixSpace.Piece : PrefixSpace.None);
    }

    private static PieceSplitter ReadSplit(JsonElement split)
    {
        string behavior = Text(split, "behavior");
        if (behavior != "Isolated" || Flag(split, "invert"))
        {
            throw Unsupported($"a Split with behavior '{Shorten(behavior)}' and invert {Flag(split, "invert")}", "Only 'Isolated', not inverted, is");
        }
        JsonElement pattern = Member(split, "pattern", JsonValueKind.Object) ?? throw Invalid("has a Split without 'pattern'");
        return (pattern.TryGetProperty("Regex", out _) ? Text(pattern, "Regex") : throw Unsupported("a Split by a fixed text", "Only BLOOM's and GPT-2's patterns are")) switch
        {
            BloomPieceSplitter.DeclaredPattern or BloomPieceSplitter.FlatPattern => new BloomPieceSplitter(),
            Gpt2PieceSplitter.DeclaredPattern or Gpt2PieceSplitter.GatheredPattern => new Gpt2PieceSplitter(),
            var other => throw Unsupported($"the split pattern '{Shorten(other)}' in Oniguruma's syntax", "Only BLOOM's and GPT-2's patterns are"),
        };
    }

    private static void CheckPostProcessor(JsonElement? postProcessor)
    {
        if (postProcessor is null)
        {
            return;
        }
        switch (TypeOf(postProcessor.Value, "post_processor"))
        {
            case "ByteLevel":
                // Trims offsets only.
                break;
            case "Sequence":
                foreach (JsonElement part in Parts(postProcessor.Value, "processors"))
                {
                    CheckPostProcessor(part);
                }
                break;
            case "TemplateProcessing" when IsOnlyTheText(postProcessor.Value):
                break;
            case var type:
                throw Unsupported($"the post-processor '{Shorten(type)}', which adds tokens to every text", "Only those that add none are");
        }
    }

    private static void CheckTruncation(JsonElement? truncation)
    {
        if (truncation?.TryGetProperty("direction", out _) == true && Text(truncation.Value, "direction") is not "Right" and var direction)
        {
            throw Unsupported($"truncation on the side '{Shorten(direction)}'", "Only 'Right' is");
        }
    }

    private static bool IsOnlyTheText(JsonElement template) =>
        Member(template, "single", JsonValueKind.Array) is { } single && single.GetArrayLength() == 1 && single[0].ValueKind == JsonValueKind.Object
        && Member(single[0], "Sequence", JsonValueKind.Object) is { } sequence && Text(sequence, "id") == "A";

    private static JsonElement[] Parts(JsonElement sequence, string name)
    {
        JsonElement list = Member(sequence, name, JsonValueKind.Array) ?? throw Invalid($"has a Sequence without '{name}'");
        var parts = new JsonElement[list.GetArrayLength()];
        for (int i = 0; i < parts.Length; i++)
        {
            parts[i] = list[i];
            Require(parts[i], JsonValueKind.Object, $"an item of '{name}'");
        }
        return parts;
    }
}
