namespace Microsoft.ML.Lacos.Training.Distributed;

/// <summary>All processes that an MPI launcher (<c>mpirun</c>, <c>srun</c>) has started together.</summary>
/// <remarks>
/// <para>Open MPI, and MPICH with the libraries that share its binary interface, are found at run time; <c>LACOS_MPI_LIBRARY</c> names another file. A process started without a launcher is a group of one.</para>
/// <para>MPI cannot be started twice in a process: make one group, dispose of it when all training is done. After an error on one rank call <see cref="Abort"/>, because the others wait for it.</para>
/// </remarks>
/// <example><code>
/// using var group = MpiProcessGroup.Start();
/// var options = new LacosBloomTrainer.Options { ProcessGroup = group, BatchSize = 256 };
/// </code></example>
public sealed class MpiProcessGroup : IProcessGroup, IDisposable
{
    // MPI_THREAD_SERIALIZED: any thread, one at a time.
    private const int Serialized = 2;

    private readonly MpiLibrary _mpi;
    private readonly bool _isOwner;
    private bool _isDisposed;

    private MpiProcessGroup(MpiLibrary mpi, bool isOwner)
    {
        (_mpi, _isOwner) = (mpi, isOwner);
        (Rank, Count) = (mpi.Rank, mpi.Size);
    }

    /// <inheritdoc/>
    public int Rank { get; }

    /// <inheritdoc/>
    public int Count { get; }

    /// <summary>Name of the MPI library.</summary>
    public string Library => _mpi.Version;

    /// <summary>Starts MPI in this process, unless it runs already.</summary>
    /// <exception cref="DllNotFoundException">There is no MPI library; the message says how to name one.</exception>
    /// <exception cref="EntryPointNotFoundException">The library named is no MPI.</exception>
    /// <exception cref="NotSupportedException">The library's handles are not known, or it cannot be called from more than one thread.</exception>
    /// <exception cref="InvalidOperationException">MPI has ended in this process, or was started by a launcher of another library.</exception>
    public static MpiProcessGroup Start()
    {
        MpiLibrary mpi = MpiLibrary.Load();
        if (mpi.IsFinalized)
        {
            throw new InvalidOperationException("MPI has ended in this process and cannot be started again. Make one group and use it for all training.");
        }
        bool isOwner = !mpi.IsInitialized;
        if (isOwner && mpi.Initialize(Serialized) is < Serialized and int level)
        {
            mpi.Complete();
            throw new NotSupportedException($"{mpi.Version} offers thread level {level} only; MPI_THREAD_SERIALIZED ({Serialized}) is needed. Use a build with threads.");
        }
        var group = new MpiProcessGroup(mpi, isOwner);
        if (MpiLaunch.Processes > 1 && group.Count == 1)
        {
            group.Dispose();
            throw new InvalidOperationException(
                $"The launcher started {MpiLaunch.Processes} processes, but {mpi.Version} sees this one alone: it is the library of another MPI, or srun was not told which one. Name the launcher's own with {MpiLibrary.PathVariable}, or give srun --mpi=pmix (Open MPI) or --mpi=pmi2 (MPICH).");
        }
        return group;
    }

    /// <inheritdoc/>
    public void AllGather(ReadOnlySpan<byte> own, Span<byte> all)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        CheckLength(all.Length, (long)own.Length * Count, nameof(all));
        _mpi.AllGather(own, all);
    }

    /// <inheritdoc/>
    public void AllToAll(ReadOnlySpan<byte> sent, Span<byte> received)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        CheckLength(received.Length, sent.Length, nameof(received));
        CheckLength(sent.Length, (long)sent.Length / Count * Count, nameof(sent));
        _mpi.AllToAll(sent, received, sent.Length / Count);
    }

    /// <inheritdoc/>
    public void Broadcast(Span<byte> data)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        _mpi.Broadcast(data);
    }

    /// <summary>Ends all processes of the group at once, this one too.</summary>
    /// <param name="exitCode">What the launcher reports.</param>
    public void Abort(int exitCode) => _mpi.Abort(exitCode);

    /// <summary>Waits for the other ranks and ends MPI, where <see cref="Start"/> has started it.</summary>
    public void Dispose()
    {
        if (!_isDisposed && _isOwner)
        {
            _mpi.Complete();
        }
        _isDisposed = true;
    }

    private static void CheckLength(int length, long expected, string name)
    {
        if (length != expected)
        {
            throw new ArgumentException($"{length} bytes were given where {expected} belong.", name);
        }
    }
}
