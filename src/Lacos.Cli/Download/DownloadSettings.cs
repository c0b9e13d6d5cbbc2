namespace Lacos.Cli.Download;

/// <summary>What a download takes from its surroundings; tests put their own in place.</summary>
internal sealed record DownloadSettings
{
    /// <summary>Variables of the environment by name.</summary>
    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>Waits between attempts.</summary>
    public Func<TimeSpan, CancellationToken, Task> Wait { get; init; } = Task.Delay;

    /// <summary>Attempts at a request before it is given up, the first included.</summary>
    public int Attempts { get; init; } = 6;

    /// <summary>Bytes that must have arrived for an attempt not to count as failed.</summary>
    public long BytesThatCount { get; init; } = 16 << 20;

    /// <summary>Time to reach a server.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Time without a byte after which a connection is given up.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Free bytes on the disk of a folder that exists; <see langword="null"/> where they are not known.</summary>
    public Func<string, long?> FreeSpace { get; init; } = DiskSpace.Free;
}
