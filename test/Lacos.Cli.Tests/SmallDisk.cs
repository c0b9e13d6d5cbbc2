using System.Diagnostics;
using System.Globalization;

namespace Lacos.Cli.Tests;

/// <summary>A file system of a few megabytes in memory, which a test can fill; needs Linux and the right to mount.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string _filler;

    public SmallDisk(int megabytes)
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Inconclusive("Not run: a small disk is a tmpfs, which only Linux has.");
        }
        Path = Directory.CreateTempSubdirectory("lacos-disk-").FullName;
        _filler = File("filler");
        string? refusal = Run("mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={megabytes}m"), "lacos-test", Path);
        if (refusal is not null)
        {
            Directory.Delete(Path);
            Assert.Inconclusive($"Not run: a tmpfs cannot be mounted here ({refusal}).");
        }
    }

    public string Path { get; }

    public string File(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    /// <summary>Takes all room but some.</summary>
    public void Fill(long leave)
    {
        using var stream = new FileStream(_filler, FileMode.Create, FileAccess.Write, FileShare.None, 0);
        stream.Write(new byte[Math.Max(0, new DriveInfo(Path).AvailableFreeSpace - leave)]);
    }

    public void Empty() => System.IO.File.Delete(_filler);

    public void Dispose()
    {
        Run("umount", "-l", Path);
        Directory.Delete(Path);
    }

    private static string? Run(string program, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? null : error.Trim();
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            return error.Message;
        }
    }
}
