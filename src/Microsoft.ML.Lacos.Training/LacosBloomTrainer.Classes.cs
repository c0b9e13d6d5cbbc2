using Microsoft.ML.Lacos.Pipeline;
using Microsoft.ML.Lacos.Training.Data;
using Microsoft.ML.Lacos.Training.Loop;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Lacos;

// Training on texts and their classes: pairs are made of them, and the transformer adds one column.
public sealed partial class LacosBloomTrainer
{
    private bool HasClasses => DatasetSettings.OfInput(_options).HasClasses;

    private string? LabelName => DatasetSettings.OfInput(_options).LabelColumn;

    private TrainingSet ReadClasses(IDataView input, TextInterner texts, EvaluationPairs? evaluated)
    {
        RequireClasses(input.Schema[LabelName!]);
        string name = DatasetSettings.OfInput(_options).Name;
        LabelledTexts labelled = LabelledTexts.Read(
            input, _options.TextColumnName!, LabelName!, texts.NumberOf, evaluated is null ? null : (text, row) => evaluated.Meets(text, name, row), _options.CancellationToken);
        using IChannel channel = _host.Start("Reading classes");
        if (labelled.Unlabelled > 0)
        {
            channel.Warning(MessageSensitivity.None, "{0} row(s) have no label in column '{1}' and are left out.", labelled.Unlabelled, LabelName);
        }
        if (labelled.Contradictory > 0)
        {
            channel.Warning(MessageSensitivity.None, "{0} text(s) stand under several classes and are left out.", labelled.Contradictory);
        }
        if (labelled.Lonely > 0)
        {
            channel.Warning(MessageSensitivity.None, "{0} of {1} classes have a single text, which is only told from those of other classes.", labelled.Lonely, labelled.Members.Length);
        }
        return LabelledPairs.Make(labelled, _options.PairsPerText, LossOfDataset.LabelOf(_options.Loss), _options.Seed, texts.Tokens);
    }

    private ValidationSet ReadValidationClasses(IDataView validation)
    {
        ColumnErrors.RequireText(_host, validation.Schema, _options.TextColumnName!);
        if (validation.Schema.GetColumnOrNull(LabelName!) is not DataViewSchema.Column label)
        {
            throw MissingLabel(LabelName!, validation.Schema.Select(column => column.Name));
        }
        RequireClasses(label);
        var texts = new List<string>();
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        LabelledTexts labelled = LabelledTexts.Read(validation, _options.TextColumnName!, LabelName!, NumberOf, isLeftOut: null, _options.CancellationToken, "validation texts");
        List<LabelledPair> pairs = LabelledPairs.Make(labelled, _options.PairsPerText, seed: 0);
        return new ValidationSet(pairs.SelectMany(pair => new[] { texts[pair.First], texts[pair.Second] }), [.. pairs.Select(pair => pair.Match ? 1.0 : 0.0)]);

        int NumberOf(ReadOnlyMemory<char> characters)
        {
            string text = characters.ToString();
            if (numbers.TryAdd(text, texts.Count))
            {
                texts.Add(text);
            }
            return numbers[text];
        }
    }

    private void RequireClasses(DataViewSchema.Column column)
    {
        if (!ClassNames.CanBe(column.Type))
        {
            throw NoClasses(column.Name, column.Type.ToString()!);
        }
    }

    private void RequireClasses(SchemaShape.Column column)
    {
        if (column.Kind != SchemaShape.Column.VectorKind.Scalar || !ClassNames.CanBe(column.ItemType))
        {
            throw NoClasses(column.Name, ColumnErrors.Describe(column));
        }
    }

    private ArgumentOutOfRangeException NoClasses(string name, string actual) => _host.Process(new ArgumentOutOfRangeException(
        "inputSchema", $"Schema mismatch for label column '{name}': expected {ClassNames.Expected}, got {actual}. Make a key with Transforms.Conversion.MapValueToKey, or name another column."));
}
