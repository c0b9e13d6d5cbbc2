using System.Globalization;

namespace Lacos.Cli.Input;

/// <summary>A row of training or validation data, as ML.NET reads it.</summary>
internal sealed class TrainingPair
{
    /// <summary>Hard negatives that a row can have; each is a column of its own, and ML.NET takes columns from members.</summary>
    public const int MostNegatives = 8;

    public string Sentence1 { get; set; } = "";

    public string Sentence2 { get; set; } = "";

    public string Negative1 { get; set; } = "";

    public string Negative2 { get; set; } = "";

    public string Negative3 { get; set; } = "";

    public string Negative4 { get; set; } = "";

    public string Negative5 { get; set; } = "";

    public string Negative6 { get; set; } = "";

    public string Negative7 { get; set; } = "";

    public string Negative8 { get; set; } = "";

    /// <summary>The value that balances, the class of a text, or the name of the set.</summary>
    public string Group { get; set; } = "";

    public float Label { get; set; }

    /// <summary>Name of the column of a hard negative, from 0.</summary>
    public static string NegativeColumn(int index) => string.Create(CultureInfo.InvariantCulture, $"Negative{index + 1}");

    /// <summary>Sets a hard negative, from 0.</summary>
    public void SetNegative(int index, string text)
    {
        switch (index)
        {
            case 0: Negative1 = text; break;
            case 1: Negative2 = text; break;
            case 2: Negative3 = text; break;
            case 3: Negative4 = text; break;
            case 4: Negative5 = text; break;
            case 5: Negative6 = text; break;
            case 6: Negative7 = text; break;
            case 7: Negative8 = text; break;
            default: throw new ArgumentOutOfRangeException(nameof(index), index, $"A row has at most {MostNegatives} hard negatives.");
        }
    }
}
