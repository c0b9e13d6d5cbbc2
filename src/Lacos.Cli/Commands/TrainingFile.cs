using System.Globalization;
using Lacos.Cli.Input;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos;
using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Lacos.Training.Data;

namespace Lacos.Cli.Commands;

/// <summary>A file of training pairs, read anew and row by row whenever it is asked for.</summary>
internal sealed class TrainingFile
{
    private readonly string _path;
    private readonly ToolStreams _streams;
    private readonly CancellationToken _cancellationToken;
    private readonly int _rows;
    private readonly int _seed;
    private readonly string? _labelName;
    private readonly bool _isEvaluation;
    private bool _warned;

    /// <summary>Opens the file once, to see which columns it has.</summary>
    /// <param name="path">A path.</param>
    /// <param name="columns">Names of the columns, or null for the usual ones.</param>
    /// <param name="classes">Column with the classes of texts; null for the usual one.</param>
    /// <param name="group">Column whose values are balanced; null for none.</param>
    /// <param name="needs">What the loss needs.</param>
    /// <param name="rows">Rows to draw at random; 0 for all.</param>
    /// <param name="seed">Decides which are drawn.</param>
    /// <param name="streams">Takes warnings.</param>
    /// <param name="cancellationToken">Checked row by row.</param>
    public TrainingFile(string path, IReadOnlyList<string>? columns, string? classes, string? group, PairNeeds needs, int rows, int seed, ToolStreams streams, CancellationToken cancellationToken)
    {
        (_path, _rows, _seed, _streams, _cancellationToken) = (path, rows, seed, streams, cancellationToken);
        using RecordReader records = Open();
        Columns = classes is not null ? TrainingColumns.OfClasses(records, classes, columns)
            : (columns is null && needs != PairNeeds.OneSentence ? TrainingColumns.OfClasses(records) : null)
                ?? TrainingColumns.Choose(records, columns, group, needs, "Say which to take with --columns; texts and their classes are looked for in 'text' and 'label', or name theirs with --class-column.");
        _labelName = Columns.Label is int label ? records.Columns[label] : null;
    }

    /// <summary>
    /// Opens a file to judge on, with the usual columns or those of the training data: of texts and their classes, or of scored pairs, which are taken as <c>lacos eval</c> takes them:
    /// without a score, left out with a warning; without a text, as any other.
    /// </summary>
    /// <param name="path">A path.</param>
    /// <param name="columns">The column with texts, where the next is given; null for the usual one.</param>
    /// <param name="classes">Column with the classes of texts; null for the usual one.</param>
    /// <param name="streams">Takes warnings.</param>
    /// <param name="cancellationToken">Checked row by row.</param>
    public TrainingFile(string path, IReadOnlyList<string>? columns, string? classes, ToolStreams streams, CancellationToken cancellationToken)
    {
        (_path, _streams, _cancellationToken, _isEvaluation) = (path, streams, cancellationToken, true);
        using RecordReader records = Open();
        Columns = classes is not null ? TrainingColumns.OfClasses(records, classes, columns) : TrainingColumns.OfClasses(records) ?? TrainingColumns.OfEvaluation(records);
    }

    /// <summary>The columns in use.</summary>
    public TrainingColumns Columns { get; }

    /// <summary>The loss that learns from the labels; null where any number will do.</summary>
    public TrainingLoss? Loss { get; init; }

    /// <summary>The pairs.</summary>
    /// <exception cref="InvalidDataException">A label is no number; the message names the line.</exception>
    public IEnumerable<TrainingPair> Pairs => _rows > 0 ? Drawn() : All();

    // A file and nothing else, since it is read more than once; and training has no --format.
    private RecordReader Open() =>
        Directory.Exists(_path) ? throw new ToolException($"'{_path}' is a folder. Name a file in it.")
        : FileStatus.SpecialKind(_path) is { } kind ? throw new ToolException($"'{_path}' is {kind}, which can be read only once, and training reads its data more often. Write the rows to a file and name that.")
        : !File.Exists(_path) ? throw new ToolException($"There is no file '{_path}'. Name a .tsv, .csv or .jsonl file, each also with .gz.")
        : TextFormats.OfName(_path) is null ? throw TextFormats.NotTold(_path, "Rename it.")
        : RecordReader.Open(_path, null, hasHeader: true, _streams.Input);

