using System.Text;

namespace Lacos.Cli.Terminal;

/// <summary>Lets a Windows console show the UTF-8 that the tool writes, and gives it its own code page back.</summary>
internal sealed class ConsoleEncoding : IDisposable
{
    private readonly Encoding? _before;

    /// <summary>Does nothing elsewhere, and nothing where no console is written to: the code page belongs to the console, which other programs share.</summary>
    public ConsoleEncoding()
    {
        if (!OperatingSystem.IsWindows() || (Console.IsOutputRedirected && Console.IsErrorRedirected) || Console.OutputEncoding.CodePage == Encoding.UTF8.CodePage)
        {
            return;
        }
        _before = Console.OutputEncoding;
        Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
    }

    public void Dispose()
    {
        if (_before is not null)
        {
            Console.OutputEncoding = _before;
        }
    }
}
