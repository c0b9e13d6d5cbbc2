namespace Microsoft.ML.Lacos.Training.Checkpoints;

/// <summary>Keeps a second run out of a folder while the first writes there. The system lets go of it with the process, however that ends.</summary>
internal sealed class RunLock : IDisposable
{
    private const string FileName = ".running";

    private readonly FileStream _file;

    /// <param name="folder">Folder of the run; made where it does not exist.</param>
    /// <exception cref="IOException">The folder cannot be made, or nothing be written into it.</exception>
    /// <exception cref="InvalidOperationException">Another run has it.</exception>
    public RunLock(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (IOException error)
        {
            throw new IOException($"The folder '{folder}' cannot be made ({error.Message.TrimEnd('.')}). Name one in which files can be written.", error);
        }
        string path = Path.Combine(folder, FileName);
        try
        {
            _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new IOException($"'{path}', which keeps a second run out of the folder, cannot be opened for writing ({error.Message.TrimEnd('.')}). Remove it where no run is writing there, or name another folder.", error);
        }
        catch (IOException error) when (File.Exists(path))
        {
            throw new InvalidOperationException($"Another run is writing into '{folder}' ('{FileName}' there is in use). Wait for it or stop it, or name another folder.", error);
        }
    }

    public void Dispose() => _file.Dispose();
}