    private IEnumerable<TrainingPair> All()
    {
        using RecordReader records = Open();
        int[] indices = Columns.Indices;
        var values = new string?[indices.Length];
        int withoutText = 0;
        int withoutLabel = 0;
        while (records.Read(indices, values))
        {
            _cancellationToken.ThrowIfCancellationRequested();
            if (ToPair(values, records.Place) is not TrainingPair pair)
            {
                withoutText++;
            }
            else if (float.IsNaN(pair.Label))
            {
                withoutLabel++;
            }
            else
            {
                yield return pair;
            }
        }
        if (!_warned)
        {
            if (withoutText > 0)
            {
                _streams.Warn(string.Create(CultureInfo.InvariantCulture, $"{withoutText:N0} row(s) of {records.File.DisplayName} lack a text and are left out."));
            }
            if (withoutLabel > 0)
            {
                _streams.Warn(string.Create(CultureInfo.InvariantCulture, $"{withoutLabel:N0} pair(s) of {records.File.DisplayName} have no score and are left out."));
            }
            InputOptions.WarnOfEncoding(records.File, _streams);
            _warned = true;
        }
    }

    // Vitter's reservoir: each row is kept with the same probability, and only as many as are drawn are held.
    private List<TrainingPair> Drawn()
    {
        var random = new Random(_seed);
        var kept = new List<TrainingPair>();
        long seen = 0;
        foreach (TrainingPair pair in All())
        {
            if (kept.Count < _rows)
            {
                kept.Add(pair);
            }
            else if (random.NextInt64(seen + 1) is long place && place < _rows)
            {
                kept[(int)place] = pair;
            }
            seen++;
        }
        return kept;
    }

    private TrainingPair? ToPair(string?[] values, string place)
    {
        int next = 0;
        var pair = new TrainingPair { Sentence1 = values[next++] ?? "" };
        bool whole = !string.IsNullOrWhiteSpace(pair.Sentence1);
        if (Columns.Second is not null)
        {
            pair.Sentence2 = values[next++] ?? "";
            whole &= !string.IsNullOrWhiteSpace(pair.Sentence2);
        }
        for (int number = 0; number < Columns.Negatives.Count; number++)
        {
            string negative = values[next++] ?? "";
            pair.SetNegative(number, negative);
            whole &= !string.IsNullOrWhiteSpace(negative);
        }
        if (!whole && !_isEvaluation)
        {
            return null;
        }
        if (Columns.Label is not null)
        {
            pair.Label = ParseLabel(values[next++], place);
            CheckLabel(pair.Label, place);
        }
        pair.Group = Columns.Group is null ? "" : values[next] ?? "";
        return pair;
    }

    // NaN where it may be missing and is.
    private float ParseLabel(string? text, string place) =>
        _isEvaluation && string.IsNullOrWhiteSpace(text) ? float.NaN
        : float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float label) && (float.IsFinite(label) || (_isEvaluation && float.IsNaN(label))) ? label
        : throw new InvalidDataException($"{place} has the label '{text}', which is no number. {(_isEvaluation ? "Correct it." : "Correct it, or say which column holds the labels with --columns A,B,LABEL.")}");

    // By the library's rule, but with the line and the file's own column.
    private void CheckLabel(float label, string place)
    {
        if (Loss is TrainingLoss loss && TrainingLabels.NeededInsteadOf(label, loss) is string needed)
        {
            throw new InvalidDataException(OptionName.InText(string.Create(CultureInfo.InvariantCulture, $"{place} has {label} in its column '{_labelName}'; the loss {loss} needs {needed}.")));
        }
    }
}
