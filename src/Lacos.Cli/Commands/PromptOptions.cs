using System.CommandLine;

namespace Lacos.Cli.Commands;

/// <summary>What is put before every sentence.</summary>
/// <param name="description">What the text is, for help.</param>
internal sealed class PromptOptions(string description)
{
    private readonly Option<string?> _text = new("--prompt") { Description = $"{description}; \"\" for none. Default: the model's own", HelpName = "text" };

    /// <summary>The options, for a command to take.</summary>
    public IReadOnlyList<Option> All => [_text];

    /// <summary>The text asked for; <see langword="null"/> for the model's default, empty for none.</summary>
    public string? Text(ParseResult parse) => parse.GetValue(_text);
}
