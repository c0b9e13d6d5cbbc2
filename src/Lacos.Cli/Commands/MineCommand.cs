using System.CommandLine;
using System.Globalization;
using Lacos.Cli.Input;
using Lacos.Cli.Mining;
using Lacos.Cli.Models;
using Lacos.Cli.Output;
using Lacos.Cli.Terminal;

namespace Lacos.Cli.Commands;

/// <summary><c>lacos mine</c>: pairs in, the same pairs with hard negatives beside them out.</summary>
internal sealed class MineCommand(ToolStreams streams, IModelSource source)
{
    private readonly ModelOptions _model = new();
    private readonly PromptOptions _secondPrompt = PromptOptions.OfSecond("Text put before every positive and negative");
    private readonly Option<string> _data = new("--data", "-d") { Description = "Pairs of an anchor and a text that belongs to it: .tsv, .csv or .jsonl, each also with .gz; .parquet; .arrow, .arrows, .feather", HelpName = "path", Required = true };
    private readonly Option<string?> _columns = new("--columns") { Description = "Anchor and positive; names or numbers from 0. Default: anchor,positive and the like", HelpName = "a,b" };
    private readonly Option<string> _output = new("--output", "-o") { Description = "The pairs with their negatives: .tsv or .jsonl, each also with .gz", HelpName = "path", Required = true };
    private readonly Option<int> _negatives = ModelOptions.Number(
        "--negatives", 1, $"Negatives of an anchor: the column 'negative', or 'negative_1' and so on. At most {TrainingPair.MostNegatives}, as many as 'lacos train' takes. Default: 1", "N", TrainingPair.MostNegatives);
    private readonly Option<int> _skip = ModelOptions.Number("--skip", 0, "Leave out the N most similar texts that pass the bounds. Default: 0", "N");
    private readonly Option<int> _range = ModelOptions.Number("--range", 1, "Choose at random among the N most similar after those. Default: as many as negatives, so the most similar ones", "N");
    private readonly Option<double> _margin = Share("--relative-margin", "A negative is at most 1 minus this times as similar as the positive; from 0, which allows as similar ones, to 1");
    private readonly Option<double?> _absoluteMargin = Score("--absolute-margin", "A negative's cosine is at least this much below the positive's; from -1 to 1");
    private readonly Option<double?> _maximum = Score("--max-score", "Largest cosine of a negative, from -1 to 1");
    private readonly Option<double?> _minimum = Score("--min-score", "Smallest cosine of a negative, from -1 to 1");
    private readonly Option<int?> _seed = new("--seed") { Description = "Decides the choice. Default: 1", HelpName = "N" };
    private readonly Option<string?> _format = InputOptions.FormatOption();
    private readonly Option<bool> _noHeader = InputOptions.NoHeaderOption();

    /// <summary>Makes the command.</summary>
    public Command Create()
    {
        var command = new Command("mine", "Find hard negatives for pairs: texts of other rows that look similar to the current model.");
        foreach (Option option in new Option[] { _data, _columns, _output, _negatives, _skip, _range, _margin, _absoluteMargin, _maximum, _minimum, _seed, _format, _noHeader })
        {
            command.Options.Add(option);
        }
        _model.AddTo(command, _secondPrompt);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        MiningSettings settings = Settings(parse);
        string output = parse.GetRequiredValue(_output);
        RecordWriter.FormatOf(output);
        _model.RefuseOverwriting(output, parse, parse.GetRequiredValue(_data));
        string[] names = settings.Negatives == 1 ? ["negative"] : [.. Enumerable.Range(1, settings.Negatives).Select(number => string.Create(CultureInfo.InvariantCulture, $"negative_{number}"))];
        PairTable table = await ReadAsync(parse, names, cancellationToken).ConfigureAwait(false);
        using LoadedModel model = _model.Open(parse, source);
        using LoadedModel? second = _secondPrompt.Second(parse, model);
        using RecordWriter writer = RecordWriter.Create(output, [.. table.Columns, .. names]);
        MinedAnchor[] mined = [];
        await ProgressDisplay.RunAsync(streams, "Mining", "texts and anchors", Work(table), async progress =>
        {
            await Task.Yield();
            mined = Mine(table, model, second ?? model, settings, _model.Threads(parse), progress, cancellationToken);
        }).ConfigureAwait(false);
        int written = Write(table, mined, settings, writer, cancellationToken);
        writer.Complete();
        Report(table, mined, written);
        return ExitCode.Success;
    }

    private async Task<PairTable> ReadAsync(ParseResult parse, string[] negatives, CancellationToken cancellationToken)
    {
        string path = parse.GetRequiredValue(_data);
        using RecordReader records = await RecordReader.OpenAsync(
            () => RecordReader.Open(path, parse.GetValue(_format), !parse.GetValue(_noHeader), streams.Input), cancellationToken).ConfigureAwait(false);
        string[] replaced = [.. records.Columns.Where(column => negatives.Contains(column.Trim(), StringComparer.OrdinalIgnoreCase)).Distinct(StringComparer.Ordinal)];
        PairTable table = PairTable.Read(records, parse.GetValue(_columns), replaced.ToHashSet(StringComparer.Ordinal), cancellationToken);
        if (replaced.Length > 0)
        {
            streams.Note($"The column(s) {string.Join(", ", replaced.Select(RecordReader.InMessage))} of {records.File.DisplayName} are replaced.");
        }
        if (table.LeftOut > 0)
        {
            streams.Warn(string.Create(CultureInfo.InvariantCulture, $"{table.LeftOut:N0} row(s) of {records.File.DisplayName} lack a text and are left out."));
        }
        InputOptions.WarnOfEncoding(records.File, streams);
        return table.Texts.Count > 1
            ? table
            : throw new ToolException($"{records.File.DisplayName} has {table.Texts.Count} different second text(s); a negative is another row's. Give a file with more pairs.");
    }

