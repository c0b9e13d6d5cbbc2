using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Lacos.Cli.Download;

/// <summary>The hash by which the Hub knows a file's content: sha256 of a large file's bytes, git's blob id of a small one.</summary>
/// <param name="Hex">64 or 40 lower-case hexadecimal digits.</param>
internal readonly record struct ContentHash(string Hex)
{
    private const int Sha256Digits = 64;
    private const int GitDigits = 40;

    /// <summary>Name of the scheme, in files.</summary>
    public string Scheme => Hex.Length == Sha256Digits ? "sha256" : "git_sha1";

    /// <summary>Reads a hash; <see langword="null"/> where the text is none.</summary>
    public static ContentHash? Parse(string? text)
    {
        const string prefix = "sha256:";
        string digits = text is not null && text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : text ?? "";
        return digits.Length is Sha256Digits or GitDigits && digits.All(char.IsAsciiHexDigit) ? new ContentHash(digits.ToLowerInvariant()) : null;
    }

    /// <summary>Begins to hash content of a length in this one's scheme.</summary>
    public IncrementalHash Begin(long length)
    {
        if (Hex.Length == Sha256Digits)
        {
            return IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        }
        IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        hash.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {length}\0")));
        return hash;
    }

    /// <summary>Whether what was hashed has this hash.</summary>
    public bool IsOf(IncrementalHash hash) => Convert.ToHexStringLower(hash.GetCurrentHash()) == Hex;

    /// <summary>Whether some bytes have this hash.</summary>
    public bool IsOf(ReadOnlySpan<byte> content)
    {
        using IncrementalHash hash = Begin(content.Length);
        hash.AppendData(content);
        return IsOf(hash);
    }

    /// <summary>Whether a file has this hash.</summary>
    public async Task<bool> IsOfFileAsync(string path, CancellationToken cancellationToken)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan | FileOptions.Asynchronous);
        await using (file.ConfigureAwait(false))
        {
            using IncrementalHash hash = Begin(file.Length);
            await AppendAsync(hash, file, cancellationToken).ConfigureAwait(false);
            return IsOf(hash);
        }
    }

    /// <summary>Hashes a stream from its position to its end.</summary>
    public static async Task AppendAsync(IncrementalHash hash, Stream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[1 << 18];
        while (await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is int count and > 0)
        {
            hash.AppendData(buffer, 0, count);
        }
    }
}
