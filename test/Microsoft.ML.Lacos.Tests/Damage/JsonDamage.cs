using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Microsoft.ML.Lacos.Tests.Damage;

/// <summary>JSON with one thing in it changed: still JSON in most cases, and rarely what its reader expects.</summary>
internal static class JsonDamage
{
    private const string Mark = "@@changed@@";

    private static readonly string[] Values =
    [
        "null", "true", "false", "\"\"", "0", "-1", "1", "7", "0.5", "-0.0", "2147483647", "2147483648", "-2147483649", "9223372036854775807", "9223372036854775808", "18446744073709551616",
        "1e308", "1e999", "-1e999", "NaN", "01", "\"1\"", "\"..\"", "\"../../x\"", "\"/etc/passwd\"", "\"a\\u0000b\"", "\"\\ud800\"", "\"\\u001b[2J\"", "[]", "{}", "[null]", "[[]]", "[-1]", "[4611686018427387904,4]", "{\"a\":1}", "{\"a\":1,\"a\":2}",
        $"\"{new string('x', 100_000)}\"", new string('[', 3000) + new string(']', 3000), $"[{string.Join(',', Enumerable.Repeat("0", 20_000))}]",
    ];

    /// <summary>Changes one value, name or element of a document, decided by the random numbers.</summary>
    public static byte[] Apply(byte[] json, Random random)
    {
        JsonNode root = JsonNode.Parse(json)!;
        var nodes = new List<JsonNode> { root };
        for (int i = 0; i < nodes.Count; i++)
        {
            nodes.AddRange(Children(nodes[i]));
        }
        JsonNode target = nodes[random.Next(nodes.Count)];
        string old = target.ToJsonString(), value = Values[random.Next(Values.Length)];
        if (target.Parent is not { } parent)
        {
            return Encoding.UTF8.GetBytes(random.Next(2) == 0 ? value : $"[{old}]");
        }
        string raw = value;
        int kind = random.Next(8);
        if (parent is JsonObject owner)
        {
            string name = target.GetPropertyName(), quoted = JsonSerializer.Serialize(name);
            switch (kind)
            {
                case 0:
                    owner.Remove(name);
                    return Encoding.UTF8.GetBytes(root.ToJsonString());
                case 1:
                    raw = $"{old},{quoted}:{(random.Next(2) == 0 ? old : value)}";
                    break;
                case 2:
                    owner.Remove(name);
                    (name, raw) = (OtherName(name, random), old);
                    break;
            }
            owner[name] = Mark;
        }
        else
        {
            var list = (JsonArray)parent;
            int index = target.GetElementIndex();
            if (kind == 0)
            {
                list.RemoveAt(index);
                return Encoding.UTF8.GetBytes(root.ToJsonString());
            }
            raw = kind == 1 ? $"{old},{old}" : value;
            list[index] = Mark;
        }
        return Encoding.UTF8.GetBytes(root.ToJsonString().Replace($"\"{Mark}\"", kind == 3 ? Nudged(old) : raw, StringComparison.Ordinal));
    }

    private static IEnumerable<JsonNode> Children(JsonNode node) => node switch
    {
        JsonObject members => members.Select(member => member.Value).OfType<JsonNode>(),
        JsonArray elements => elements.OfType<JsonNode>(),
        _ => [],
    };

    private static string OtherName(string name, Random random) => random.Next(5) switch
    {
        0 => "",
        1 => name + "x",
        2 => "../" + name,
        3 => "/tmp/" + name,
        _ => name.Length > 1 ? name[1..] : "y",
    };

    // A number of about the same size is likelier to be believed.
    private static string Nudged(string old) => long.TryParse(old, out long number) ? (number + (number % 2 == 0 ? 1 : -1)).ToString(System.Globalization.CultureInfo.InvariantCulture) : old.Length > 2 && old[0] == '"' ? $"{old[..^2]}\"" : "-3";
}
