using Lacos.Cli.Terminal;

namespace Lacos.Cli.Download;

/// <summary>The user's token, from the environment.</summary>
internal static class HubToken
{
    /// <summary>The variable's name.</summary>
    public const string Variable = "HF_TOKEN";

    /// <summary>Reads it; <see langword="null"/> where there is none.</summary>
    /// <exception cref="UsageException">It is no token; the message does not show it.</exception>
    public static string? Read(Func<string, string?> variable)
    {
        string? token = variable(Variable)?.Trim();
        if (string.IsNullOrEmpty(token))
        {
            return null;
        }
        return token.All(letter => letter is > ' ' and < '\x7F')
            ? token
            : throw new UsageException($"{Variable} holds spaces or characters that no token has. Copy the token again, or unset the variable.");
    }
}
