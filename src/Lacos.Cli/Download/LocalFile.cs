namespace Lacos.Cli.Download;

/// <summary>What is there of a file already.</summary>
internal enum LocalState
{
    /// <summary>Nothing, or a part.</summary>
    Missing,

    /// <summary>The file with this content.</summary>
    UpToDate,

    /// <summary>Another content, which a download has written.</summary>
    Replaceable,

    /// <summary>Another content, which no download has written.</summary>
    InTheWay,
}

/// <summary>A file of a repository beside what is there of it.</summary>
/// <param name="File">The file.</param>
/// <param name="State">What is there.</param>
/// <param name="Arrived">Bytes of it that an earlier download has left.</param>
internal sealed record LocalFile(HubFile File, LocalState State, long Arrived)
{
    /// <summary>Bytes to fetch.</summary>
    public long Missing => State == LocalState.UpToDate ? 0 : File.Size - Arrived;
}
