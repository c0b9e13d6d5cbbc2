using System.Globalization;
using System.Text;
using System.Text.Json;
using Apache.Arrow;
using Apache.Arrow.Compression;
using Apache.Arrow.Ipc;
using Apache.Arrow.Types;
using Microsoft.ML.Lacos.Tests.Damage;
using Parquet;
using Parquet.Schema;

namespace Lacos.Cli.Tests.Mining;

/// <summary>A file of pairs and a command line for <c>lacos mine</c>, both decided by a seed.</summary>
internal sealed class MiningCase
{
    private static readonly string[] s_extras = ["language", "score", "negative", "negative_1", "negative_2", "negative_4", "Negative", " negative_1 ", "hard_negative", "ä b", "language", "", "0", "\0x"];
    private static readonly (string, string)[] s_pairs = [("anchor", "positive"), ("sentence1", "sentence2"), ("text1", "text2"), ("Anchor", " entailment"), ("left", "right")];
    private static readonly string[] s_oddTexts = ["", " ", "\0", "a\0b", "ä", "e\u0301", "\U0001F600", "\u2028x", "\"", "a,b", "\ufeffa", "\u0085", "a\tb", "a\nb", "a\rb", "ab\r"];
    private readonly Random _random;
    private readonly List<string> _columns = [];
    private readonly List<string?[]> _rows = [];
    private readonly List<string> _options = [];
    private readonly bool _isLetters;

    /// <param name="seed">Decides everything.</param>
    /// <param name="isLetters">Only letters in the texts, and prompts.</param>
    public MiningCase(int seed, bool isLetters)
    {
        _random = new Random(seed);
        _isLetters = isLetters;
        Format = Pick("tsv", "tsv", "csv", "jsonl", "jsonl", "arrow", "arrows", "parquet");
        Output = Pick(".tsv", ".jsonl", ".tsv.gz", ".jsonl.gz");
        Table();
        Choose();
        Content = Encoded();
        if (Format is "tsv" or "csv" or "jsonl" && OneIn(4))
        {
            Content = TemporaryFolder.Gzip(Content);
            Extension += ".gz";
        }
        if (OneIn(3))
        {
            IsDamaged = true;
            Content = ByteDamage.Apply(Content, _random);
        }
    }

    /// <summary>How the file is written.</summary>
    public string Format { get; }

    /// <summary>Ending of the file's name.</summary>
    public string Extension { get; private set; } = "";

    /// <summary>The file.</summary>
    public byte[] Content { get; }

    /// <summary>Whether it was damaged afterwards.</summary>
    public bool IsDamaged { get; }

    /// <summary>Whether the file or the command line has something that may be refused.</summary>
    public bool IsOdd { get; private set; }

    /// <summary>Options beside those of files and threads.</summary>
    public IReadOnlyList<string> Options => _options;

    public int Negatives { get; private set; } = 1;

    public int Skip { get; private set; }

    public int? Range { get; private set; }

    public double RelativeMargin { get; private set; } = 0.05;

    public double? AbsoluteMargin { get; private set; }

    public double? MaximumScore { get; private set; }

    public double? MinimumScore { get; private set; }

    public string Prompt { get; private set; } = "";

    public string? SecondPrompt { get; private set; }

    public int Dimension { get; private set; }

    public bool HasHeader { get; private set; } = true;

    /// <summary>Value of <c>--columns</c>.</summary>
    public string? PairColumns { get; private set; }

    /// <summary>Places of anchor and positive.</summary>
    public (int Anchor, int Positive) Pair { get; private set; }

    /// <summary>The columns as written.</summary>
    public IReadOnlyList<string> Columns => _columns;

    /// <summary>The rows as they are to be read; <see langword="null"/> only where the format has such a thing.</summary>
    public IReadOnlyList<string?[]> Rows => _rows;

    /// <summary>Ending of the output's name.</summary>
    public string Output { get; }

    private bool OneIn(int n) => _random.Next(n) == 0;

    private T Pick<T>(params T[] items) => items[_random.Next(items.Length)];

