using System.Runtime.InteropServices;
using System.Text;

namespace Microsoft.ML.Lacos.Training.Distributed;

/// <summary>The functions of an MPI library that are needed here, found at run time.</summary>
/// <remarks>
/// Two binary interfaces are known. Open MPI's handles are addresses of symbols that it exports; those of MPICH, and of the libraries compatible with it (Intel MPI, MVAPICH, Cray), are
/// numbers fixed by the MPICH ABI compatibility initiative.
/// </remarks>
internal sealed unsafe class MpiLibrary
{
    /// <summary>Environment variable that names the library.</summary>
    public const string PathVariable = "LACOS_MPI_LIBRARY";

    // MPI_MAX_LIBRARY_VERSION_STRING is 256 in Open MPI and 8192 in MPICH.
    private const int VersionLength = 8192;
    private const nint MpichWorld = 0x44000000;
    private const nint MpichByte = 0x4c00010d;

    private static readonly string[] OpenMpiNames = ["libmpi.so.40", "libmpi.so.80", "libmpi.40.dylib"];
    private static readonly string[] MpichNames = ["libmpich.so.12", "libmpi.so.12", "libmpi.12.dylib"];
    private static readonly string[] MpichFamily = ["MPICH", "Intel", "MVAPICH", "CRAY"];

    private readonly delegate* unmanaged[Cdecl]<void*, void*, int, int*, int> _initThread;
    private readonly delegate* unmanaged[Cdecl]<int*, int> _initialized;
    private readonly delegate* unmanaged[Cdecl]<int*, int> _finalized;
    private readonly delegate* unmanaged[Cdecl]<int> _finalize;
    private readonly delegate* unmanaged[Cdecl]<nint, int, int> _abort;
    private readonly delegate* unmanaged[Cdecl]<nint, int*, int> _rank;
    private readonly delegate* unmanaged[Cdecl]<nint, int*, int> _size;
    private readonly delegate* unmanaged[Cdecl]<void*, int, nint, void*, int, nint, nint, int> _allGather;
    private readonly delegate* unmanaged[Cdecl]<void*, int, nint, void*, int, nint, nint, int> _allToAll;
    private readonly delegate* unmanaged[Cdecl]<void*, int, nint, int, nint, int> _broadcast;
    private readonly nint _world;
    private readonly nint _byte;

    private MpiLibrary(nint library, string name)
    {
        _initThread = (delegate* unmanaged[Cdecl]<void*, void*, int, int*, int>)Function("MPI_Init_thread");
        _initialized = (delegate* unmanaged[Cdecl]<int*, int>)Function("MPI_Initialized");
        _finalized = (delegate* unmanaged[Cdecl]<int*, int>)Function("MPI_Finalized");
        _finalize = (delegate* unmanaged[Cdecl]<int>)Function("MPI_Finalize");
        _abort = (delegate* unmanaged[Cdecl]<nint, int, int>)Function("MPI_Abort");
        _rank = (delegate* unmanaged[Cdecl]<nint, int*, int>)Function("MPI_Comm_rank");
        _size = (delegate* unmanaged[Cdecl]<nint, int*, int>)Function("MPI_Comm_size");
        _allGather = (delegate* unmanaged[Cdecl]<void*, int, nint, void*, int, nint, nint, int>)Function("MPI_Allgather");
        _allToAll = (delegate* unmanaged[Cdecl]<void*, int, nint, void*, int, nint, nint, int>)Function("MPI_Alltoall");
        _broadcast = (delegate* unmanaged[Cdecl]<void*, int, nint, int, nint, int>)Function("MPI_Bcast");
        var version = (delegate* unmanaged[Cdecl]<byte*, int*, int>)Function("MPI_Get_library_version");
        if (NativeLibrary.TryGetExport(library, "ompi_mpi_comm_world", out _world))
        {
            _byte = NativeLibrary.GetExport(library, "ompi_mpi_byte");
            Version = "Open MPI";
            return;
        }
        byte[] text = new byte[VersionLength];
        int length = 0;
        fixed (byte* to = text)
        {
            version(to, &length);
        }
        Version = Encoding.ASCII.GetString(text, 0, Math.Clamp(length, 0, VersionLength)).Split('\n', '\0')[0].Trim();
        if (!Array.Exists(MpichFamily, known => Version.Contains(known, StringComparison.OrdinalIgnoreCase)))
        {
            throw new NotSupportedException($"'{name}' is an MPI whose handles are not known here ('{Version}'). Use Open MPI, or MPICH or one compatible with it; {PathVariable} names the file.");
        }
        (_world, _byte) = (MpichWorld, MpichByte);

        nint Function(string symbol) => NativeLibrary.TryGetExport(library, symbol, out nint address)
            ? address
            : throw new EntryPointNotFoundException($"'{name}' has no function {symbol}, so it is no MPI library. Name one with {PathVariable}.");
    }

