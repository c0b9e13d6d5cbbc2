using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lacos.Cli.Commands;
using Lacos.Cli.Terminal;

namespace Lacos.Cli.Download;

/// <summary>Tells which files a download has or would have, for people and as JSON.</summary>
internal static class DownloadReport
{
    private static readonly JsonSerializerOptions Options = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A table of files, their sizes, and what is there of them.</summary>
    public static IEnumerable<string> Lines(IReadOnlyList<LocalFile> files) =>
        TextTable.Lines(["file", "size", "there"], [false, true, false], [.. files.Select(file => new[] { file.File.Path, Size(file.File.Size), Words(file) })]);

    /// <summary>A file's size for people: in megabytes, a small one's in bytes.</summary>
    public static string Size(long bytes) => bytes < 100_000 ? string.Create(CultureInfo.InvariantCulture, $"{bytes:N0} bytes") : ModelSummary.Size(bytes);

    /// <summary>The same as JSON.</summary>
    public static string Json(HubListing listing, HubEndpoint endpoint, string folder, IReadOnlyList<LocalFile> files) => new JsonObject
    {
        ["model"] = listing.Repository.Name,
        ["revision"] = listing.Repository.Revision,
        ["commit"] = listing.Commit,
        ["endpoint"] = endpoint.Shown,
        ["output"] = folder,
        ["files"] = new JsonArray([.. files.Select(file => new JsonObject
        {
            ["path"] = file.File.Path,
            ["size"] = file.File.Size,
            [file.File.Hash.Scheme] = file.File.Hash.Hex,
            ["state"] = Name(file.State),
            ["missing_bytes"] = file.Missing,
        })]),
    }.ToJsonString(Options);

    private static string Words(LocalFile file) => file.State switch
    {
        LocalState.UpToDate => "up to date",
        LocalState.Replaceable => "of another commit",
        LocalState.InTheWay => "another file, kept without --force",
        _ when file.Arrived > 0 => string.Create(CultureInfo.InvariantCulture, $"{100.0 * file.Arrived / file.File.Size:F0} %"),
        _ => "no",
    };

    private static string Name(LocalState state) => state switch
    {
        LocalState.UpToDate => "up_to_date",
        LocalState.Replaceable => "outdated",
        LocalState.InTheWay => "in_the_way",
        _ => "missing",
    };
}
