using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lacos.Cli.Input;
using Lacos.Cli.Output;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Joining;

/// <summary>The parts that runs with <c>--shard</c> have made of one input, all there and of one kind by what their side files say.</summary>
/// <param name="Paths">The parts, in the order of their rows.</param>
/// <param name="Rows">Rows of each.</param>
/// <param name="Dimension">Elements of a vector.</param>
/// <param name="Precision">What they are written as.</param>
/// <param name="Description">What the side file of one run without <c>--shard</c> would say.</param>
internal sealed record PartSet(IReadOnlyList<string> Paths, IReadOnlyList<long> Rows, int Dimension, VectorPrecision Precision, JsonObject Description)
{
    private const int LargestDimension = 1 << 24;

    // What is of a part alone.
    private static readonly string[] OfPart = ["file", "rows", "first_row", "shard", WholeOutput.HashKey];

    // What is said of parts and not of one run's vectors.
    private static readonly string[] OfShards = ["file", "first_row", "input_rows", "shard", "input", "input_format", "input_header", "input_column", "input_sha256", WholeOutput.HashKey];

    /// <summary>Reads the side files of all parts.</summary>
    /// <param name="name">Name that the runs were given as their output.</param>
    /// <param name="count">Parts.</param>
    /// <exception cref="ToolException">A part is not there, has no side file of its own, is another's, or was made of something else than the first.</exception>
    public static PartSet Of(string name, int count)
    {
        Shard[] shards = [.. Enumerable.Range(1, count).Select(number => new Shard(number, count))];
        RequireAll(name, shards);
        string[] paths = [.. shards.Select(shard => shard.PathFor(name))];
        JsonObject first = Side(paths[0], shards[0]);
        long inputRows = Number(first, "input_rows", paths[0], long.MaxValue);
        var rows = new long[count];
        for (int i = 0; i < count; i++)
        {
            JsonObject side = i == 0 ? first : Side(paths[i], shards[i]);
            RequireSame(first, paths[0], side, paths[i], shards[i]);
            (long begin, long end) = shards[i].RowsOf(inputRows);
            rows[i] = Number(side, "rows", paths[i], long.MaxValue);
            if (rows[i] != end - begin || Number(side, "first_row", paths[i], long.MaxValue) != begin)
            {
                throw new ToolException(string.Create(
                    CultureInfo.InvariantCulture, $"'{SideFile.PathFor(paths[i])}' says that the part has {rows[i]} rows; part {shards[i]} of {inputRows} has {end - begin} from row {begin}. {Again(shards[i])}"));
            }
        }
        int precision = Array.IndexOf(VectorPrecisions.Names, first["precision"]?.ToString());
        int dimension = (int)Number(first, "dimension", paths[0], LargestDimension);
        if (precision < 0 || dimension == 0)
        {
            throw new ToolException($"'{SideFile.PathFor(paths[0])}' has the precision {Shown(first["precision"])} and the dimension {dimension}, which no vectors have. {Again(shards[0])}");
        }
        return new PartSet(paths, rows, dimension, (VectorPrecision)precision, Whole(first, inputRows));
    }

    /// <summary>Refuses a part whose bytes are not those its side file was written for.</summary>
    /// <exception cref="ToolException">They are not.</exception>
    public void RequireUndamaged(int index)
    {
        if (!WholeOutput.HasSaidHash(Paths[index]))
        {
            throw new ToolException($"'{Paths[index]}' is damaged: its bytes are not those that '{SideFile.PathFor(Paths[index])}' was written for. {Again(new Shard(index + 1, Paths.Count))}");
        }
    }

    private static void RequireAll(string name, Shard[] shards)
    {
        Shard[] missing = [.. shards.Where(shard => !File.Exists(shard.PathFor(name)))];
        if (missing.Length > 0)
        {
            string listed = string.Join(", ", missing.Take(10).Select(shard => shard.Number.ToString(CultureInfo.InvariantCulture))) + (missing.Length > 10 ? ", …" : "");
            throw new ToolException($"{missing.Length} of {shards.Length} parts are missing: {listed}. There is no '{missing[0].PathFor(name)}', say. {Again(missing[0])}");
        }
    }

    private static JsonObject Side(string path, Shard shard)
    {
        JsonObject side = SideFile.Read(path)
            ?? throw new ToolException($"There is no '{SideFile.PathFor(path)}' that describes '{path}', so nothing says whether it is whole. {Again(shard)}");
        return Text(side["shard"]) == Text(JsonValue.Create(shard.ToString()))
            ? side
            : throw new ToolException($"'{SideFile.PathFor(path)}' says that this is part {Shown(side["shard"])}, and by its name it is {shard}. Parts that were copied or renamed cannot be joined. {Again(shard)}");
    }

    private static void RequireSame(JsonObject first, string firstPath, JsonObject side, string path, Shard shard)
    {
        foreach (string key in first.Select(entry => entry.Key).Union(side.Select(entry => entry.Key)).Where(key => !OfPart.Contains(key, StringComparer.Ordinal) && !WholeOutput.IsIncidental(key)))
        {
            if (!first.ContainsKey(key) || !side.ContainsKey(key) || Text(first[key]) != Text(side[key]))
            {
                throw new ToolException($"'{path}' has the {TextInMessage.Of(key)} {Shown(side[key])} and '{firstPath}' has {Shown(first[key])}: they are not parts of one set. Make one of them again, for example this one with --shard {shard} --force.");
            }
        }
    }

    private static long Number(JsonObject side, string key, string path, long most) => side[key] is JsonValue value && value.GetValueKind() == JsonValueKind.Number && value.TryGetValue(out long number) && number >= 0 && number <= most
        ? number
        : throw new ToolException($"'{SideFile.PathFor(path)}' has {key} {Shown(side[key])}, which is no such number. Make the part again with --force.");

    private static JsonObject Whole(JsonObject first, long rows)
    {
        JsonObject whole = first.DeepClone().AsObject();
        foreach (string key in OfShards)
        {
            whole.Remove(key);
        }
        whole["rows"] = rows;
        return whole;
    }

    private static string Text(JsonNode? value) => value?.ToJsonString() ?? "none";

    private static string Shown(JsonNode? value) => TextInMessage.Of(Text(value));

    private static string Again(Shard shard) => $"Run lacos embed with --shard {shard} again.";
}