    /// <summary>What the library calls itself.</summary>
    public string Version { get; }

    /// <summary>Whether somebody has started MPI in this process.</summary>
    public bool IsInitialized => Flag(_initialized);

    /// <summary>Whether MPI has ended in this process; it cannot be started again.</summary>
    public bool IsFinalized => Flag(_finalized);

    /// <summary>Number of this process.</summary>
    public int Rank => Number(_rank, "MPI_Comm_rank");

    /// <summary>Number of processes.</summary>
    public int Size => Number(_size, "MPI_Comm_size");

    /// <summary>Finds and loads the library: the one that <see cref="PathVariable"/> names, else the one whose launcher started this process, else any.</summary>
    /// <exception cref="DllNotFoundException">There is none.</exception>
    public static MpiLibrary Load()
    {
        if (Environment.GetEnvironmentVariable(PathVariable) is { Length: > 0 } path)
        {
            return NativeLibrary.TryLoad(path, out nint named)
                ? new MpiLibrary(named, path)
                : throw new DllNotFoundException($"{PathVariable} is '{path}', which cannot be loaded. Name the MPI library's file, such as /usr/lib/x86_64-linux-gnu/libmpi.so.40.");
        }
        string[] names = [.. MpiLaunch.IsByMpich ? MpichNames : [], .. OpenMpiNames, .. MpichNames, "libmpi.so"];
        foreach (string name in names)
        {
            if (NativeLibrary.TryLoad(name, out nint library))
            {
                return new MpiLibrary(library, name);
            }
        }
        throw new DllNotFoundException($"There is no MPI library (looked for {string.Join(", ", names.Distinct())}). Install one (on Debian: apt-get install openmpi-bin), or name its file with {PathVariable}.");
    }

    /// <summary>Starts MPI.</summary>
    /// <param name="level">What threads may do.</param>
    /// <returns>What they may do.</returns>
    public int Initialize(int level)
    {
        int provided = 0;
        Check(_initThread(null, null, level, &provided), "MPI_Init_thread");
        return provided;
    }

    public void Complete() => Check(_finalize(), "MPI_Finalize");

    public void Abort(int exitCode) => _ = _abort(_world, exitCode);

    public void AllGather(ReadOnlySpan<byte> own, Span<byte> all)
    {
        fixed (byte* from = own, to = all)
        {
            Check(_allGather(from, own.Length, _byte, to, own.Length, _byte, _world), "MPI_Allgather");
        }
    }

    public void AllToAll(ReadOnlySpan<byte> sent, Span<byte> received, int block)
    {
        fixed (byte* from = sent, to = received)
        {
            Check(_allToAll(from, block, _byte, to, block, _byte, _world), "MPI_Alltoall");
        }
    }

    public void Broadcast(Span<byte> data)
    {
        fixed (byte* at = data)
        {
            Check(_broadcast(at, data.Length, _byte, 0, _world), "MPI_Bcast");
        }
    }

    private static bool Flag(delegate* unmanaged[Cdecl]<int*, int> function)
    {
        int flag = 0;
        Check(function(&flag), "MPI_Initialized");
        return flag != 0;
    }

    private static void Check(int code, string function)
    {
        if (code != 0)
        {
            throw new InvalidOperationException($"{function} failed with code {code}.");
        }
    }

    private int Number(delegate* unmanaged[Cdecl]<nint, int*, int> function, string name)
    {
        int number = 0;
        Check(function(_world, &number), name);
        return number;
    }
}
