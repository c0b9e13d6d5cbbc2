using Lacos.Cli.Input;

namespace Lacos.Cli.Tests.Input;

[TestClass]
public sealed class TrainingColumnsTests
{
    [TestMethod]
    [DataRow("anchor\tpositive", "")]
    [DataRow("anchor\tpositive\tnegative", "2")]
    [DataRow("anchor\tentailment\thard_negative\tnegative_1\tnegative_2", "2 3 4")]
    [DataRow("negative_2\tnegative_1\tnegative\tsentence1\tsentence2\tnegative_4", "2 1 0")]
    [DataRow("Anchor\tPositive\tcontradiction\tNegative", "3 2")]
    public void AllColumnsWithTheUsualNamesOfNegativesAreTaken(string header, string expected)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("pairs.tsv");
        File.WriteAllText(path, $"{header}\n{string.Join('\t', header.Split('\t'))}\n");
        using RecordReader records = RecordReader.Open(path, null, hasHeader: true, Stream.Null);
        Assert.AreEqual(expected, string.Join(' ', TrainingColumns.Choose(records, null, null, PairNeeds.Sentences).Negatives));
        Assert.IsEmpty(TrainingColumns.Choose(records, null, null, PairNeeds.OneSentence).Negatives);
    }
}
