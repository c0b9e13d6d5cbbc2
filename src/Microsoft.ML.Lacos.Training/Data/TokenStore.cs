using System.Runtime.InteropServices;

namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>The token ids of many texts, in memory up to a budget and beyond it in a temporary file.</summary>
/// <remarks>Texts are numbered from 0 in the order in which they come. The file goes with the process, however that ends: on Unix it has no name once it is open, and Windows deletes it. Reading is thread-safe once the last text has been added.</remarks>
internal sealed class TokenStore : IDisposable
{
    private const int BlockLength = 1 << 18;

    private readonly List<long> _places = [];
    private readonly List<int[]?> _blocks = [];
    private readonly List<long> _filePositions = [];
    private readonly long _budget;
    private readonly string _folder;
    private FileStream? _file;
    private int[] _open = [];
    private int _used;
    private long _memory;

    /// <param name="memoryBytes">Bytes of token ids to hold in memory.</param>
    /// <param name="folder">Where the temporary file is made if it is needed.</param>
    public TokenStore(long memoryBytes, string folder) => (_budget, _folder) = (memoryBytes, folder);

    /// <summary>Texts so far.</summary>
    public int Count => _places.Count;

    /// <summary>Tokens of all texts together.</summary>
    public long TokenCount { get; private set; }

    /// <summary>Tokens of the longest text.</summary>
    public int Longest { get; private set; }

    /// <summary>Bytes that were written to the temporary file.</summary>
    public long SpilledBytes { get; private set; }

    /// <summary>Adds a text and gives its number.</summary>
    public int Add(ReadOnlySpan<int> ids)
    {
        // One more int for the length, in front of the ids.
        if (_open.Length - _used < ids.Length + 1)
        {
            Close();
            _open = new int[Math.Max(BlockLength, ids.Length + 1)];
        }
        _places.Add(((long)_blocks.Count << 32) | (uint)_used);
        _open[_used] = ids.Length;
        ids.CopyTo(_open.AsSpan(_used + 1));
        _used += ids.Length + 1;
        TokenCount += ids.Length;
        Longest = Math.Max(Longest, ids.Length);
        return _places.Count - 1;
    }

    /// <summary>Tokens of a text.</summary>
    public int LengthOf(int text)
    {
        int length = 0;
        Read(text, 0, MemoryMarshal.CreateSpan(ref length, 1));
        return length;
    }

    /// <summary>Appends a text's token ids to a list.</summary>
    public void AppendTo(int text, List<int> ids)
    {
        int length = LengthOf(text);
        int start = ids.Count;
        CollectionsMarshal.SetCount(ids, start + length);
        Read(text, 1, CollectionsMarshal.AsSpan(ids)[start..]);
    }

    public void Dispose() => _file?.Dispose();

    private void Read(int text, int skip, Span<int> values)
    {
        (int block, int start) = ((int)(_places[text] >> 32), (int)(uint)_places[text] + skip);
        int[]? ids = block == _blocks.Count ? _open : _blocks[block];
        if (ids is not null)
        {
            ids.AsSpan(start, values.Length).CopyTo(values);
            return;
        }
        Span<byte> bytes = MemoryMarshal.AsBytes(values);
        long position = _filePositions[block] + (sizeof(int) * (long)start);
        while (bytes.Length > 0)
        {
            int read = RandomAccess.Read(_file!.SafeFileHandle, bytes, position);
            if (read == 0)
            {
                throw new IOException($"The temporary file of token ids '{_file.Name}' ended at byte {position}; it was shortened while training. Start again with the folder left alone.");
            }
            bytes = bytes[read..];
            position += read;
        }
    }

    private void Close()
    {
        if (_used == 0)
        {
            return;
        }
        if (_memory + (sizeof(int) * (long)_open.Length) <= _budget)
        {
            _memory += sizeof(int) * (long)_open.Length;
            _blocks.Add(_open);
            _filePositions.Add(-1);
        }
        else
        {
            _file ??= CreateFile();
            RandomAccess.Write(_file.SafeFileHandle, MemoryMarshal.AsBytes<int>(_open.AsSpan(0, _used)), SpilledBytes);
            _blocks.Add(null);
            _filePositions.Add(SpilledBytes);
            SpilledBytes += sizeof(int) * (long)_used;
        }
        (_open, _used) = ([], 0);
    }

    private FileStream CreateFile()
    {
        string path = Path.Combine(_folder, $"lacos-tokens-{Guid.NewGuid():N}");
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 0, FileOptions.DeleteOnClose);
        if (!OperatingSystem.IsWindows())
        {
            // There only the process itself would delete it on closing, which one that is killed does not come to.
            File.Delete(path);
        }
        return file;
    }
}
