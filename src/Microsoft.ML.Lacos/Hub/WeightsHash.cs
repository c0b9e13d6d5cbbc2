using System.Security.Cryptography;
using System.Text;
using Microsoft.ML.Lacos.Native;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>SHA-256 of a checkpoint's weights, to tell from which base a model was made.</summary>
internal static class WeightsHash
{
    /// <summary>The hash of the one file, or that of the lines <c>HASH  NAME</c> of the shards, sorted by name, as <c>sha256sum</c> prints them.</summary>
    /// <param name="files">Files of the weights.</param>
    /// <returns>Lower-case hexadecimal.</returns>
    public static string Of(IEnumerable<string> files)
    {
        string[] sorted = [.. files.OrderBy(Path.GetFileName, StringComparer.Ordinal)];
        var hashes = new string[sorted.Length];
        EncoderThreads.Run(sorted.Length, EncoderThreads.Resolve(0), index => hashes[index] = OfFile(sorted[index]));
        return sorted.Length == 1
            ? hashes[0]
            : Hex(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(sorted.Select((file, index) => $"{hashes[index]}  {Path.GetFileName(file)}\n")))));
    }

    private static string OfFile(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 20, FileOptions.SequentialScan);
        return Hex(SHA256.HashData(stream));
    }

    private static string Hex(byte[] hash) => Convert.ToHexString(hash).ToLowerInvariant();
}