    // Both halves of the work in one bar: encoding all texts, then comparing each anchor with all of them. A comparison of 384 elements is some hundred thousand times cheaper than a text.
    private static long Work(PairTable table) => (table.Texts.Count + table.Anchors.Count) + ((long)table.Anchors.Count * (1 + (table.Texts.Count / 100_000)));

    private static MinedAnchor[] Mine(PairTable table, LoadedModel anchorModel, LoadedModel textModel, MiningSettings settings, int threads, ProgressDisplay progress, CancellationToken cancellationToken)
    {
        var corpus = new VectorTable(textModel.Encoder.Dimension);
        long done = 0;
        for (int start = 0; start < table.Texts.Count; start += VectorTable.BlockRows)
        {
            corpus.Add(Encode(textModel, table.Texts, start, cancellationToken));
            progress.Report(done = corpus.Count, done);
        }
        var search = new HardNegatives(corpus, settings, threads);
        var mined = new List<MinedAnchor>(table.Anchors.Count);
        for (int start = 0; start < table.Anchors.Count; start += VectorTable.BlockRows)
        {
            var anchors = new VectorTable(corpus.Dimension);
            anchors.Add(Encode(anchorModel, table.Anchors, start, cancellationToken));
            int[] numbers = [.. Enumerable.Range(start, anchors.Count)];
            mined.AddRange(search.Find(anchors, [.. numbers.Select(table.TrueTexts)], [.. numbers.Select(table.Excluded)], start, cancellationToken));
            progress.Report(corpus.Count + mined.Count, corpus.Count + ((long)mined.Count * (2 + (table.Texts.Count / 100_000))));
        }
        return [.. mined];
    }

    private static float[] Encode(LoadedModel model, List<string> texts, int start, CancellationToken cancellationToken)
    {
        string?[] block = [.. texts.GetRange(start, Math.Min(VectorTable.BlockRows, texts.Count - start))];
        var vectors = new float[block.Length * model.Encoder.Dimension];
        model.Encode(block, vectors, index => $"The text '{(block[index]!.Length <= 40 ? block[index] : block[index]![..40] + "…")}'", cancellationToken);
        return vectors;
    }

    private static int Write(PairTable table, MinedAnchor[] mined, MiningSettings settings, RecordWriter writer, CancellationToken cancellationToken)
    {
        int written = 0;
        foreach ((string?[] values, int anchor, string place) in table.Rows)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (mined[anchor].Negatives.Length == settings.Negatives)
            {
                writer.Write([.. values, .. mined[anchor].Negatives.Select(negative => table.Texts[negative.Index])], place);
                written++;
            }
        }
        return written;
    }

    private void Report(PairTable table, MinedAnchor[] mined, int written)
    {
        if (written < table.Rows.Count)
        {
            streams.Warn(string.Create(CultureInfo.InvariantCulture, $"{table.Rows.Count - written:N0} row(s) have too few texts within the bounds and are left out. Widen the bounds, or ask for fewer negatives."));
        }
        float[] negatives = [.. mined.SelectMany(anchor => anchor.Negatives).Select(negative => negative.Score)];
        streams.Note(string.Create(
            CultureInfo.InvariantCulture,
            $"{written:N0} rows; {table.Anchors.Count:N0} anchors against {table.Texts.Count:N0} texts; mean cosine {mined.Average(anchor => anchor.LeastTrue):F3} of positives, {(negatives.Length == 0 ? double.NaN : negatives.Average(score => (double)score)):F3} of negatives."));
    }

    private MiningSettings Settings(ParseResult parse)
    {
        int negatives = Math.Max(1, parse.GetValue(_negatives));
        int range = parse.GetValue(_range) is int given and > 0 ? given : negatives;
        const int Deepest = 100_000;
        if (range < negatives)
        {
            throw new UsageException($"--range is {range}, fewer than the {negatives} negative(s) to choose. Raise it, or leave it out.");
        }
        if ((long)range + parse.GetValue(_skip) > Deepest)
        {
            throw new UsageException($"--skip and --range are more than {Deepest} together. Lower them.");
        }
        return new MiningSettings(
            negatives, parse.GetValue(_skip), range, parse.GetValue(_margin), parse.GetValue(_absoluteMargin), parse.GetValue(_maximum), parse.GetValue(_minimum), parse.GetValue(_seed) ?? 1);
    }

    private static Option<double> Share(string name, string description)
    {
        var option = new Option<double>(name) { Description = description, HelpName = "share", DefaultValueFactory = _ => 0.05 };
        ModelOptions.Bounded(option, value => value is >= 0 and <= 1, "from 0 to 1");
        return option;
    }

    private static Option<double?> Score(string name, string description)
    {
        var option = new Option<double?>(name) { Description = description, HelpName = "cosine" };
        ModelOptions.Bounded(option, value => value is >= -1 and <= 1, "from -1 to 1");
        return option;
    }
}
