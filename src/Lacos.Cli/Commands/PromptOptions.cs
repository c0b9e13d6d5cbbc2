using System.CommandLine;
using Lacos.Cli.Models;
using Lacos.Cli.Terminal;

namespace Lacos.Cli.Commands;

/// <summary>What is put before every sentence, or before every second one.</summary>
internal sealed class PromptOptions
{
    private readonly Option<string?> _text;
    private readonly Option<string?> _name;

    private PromptOptions(string prefix, string description, string otherwise)
    {
        _text = new($"--{prefix}prompt") { Description = $"{description}; \"\" for none. Default: {otherwise}", HelpName = "text" };
        _name = new($"--{prefix}prompt-name") { Description = $"Name of one of the model's own prompts, in place of --{prefix}prompt; 'lacos info' lists them", HelpName = "name" };
    }

    /// <param name="description">What the text is, for help.</param>
    public PromptOptions(string description)
        : this("", description, "the model's own")
    {
    }

    /// <summary>Options of second sentences, <c>--second-prompt</c> and <c>--second-prompt-name</c>.</summary>
    /// <param name="description">What the text is, for help.</param>
    public static PromptOptions OfSecond(string description) => new("second-", description, "as --prompt");

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

    /// <summary>The option that was given; <see langword="null"/> for none.</summary>
    public string? Given(ParseResult parse) => Text(parse) is not null ? _text.Name : Name(parse) is not null ? _name.Name : null;

    /// <summary>A model with the prompt of second sentences, over the same weights; <see langword="null"/> where they are as the first. Its caller disposes it.</summary>
    /// <exception cref="UsageException">The model has no prompt of that name, or the prompt leaves no token for a text.</exception>
    public LoadedModel? Second(ParseResult parse, LoadedModel model)
    {
        if (Given(parse) is not string option)
        {
            return null;
        }
        try
        {
            return model.WithSecondPrompt(Text(parse), Name(parse));
        }
        catch (ArgumentException error)
        {
            string message = OptionName.InMessage(error);
            throw new UsageException(message.StartsWith(option, StringComparison.Ordinal) ? message : $"{option}: {message}", error);
        }
    }
}
