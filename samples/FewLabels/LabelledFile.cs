namespace FewLabels;

/// <summary>Reads a TSV with the columns <c>label</c>, <c>text</c> and, where it is parallel, <c>lang</c>.</summary>
internal static class LabelledFile
{
    // Translators and annotators slip; a language of another order agrees by chance only.
    private const double Agreement = 0.9;

    public static List<LabelledRow> Read(string path, Action<string> inform)
    {
        string[][] lines = [.. File.ReadLines(path).Select(line => line.Split('\t'))];
        int label = Array.IndexOf(lines[0], "label"), text = Array.IndexOf(lines[0], "text"), language = Array.IndexOf(lines[0], "lang");
        if (label < 0 || text < 0)
        {
            throw new InvalidDataException($"'{path}' has the columns {string.Join(", ", lines[0])}; 'label' and 'text' must be among them.");
        }
        List<LabelledRow> rows = [.. lines.Skip(1).Select(cells => new LabelledRow { Label = cells[label], Text = cells[text], Language = language < 0 ? "" : cells[language] })];
        if (language >= 0)
        {
            rows = Aligned(rows, inform);
        }
        Join(rows);
        return rows;
    }

    /// <summary>In a parallel file row i of each language says the same. Languages that are not in this order cannot be split without leaks and are left out.</summary>
    private static List<LabelledRow> Aligned(List<LabelledRow> rows, Action<string> inform)
    {
        List<LabelledRow[]> languages = [.. rows.GroupBy(row => row.Language).Select(group => group.ToArray())];
        LabelledRow[] reference = languages.Find(language => language[0].Language == "en") ?? languages[0];
        var aligned = new List<LabelledRow>();
        foreach (LabelledRow[] language in languages)
        {
            double agreement = language.Zip(reference, (row, other) => row.Label == other.Label ? 1.0 : 0).Average();
            if (language.Length > reference.Length || agreement < Agreement)
            {
                inform($"{language[0].Language} is left out: {language.Length} rows, of which {agreement:P0} have the label of the same row in {reference[0].Language}.");
                continue;
            }
            for (int i = 0; i < language.Length; i++)
            {
                language[i].Utterance = i;
            }
            aligned.AddRange(language);
        }
        return aligned;
    }

    /// <summary>Equal texts are one utterance, and what is joined with either is joined with both.</summary>
    private static void Join(List<LabelledRow> rows)
    {
        bool parallel = rows.Exists(row => row.Language.Length > 0);
        int[] parent = [.. Enumerable.Range(0, rows.Count)];
        var first = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        for (int i = 0; i < rows.Count; i++)
        {
            int number = parallel ? rows[i].Utterance : i;
            int other = first.TryGetValue(rows[i].Text, out int seen) ? seen : first[rows[i].Text] = number;
            parent[Root(number)] = Root(other);
        }
        for (int i = 0; i < rows.Count; i++)
        {
            rows[i].Utterance = Root(parallel ? rows[i].Utterance : i);
        }

        int Root(int number)
        {
            while (parent[number] != number)
            {
                number = parent[number];
            }
            return number;
        }
    }
}