    private void Table()
    {
        (string first, string second) = OneIn(2) ? s_pairs[0] : Pick(s_pairs);
        _columns.AddRange([first, second]);
        for (int extras = _random.Next(4); extras > 0; extras--)
        {
            _columns.Insert(_random.Next(_columns.Count + 1), Pick(s_extras));
        }
        if (Format is "jsonl" or "parquet" || !OneIn(4))
        {
            // Elsewhere two columns may have one name.
            string[] distinct = [.. _columns.Distinct(StringComparer.Ordinal)];
            _columns.Clear();
            _columns.AddRange(distinct);
        }
        Pair = (_columns.IndexOf(first), _columns.IndexOf(second));
        bool hasOddTexts = !_isLetters && OneIn(3);
        string[] pool = [.. Enumerable.Range(0, _random.Next(1, 30)).Select(_ => Text(hasOddTexts))];
        for (int rows = OneIn(15) ? _random.Next(3) : _random.Next(3, 60); rows > 0; rows--)
        {
            _rows.Add([.. _columns.Select(_ => Cell(pool))]);
        }
        IsOdd = _columns.Distinct(StringComparer.Ordinal).Count() < _columns.Count || s_extras[6..].Intersect(_columns).Any() || first == "left";
    }

    private string Text(bool hasOddTexts)
    {
        if (hasOddTexts && OneIn(4))
        {
            return OneIn(20) ? new string('a', 200_000) : Pick(s_oddTexts);
        }
        return new string([.. Enumerable.Range(0, _random.Next(1, 6)).Select(_ => (char)('a' + _random.Next(OneIn(2) ? 3 : 12)))]);
    }

    // What a format cannot hold is not written in it.
    private string? Cell(string[] pool)
    {
        string text = Pick(pool);
        return Format switch
        {
            "tsv" => text.Replace('\t', ' ').Replace('\n', ' ').Replace('\r', ' '),
            "csv" => text,
            _ => OneIn(25) ? null : text,
        };
    }

    private void Choose()
    {
        Negatives = Number("--negatives", 2, () => _random.Next(1, 5), 0, -3, 9, 65) ?? 1;
        Skip = Number("--skip", 4, () => _random.Next(4), -1, 100_001) ?? 0;
        Range = Number("--range", 3, () => Negatives + _random.Next(5), 0, 100_000, 1);
        RelativeMargin = Share("--relative-margin", 2, 0, 0, 0.1, 1, -0.1, 2) ?? 0.05;
        AbsoluteMargin = Share("--absolute-margin", 6, 0, 0.1, 0.5, -0.5, 1.5);
        MaximumScore = Share("--max-score", 6, 1, 0.9, 0.3, -0.2, -1.1);
        MinimumScore = Share("--min-score", 6, -1, 0, 0.4, 1, 3);
        Number("--seed", 4, () => _random.Next(int.MinValue, int.MaxValue), 0, int.MaxValue);
        if (_isLetters)
        {
            Prompt = OneIn(2) ? Add("--prompt", Pick("kl", "", "a")) : "";
            SecondPrompt = OneIn(2) ? Add("--second-prompt", Pick("hhh", "", "kl")) : null;
        }
        else
        {
            Dimension = Number("--dim", 8, () => _random.Next(1, 13), 13) ?? 0;
        }
        bool isNumbered = Format is "tsv" or "csv" && OneIn(5);
        if (isNumbered)
        {
            HasHeader = false;
            _options.Add("--no-header");
            IsOdd |= _rows.Count == 0;
            int columns = _columns.Count;
            _columns.Clear();
            _columns.AddRange(Enumerable.Range(0, columns).Select(number => number.ToString(CultureInfo.InvariantCulture)));
        }
        if (isNumbered || OneIn(4) || !s_pairs.Take(4).Contains((_columns[Pair.Anchor], _columns[Pair.Positive])))
        {
            ChoosePair();
        }
        if (OneIn(30))
        {
            IsOdd = true;
            Add("--format", Pick("tsv", "csv", "jsonl", "txt", "parquet", "arrow"));
        }
    }

