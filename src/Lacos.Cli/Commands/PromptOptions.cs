using System.CommandLine;

namespace Lacos.Cli.Commands;

/// <summary>What is put before every sentence.</summary>
/// <param name="description">What the text is, for help.</param>
internal sealed class PromptOptions(string description)
{
    private readonly Option<string?> _text = new("--prompt") { Description = $"{description}; \"\" for none. Default: the model's own", HelpName = "text" };

    private readonly Option<string?> _name = new("--prompt-name") { Description = "Name of one of the model's own prompts, in place of --prompt; 'lacos info' lists them", HelpName = "name" };

    /// <summary>The options, for a command to take.</summary>
    public IReadOnlyList<Option> All => [_text, _name];

    /// <summary>Lets a command refuse a text beside a name.</summary>
    public void RefuseBoth(Command command) => command.Validators.Add(result =>
    {
        if (result.GetResult(_text) is not null && result.GetResult(_name) is not null)
        {
            result.AddError($"{_text.Name} and {_name.Name} contradict each other. Give one of them.");
        }
    });

    /// <summary>The text asked for; <see langword="null"/> for the model's default, empty for none.</summary>
    public string? Text(ParseResult parse) => parse.GetValue(_text);

    /// <summary>Name of one of the model's prompts; <see langword="null"/> to go by the text.</summary>
    public string? Name(ParseResult parse) => parse.GetValue(_name);
}
