namespace Lacos.Cli.Download;

/// <summary>A file of a repository.</summary>
/// <param name="Path">Its path, with <c>/</c>.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Hash">Hash of its content.</param>
internal sealed record HubFile(string Path, long Size, ContentHash Hash);