    private void ChoosePair()
    {
        bool isByNumber = OneIn(2);
        if (OneIn(3))
        {
            IsOdd = true;
            Pair = (_random.Next(_columns.Count), _random.Next(_columns.Count));
        }
        string[] names = [.. new[] { Pair.Anchor, Pair.Positive }.Select(place => isByNumber ? place.ToString(CultureInfo.InvariantCulture) : _columns[place])];
        IsOdd |= names.Any(name => name != name.Trim() || name.Contains(',', StringComparison.Ordinal) || name.Length == 0 || _columns.Count(column => column == name) > 1);
        PairColumns = Add("--columns", OneIn(20) ? Pick("anchor", "a,b,c", "99,0", ",", "") : string.Join(',', names));
        IsOdd |= PairColumns != string.Join(',', names) || (isByNumber && names.Any(_columns.Contains));
    }

    // Now and then one that makes no sense, or is at the edge of sense.
    private int? Number(string option, int chance, Func<int> usual, params int[] odd)
    {
        if (!OneIn(chance))
        {
            return null;
        }
        bool isOdd = OneIn(12);
        IsOdd |= isOdd;
        int value = isOdd ? Pick(odd) : usual();
        Add(option, value.ToString(CultureInfo.InvariantCulture));
        return value;
    }

    private double? Share(string option, int chance, params double[] values)
    {
        if (!OneIn(chance))
        {
            return null;
        }
        double value = OneIn(3) ? Math.Round(_random.NextDouble(), 3) : Pick(values);
        IsOdd |= value is < -1 or > 1 || (value < 0 && option == "--relative-margin");
        Add(option, value.ToString(CultureInfo.InvariantCulture));
        return value;
    }

    private string Add(string option, string value)
    {
        _options.AddRange([option, value]);
        return value;
    }

    private byte[] Encoded()
    {
        Extension = "." + Format;
        switch (Format)
        {
            case "tsv":
                return Encoding.UTF8.GetBytes(string.Concat((HasHeader ? _rows.Prepend([.. _columns]) : _rows).Select(row => string.Join('\t', row) + "\n")));
            case "csv":
                return Encoding.UTF8.GetBytes(string.Concat((HasHeader ? _rows.Prepend([.. _columns]) : _rows).Select(row => string.Join(',', row.Select(cell => $"\"{cell!.Replace("\"", "\"\"", StringComparison.Ordinal)}\"")) + "\n")));
            case "jsonl":
                return Encoding.UTF8.GetBytes(string.Concat(_rows.Select(row => JsonSerializer.Serialize(Enumerable.Range(0, row.Length).ToDictionary(column => _columns[column], column => row[column])) + "\n")));
            case "parquet":
                return Parquet();
            default:
                return Arrow(isFile: Format == "arrow");
        }
    }

    private byte[] Arrow(bool isFile)
    {
        var schema = new Apache.Arrow.Schema([.. _columns.Select(name => new Apache.Arrow.Field(name, StringType.Default, true))], null);
        using var bytes = new MemoryStream();
        var options = new IpcOptions { CompressionCodec = OneIn(3) ? CompressionCodecType.Zstd : null, CompressionCodecFactory = new CompressionCodecFactory() };
        using ArrowStreamWriter writer = isFile ? new ArrowFileWriter(bytes, schema, leaveOpen: true, options) : new ArrowStreamWriter(bytes, schema, leaveOpen: true, options);
        writer.WriteStart();
        foreach (string?[][] batch in _rows.Chunk(_random.Next(1, 40)))
        {
            writer.WriteRecordBatch(new RecordBatch(schema, [.. Enumerable.Range(0, _columns.Count).Select(column => new StringArray.Builder().AppendRange(batch.Select(row => row[column])!, Encoding.UTF8).Build())], batch.Length));
        }
        writer.WriteEnd();
        return bytes.ToArray();
    }

    private byte[] Parquet()
    {
        DataField<string>[] fields = [.. _columns.Select(name => new DataField<string>(name))];
        using var bytes = new MemoryStream();
        ParquetWriter writer = ParquetWriter.CreateAsync(new ParquetSchema(fields), bytes).GetAwaiter().GetResult();
        foreach (string?[][] rows in _rows.Chunk(_random.Next(1, 40)))
        {
            using ParquetRowGroupWriter group = writer.CreateRowGroup();
            for (int column = 0; column < fields.Length; column++)
            {
                group.WriteAsync(fields[column], rows.Select(row => row[column]).ToArray()).GetAwaiter().GetResult();
            }
        }
        writer.DisposeAsync().AsTask().GetAwaiter().GetResult();
        return bytes.ToArray();
    }
}
