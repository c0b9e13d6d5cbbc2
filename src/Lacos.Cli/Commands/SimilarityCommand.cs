using System.CommandLine;
using System.Globalization;
using Lacos.Cli.Models;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Evaluation;

namespace Lacos.Cli.Commands;

/// <summary><c>lacos similarity</c>: the cosine of two texts, or of every pair of several.</summary>
internal sealed class SimilarityCommand(ToolStreams streams, IModelSource source)
{
    private const int MostTexts = 1000;

    private readonly ModelOptions _model = new();

    private readonly Argument<string[]> _texts = new("texts") { Description = "Two or more texts", Arity = ArgumentArity.ZeroOrMore };

    /// <summary>Makes the command.</summary>
    public Command Create()
    {
        var command = new Command("similarity", "Print the cosine of two texts, or a matrix for more. Put -- before a text that begins with a dash.");
        command.Arguments.Add(_texts);
        _texts.Validators.Add(result =>
        {
            if (result.Tokens.Count is < 2 or > MostTexts)
            {
                result.AddError($"There are {result.Tokens.Count} texts to compare. Give 2 to {MostTexts} texts, each in quotation marks.");
            }
        });
        _model.AddTo(command);
        command.SetAction((parse, cancellationToken) => Task.FromResult(Run(parse, cancellationToken)));
        return command;
    }

    private int Run(ParseResult parse, CancellationToken cancellationToken)
    {
        // The validator of an argument is not asked where it is left out.
        string[] texts = parse.GetValue(_texts) is { Length: > 0 } given ? given : throw new UsageException($"There are no texts to compare. Give 2 to {MostTexts} texts, each in quotation marks.");
        using LoadedModel model = _model.Open(parse, source);
        int dimension = model.Encoder.Dimension;
        var vectors = new float[texts.Length * dimension];
        model.Encode(texts, vectors, index => string.Create(CultureInfo.InvariantCulture, $"Text {index + 1}, counted from 1,"), cancellationToken);
        if (texts.Length == 2)
        {
            streams.WriteLine(Cosine(vectors, dimension, 0, 1));
            return ExitCode.Success;
        }
        int numberWidth = texts.Length.ToString(CultureInfo.InvariantCulture).Length;
        streams.WriteLine(new string(' ', numberWidth) + string.Concat(Enumerable.Range(1, texts.Length).Select(column => column.ToString(CultureInfo.InvariantCulture).PadLeft(9))));
        for (int row = 0; row < texts.Length; row++)
        {
            string number = (row + 1).ToString(CultureInfo.InvariantCulture).PadLeft(numberWidth);
            IEnumerable<string> cosines = Enumerable.Range(0, texts.Length).Select(column => Cosine(vectors, dimension, row, column).PadLeft(9));
            streams.WriteLine($"{number}{string.Concat(cosines)}  {OneLine(texts[row])}");
        }
        return ExitCode.Success;
    }

    private static string Cosine(float[] vectors, int dimension, int left, int right) =>
        PairSimilarity.Of<float>(vectors.AsSpan(left * dimension, dimension), vectors.AsSpan(right * dimension, dimension)).Cosine.ToString("F4", CultureInfo.InvariantCulture);

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");
}
