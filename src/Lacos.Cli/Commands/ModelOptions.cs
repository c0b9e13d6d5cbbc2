using System.CommandLine;
using System.Globalization;
using Lacos.Cli.Models;
using Lacos.Cli.Output;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Native;

namespace Lacos.Cli.Commands;

/// <summary>The options of every command that encodes: which model, and how.</summary>
internal sealed class ModelOptions
{
    private static readonly string[] ComputeNames = ["int8", "int8-weight-only", "float32"];
    private static readonly string[] LongTextNames = ["truncate", "window", "throw"];

    private readonly Option<string?> _model = new("--model", "-m") { Description = "A .lacos file or a Hugging Face or sentence-transformers folder; without it the built-in model", HelpName = "path" };
    private readonly Option<string?> _adapter = new("--adapter", "-a") { Description = "A PEFT folder with a LoRA adapter to merge into the model", HelpName = "folder" };
    private readonly Option<string?> _pooling = PoolingOption("How token vectors become one");
    private readonly Option<bool> _normalize = new("--normalize") { Description = "Divide vectors by their Euclidean norm. Default: the model's own" };
    private readonly Option<bool> _noNormalize = new("--no-normalize") { Description = "Leave vectors as pooling gives them" };
    private readonly PromptOptions _prompt = new("Text put before every sentence");
    private readonly Option<int> _dimension = Number("--dim", 1, "Keep only the first N dimensions (before normalising)", "N");
    private readonly Option<int> _maximumTokens = Number("--max-tokens", 1, "Token limit of a text, prompt included. Default: the model's own", "N");
    private readonly Option<string> _longText = Choice("--long-text", "What to do with longer texts", LongTextNames);
    private readonly Option<string> _compute = Choice("--compute", "Arithmetic of the linear layers", ComputeNames);
    private readonly Option<int> _batchTokens = Number("--batch-tokens", 1, "Tokens encoded together. Default: 4096, or 512 a thread where that is more. Changes speed and memory, never a vector", "N");
    private readonly Option<int> _threads = Number("--threads", 1, $"Threads, 1 to {EncoderThreads.Most}. Default: LACOS_NUM_THREADS, else as many as CPU affinity and the container's quota allow. Changes no vector", "N", EncoderThreads.Most);

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="secondPrompt">Those of second sentences, where it has them.</param>
    public void AddTo(Command command, PromptOptions? secondPrompt = null)
    {
        foreach (Option option in (Option[])[_model, _adapter, _pooling, _normalize, _noNormalize, .. _prompt.All, .. secondPrompt?.All ?? [], _dimension, _maximumTokens, _longText, _compute, _batchTokens, _threads])
        {
            command.Options.Add(option);
        }
        _prompt.RefuseBoth(command);
        secondPrompt?.RefuseBoth(command);
        command.Validators.Add(result =>
        {
            if (result.GetResult(_normalize) is not null && result.GetResult(_noNormalize) is not null)
            {
                result.AddError("--normalize and --no-normalize contradict each other. Give one of them.");
            }
        });
    }

    /// <summary>Threads that the options ask for; 1 or more.</summary>
    public int Threads(ParseResult parse) => EncoderThreads.Resolve(parse.GetValue(_threads));

    /// <summary>Refuses an output that would overwrite the model, the adapter or another input.</summary>
    /// <exception cref="UsageException">It would.</exception>
    public void RefuseOverwriting(string output, ParseResult parse, params IEnumerable<string?> files) => OverwriteCheck.RefuseFile(output, parse.GetValue(_model), parse.GetValue(_adapter), files);

    /// <summary>Opens the model that the command line asks for.</summary>
    /// <exception cref="UsageException">An option does not fit the model.</exception>
    public LoadedModel Open(ParseResult parse, IModelSource source)
    {
        var options = new SentenceEncoderOptions
        {
            Pooling = parse.GetValue(_pooling) is string pooling ? PoolingArgument.Parse(pooling) : null,
            Normalize = parse.GetValue(_normalize) ? true : parse.GetValue(_noNormalize) ? false : null,
            Prompt = _prompt.Text(parse),
            PromptName = _prompt.Name(parse),
            Dimension = parse.GetValue(_dimension),
            MaximumTokenCount = parse.GetValue(_maximumTokens),
            LongText = (LongText)Array.IndexOf(LongTextNames, parse.GetValue(_longText)),
            Compute = (BloomCompute)Array.IndexOf(ComputeNames, parse.GetValue(_compute)),
            ThreadCount = parse.GetValue(_threads),
        };
        if (parse.GetValue(_batchTokens) is int batchTokens and > 0)
        {
            options = options with { BatchTokens = batchTokens };
        }
        try
        {
            return source.Open(parse.GetValue(_model), parse.GetValue(_adapter), options);
        }
        catch (ArgumentException error)
        {
            throw new UsageException(OptionName.InMessage(error), error);
        }
    }

    /// <summary>Name of an arithmetic on the command line and in files.</summary>
    public static string Name(BloomCompute compute) => ComputeNames[(int)compute];

    /// <summary>Name of a treatment of long texts on the command line and in files.</summary>
    public static string Name(LongText longText) => LongTextNames[(int)longText];

    internal static Option<string?> PoolingOption(string description)
    {
        var option = new Option<string?>("--pooling") { Description = $"{description}: {PoolingArgument.All}; several with commas are concatenated. Default: the model's own", HelpName = "modes" };
        option.Validators.Add(result =>
        {
            foreach (string text in result.Tokens.Select(token => token.Value).Where(text => PoolingArgument.Parse(text) is null))
            {
                result.AddError($"'{text}' is no pooling. Take one or more of {PoolingArgument.All}, with commas between them.");
            }
        });
        return option;
    }

    internal static Option<string> Choice(string name, string description, string[] names)
    {
        var option = new Option<string>(name) { Description = $"{description}: {string.Join(", ", names)}", HelpName = "name", DefaultValueFactory = _ => names[0] };
        option.AcceptOnlyFromAmong(names);
        return option;
    }

    /// <summary>Refuses numbers outside a range as errors of usage; what is no number at all is the parser's to refuse.</summary>
    internal static void Bounded<T>(Option<T> option, Predicate<double> fits, string expected) => option.Validators.Add(result =>
    {
        if (result.Tokens.Count == 1 && double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && !fits(value))
        {
            result.AddError($"{option.Name} is {result.Tokens[0].Value}; it must be {expected}.");
        }
    });

    internal static Option<int> Number(string name, int least, string description, string helpName, int most = int.MaxValue)
    {
        var option = new Option<int>(name) { Description = description, HelpName = helpName };
        Bounded(option, value => value >= least && value <= most, most == int.MaxValue ? $"at least {least}" : $"from {least} to {most}");
        return option;
    }
}
