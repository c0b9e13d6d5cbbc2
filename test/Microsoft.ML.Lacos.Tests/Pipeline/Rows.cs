namespace Microsoft.ML.Lacos.Tests.Pipeline;

internal sealed class TextRow
{
    public int Number { get; set; }

    public string Text { get; set; } = "";

    public string Other { get; set; } = "";

    public float Label { get; set; }

    public float[] Extra { get; set; } = [];

    public string[] Words { get; set; } = [];

    private static readonly string[] s_words = ["the", "cat", "sat", "river", "bank", "money", "Haus", "été", "猫", "в", "🙂"];

    /// <summary>Rows of different texts, a variable-length column and a label.</summary>
    public static TextRow[] Make(int count, int seed = 7)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(number => new TextRow
        {
            Number = number,
            Text = $"{Words(random)} {number}",
            Other = Words(random),
            Label = (float)random.NextDouble(),
            Extra = [.. Enumerable.Range(0, number % 5).Select(i => (float)(number + i))],
            Words = [.. Enumerable.Range(0, number % 3).Select(i => $"w{number + i}")],
        })];

        static string Words(Random random) => string.Join(' ', Enumerable.Range(0, random.Next(1, 12)).Select(_ => s_words[random.Next(s_words.Length)]));
    }
}

internal sealed class EmbeddedRow
{
    public int Number { get; set; }

    public string Text { get; set; } = "";

    public float[] Extra { get; set; } = [];

    public string[] Words { get; set; } = [];

    public float[] Features { get; set; } = [];
}
