namespace Microsoft.ML.Lacos.Training.Distributed;

/// <summary>Processes that train one model together, each on its part of every batch.</summary>
/// <remarks>
/// <para>All members are collective: every rank calls them in the same order with blocks of the same size, and each call returns when this rank has what it needs. Calls come from one thread at a time.</para>
/// <para><see cref="MpiProcessGroup"/> is the group of an MPI launcher; another transport (sockets, a barrier stage of Spark) implements this interface.</para>
/// </remarks>
public interface IProcessGroup
{
    /// <summary>Number of this process, from 0. Rank 0 writes the files and evaluates.</summary>
    int Rank { get; }

    /// <summary>Number of processes.</summary>
    int Count { get; }

    /// <summary>Gives every rank the blocks of all.</summary>
    /// <param name="own">This rank's block.</param>
    /// <param name="all">Receives the blocks in the order of the ranks: <see cref="Count"/> times as many bytes.</param>
    /// <exception cref="ArgumentException"><paramref name="all"/> has another length.</exception>
    /// <exception cref="ObjectDisposedException">The group has been disposed.</exception>
    void AllGather(ReadOnlySpan<byte> own, Span<byte> all);

    /// <summary>Gives every rank its block of each of the others.</summary>
    /// <param name="sent">One block for each rank, in the order of the ranks.</param>
    /// <param name="received">Receives one block from each rank, in the order of the ranks; as long as <paramref name="sent"/>.</param>
    /// <exception cref="ArgumentException">The lengths differ, or are no multiple of <see cref="Count"/>.</exception>
    /// <exception cref="ObjectDisposedException">The group has been disposed.</exception>
    void AllToAll(ReadOnlySpan<byte> sent, Span<byte> received);

    /// <summary>Gives every rank what rank 0 has.</summary>
    /// <param name="data">Read on rank 0, overwritten on the others; of the same length on all.</param>
    /// <exception cref="ObjectDisposedException">The group has been disposed.</exception>
    void Broadcast(Span<byte> data);
}
