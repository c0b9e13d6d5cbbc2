using System.CommandLine;
using Lacos.Cli.Input;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Commands;

/// <summary>The options of a command whose work can be shared out among many runs, on one machine or many.</summary>
internal sealed class ShardOptions
{
    private readonly Option<string?> _shard = new("--shard")
    {
        Description = "Only the i-th of n equal parts of the input, i from 1; written to NAME-0000i-of-0000n. A part that is whole already is not made again", HelpName = "i/n",
    };

    private readonly Option<bool> _force = new("--force") { Description = "Make the part again even where it is whole" };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_shard);
        command.Options.Add(_force);
        _shard.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && Shard.Parse(result.Tokens[0].Value) is null)
            {
                result.AddError($"--shard is '{result.Tokens[0].Value}'; it must be i/n, two whole numbers with i from 1 to n and n at most {Shard.Most}, for example 3/7.");
            }
        });
        command.Validators.Add(result =>
        {
            if (result.GetResult(_force) is not null && result.GetResult(_shard) is null)
            {
                result.AddError("--force has an effect only with --shard: without it the output is always made anew. Leave it out.");
            }
        });
    }

    /// <summary>Whether a part that is whole is made again.</summary>
    public bool Force(ParseResult parse) => parse.GetValue(_force);

    /// <summary>The part asked for; <see langword="null"/> for the whole input.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="input">Path of the input.</param>
    /// <exception cref="UsageException">The input cannot be read twice.</exception>
    public Shard? Of(ParseResult parse, string input)
    {
        if (parse.GetValue(_shard) is not string text)
        {
            return null;
        }
        string? kind = input == InputFile.Standard ? "standard input" : FileStatus.SpecialKind(input);
        return kind is null
            ? Shard.Parse(text)
            : throw new UsageException($"--shard counts the rows of the input before it reads its part, and {(kind == "standard input" ? kind : $"'{input}' is {kind}, which")} can be read only once. Write the texts to a file and name that.");
    }
}
