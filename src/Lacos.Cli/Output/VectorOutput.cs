using System.Text.Json.Nodes;
using Lacos.Cli.Input;
using Lacos.Cli.Terminal;

namespace Lacos.Cli.Output;

/// <summary>Chooses how vectors are written, by the output's name.</summary>
internal static class VectorOutput
{
    /// <summary>Formats of standard output, the usual one first.</summary>
    public static readonly string[] StandardFormats = ["jsonl", "arrows"];

    /// <summary>Endings of names, for messages.</summary>
    public const string Endings = ".npy, .jsonl, .parquet, .arrow (an Arrow file) or .arrows (an Arrow stream)";

    // What decides a vector's value; where a model lies and what ran it does not.
    private static readonly string[] Facts = ["dimension", "precision", "fingerprint", "pooling", "normalized", "prompt", "maximum_token_count", "long_text", "compute"];

    /// <summary>Refuses a name that tells no format.</summary>
    /// <exception cref="UsageException">It does not.</exception>
    public static void RequireKnown(string output)
    {
        if (output != InputFile.Standard && Ending(output) is not (".npy" or ".jsonl" or ".parquet" or ".arrow" or ".arrows"))
        {
            throw new UsageException($"Vectors cannot be written to '{output}': its name ends in neither .npy, .jsonl, .parquet, .arrow nor .arrows. Give it one of these, or - for standard output.");
        }
    }

    /// <summary>Begins an output.</summary>
    /// <param name="output">A path, or <c>-</c>.</param>
    /// <param name="standard">Standard output, and its format.</param>
    /// <param name="dimension">Elements of a vector.</param>
    /// <param name="precision">What they are written as.</param>
    /// <param name="describe">What the side file will say; asked for where the format has room for it.</param>
    public static VectorWriter Open(string output, (Stream Stream, string Format) standard, int dimension, VectorPrecision precision, Func<JsonObject> describe)
    {
        if (output == InputFile.Standard)
        {
            return standard.Format == "arrows"
                ? ArrowVectorWriter.ToStream(standard.Stream, dimension, precision, Metadata(describe()))
                : JsonLinesWriter.ToStream(standard.Stream, dimension, precision);
        }
        return Ending(output) switch
        {
            ".npy" => new NpyWriter(output, dimension, precision),
            ".parquet" => new ParquetVectorWriter(output, dimension, precision),
            ".arrow" or ".arrows" => ArrowVectorWriter.ToFile(output, dimension, precision, Metadata(describe())),
            _ => JsonLinesWriter.ToFile(output, dimension, precision),
        };
    }

    /// <summary>Gives vectors and their side file their names.</summary>
    /// <param name="writer">The vectors, all written.</param>
    /// <param name="output">Their path.</param>
    /// <param name="describe">What the side file says.</param>
    public static void Complete(VectorWriter writer, string output, Func<JsonObject> describe)
    {
        // Before the vectors have their name: whenever the process is killed, no description stands beside other vectors.
        SideFile.Remove(output);
        writer.Complete();
        SideFile.Write(output, describe());
    }

    /// <summary>Ending of a name, in small letters.</summary>
    public static string Ending(string output) => Path.GetExtension(output).ToLowerInvariant();

    private static Dictionary<string, string> Metadata(JsonObject description) =>
        Facts.ToDictionary(name => $"lacos.{name}", name => description[name] is JsonValue value ? value.ToString() : "", StringComparer.Ordinal);
}
