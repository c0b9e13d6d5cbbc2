namespace Lacos.Cli.Terminal;

/// <summary>What the user asked for cannot be done with what was found; the message is all there is to say. Exit code 1.</summary>
internal class ToolException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The command line asks for something that makes no sense. Exit code 2.</summary>
internal sealed class UsageException(string message, Exception? inner = null) : ToolException(message, inner);
