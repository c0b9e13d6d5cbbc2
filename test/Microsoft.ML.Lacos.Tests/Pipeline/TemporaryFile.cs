namespace Microsoft.ML.Lacos.Tests.Pipeline;

/// <summary>The path of a file that is deleted afterwards.</summary>
internal sealed class TemporaryFile : IDisposable
{
    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"lacos-test-{Guid.NewGuid():N}");

    public void Dispose() => File.Delete(Path);
}
