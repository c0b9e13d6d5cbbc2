namespace Microsoft.ML.Lacos.Training.Tests.Trainer;

[TestClass]
public sealed class OptionNameTests
{
    [TestMethod]
    public void ANameThatIsEmptyIsRefusedByItsOption()
    {
        (LacosBloomTrainer.Options Options, string Option)[] cases =
        [
            (new() { Sentence1ColumnName = "" }, nameof(LacosBloomTrainer.Options.Sentence1ColumnName)),
            (new() { Sentence2ColumnName = " " }, nameof(LacosBloomTrainer.Options.Sentence2ColumnName)),
            (new() { NegativeColumnNames = ["a", ""] }, nameof(LacosBloomTrainer.Options.NegativeColumnNames)),
            (new() { TextColumnName = "" }, nameof(LacosBloomTrainer.Options.TextColumnName)),
            (new() { LabelColumnName = " " }, nameof(LacosBloomTrainer.Options.LabelColumnName)),
            (new() { Embedding1ColumnName = null! }, nameof(LacosBloomTrainer.Options.Embedding1ColumnName)),
            (new() { Embedding2ColumnName = "" }, nameof(LacosBloomTrainer.Options.Embedding2ColumnName)),
            (new() { ScoreColumnName = "" }, nameof(LacosBloomTrainer.Options.ScoreColumnName)),
            (new() { EmbeddingColumnName = "" }, nameof(LacosBloomTrainer.Options.EmbeddingColumnName)),
            (new() { ValidationLabelColumnName = "" }, nameof(LacosBloomTrainer.Options.ValidationLabelColumnName)),
            (new() { ValidationGroupColumnName = "" }, nameof(LacosBloomTrainer.Options.ValidationGroupColumnName)),
            (new() { Model = "" }, nameof(LacosBloomTrainer.Options.Model)),
            (new() { Adapter = " " }, nameof(LacosBloomTrainer.Options.Adapter)),
            (new() { OutputFolder = "" }, nameof(LacosBloomTrainer.Options.OutputFolder)),
        ];
        foreach ((LacosBloomTrainer.Options options, string option) in cases)
        {
            ArgumentException error = Assert.ThrowsExactly<ArgumentException>(() => new MLContext(1).Regression.Trainers.LacosBloom(options));
            Assert.AreEqual(option, error.ParamName);
            StringAssert.StartsWith(error.Message, option + " is ");
        }
    }

    [TestMethod]
    [DataRow(0)]
    [DataRow(int.MaxValue)]
    public void ARankThatNoLayerCanHaveIsRefused(int rank) =>
        Assert.Contains($"LoraRank is {rank}; it must be from 1 to 4096", Assert.ThrowsExactly<ArgumentException>(() => new MLContext(1).Regression.Trainers.LacosBloom(loraRank: rank)).Message);
}
