using Microsoft.ML.Data;

namespace Microsoft.ML.Lacos.Training.Tests.Trainer;

/// <summary>What a fit would refuse of the columns is refused by the shape alone, before any earlier estimator of a chain is fitted.</summary>
[TestClass]
public sealed class SchemaTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    [DataRow(TrainingLoss.CoSent, "Negative", "expected a number (Single, for example), got String")]
    [DataRow(TrainingLoss.Contrastive, "Negative", "expected a number (Single, for example), got String")]
    [DataRow(TrainingLoss.Angle, "Key", "expected a number (Single, for example), got Key")]
    [DataRow(TrainingLoss.CosineSimilarity, "Numbers", "expected a number (Single, for example), got Vector")]
    [DataRow(TrainingLoss.CoSent, "Negative", "expected a number (Single, for example), got String. Convert it with mlContext.Transforms.Conversion.ConvertType")]
    [DataRow(TrainingLoss.Softmax, "Negative", "got String. Make a key of its texts with mlContext.Transforms.Conversion.MapValueToKey")]
    [DataRow(TrainingLoss.Softmax, "Numbers", "expected a number (Single, for example), got Vector")]
    [DataRow(TrainingLoss.Softmax, "ByteKey", "expected Key<UInt32> or whole numbers, got Key")]
    [DataRow(TrainingLoss.MeanSquaredError, "Label", "expected a teacher's vector of")]
    public void ALabelOfTheWrongTypeIsRefusedWithTheWordsOfAFit(TrainingLoss loss, string column, string words)
    {
        LacosBloomTrainer.Options options = Sentences.Quick(1);
        (options.Loss, options.LabelColumnName) = (loss, column);
        Refused<ArgumentException>(options, $"'{column}'", words);
    }

    [TestMethod]
    public void AColumnToBalanceThatIsNoTextIsRefused()
    {
        LacosBloomTrainer.Options options = Sentences.Quick(1);
        options.BalanceColumnName = "Label";
        Refused<ArgumentOutOfRangeException>(options, "'Label'", "expected String, got Single", "ConvertType");
    }

    [TestMethod]
    public void AVectorOfTextsIsNotToBeConverted()
    {
        LacosBloomTrainer.Options options = Sentences.Quick(1);
        options.Sentence1ColumnName = "Texts";
        Refused<ArgumentOutOfRangeException>(options, "'Texts'", "Name a column of one text a row.");
    }

    [TestMethod]
    [DataRow(TrainingLoss.CoSent, "Label")]
    [DataRow(TrainingLoss.Softmax, "Key")]
    [DataRow(TrainingLoss.Softmax, "Label")]
    [DataRow(TrainingLoss.MeanSquaredError, "Numbers")]
    [DataRow(TrainingLoss.MultipleNegativesRanking, "Negative")]
    public void LabelsThatTheLossCanReadPass(TrainingLoss loss, string column)
    {
        LacosBloomTrainer.Options options = Sentences.Quick(1);
        (options.Loss, options.LabelColumnName) = (loss, column);
        Assert.IsNotNull(_ml.Regression.Trainers.LacosBloom(options).GetOutputSchema(SchemaShapes.Of(Data().Schema)));
    }

    private void Refused<T>(LacosBloomTrainer.Options options, params string[] words)
        where T : Exception
    {
        IDataView data = Data();
        LacosBloomTrainer trainer = _ml.Regression.Trainers.LacosBloom(options);
        T early = Assert.ThrowsExactly<T>(() => trainer.GetOutputSchema(SchemaShapes.Of(data.Schema)));
        T late = Assert.ThrowsExactly<T>(() => trainer.FitAdapter(data));
        foreach (string word in words)
        {
            Assert.Contains(word, early.Message);
            Assert.Contains(word, late.Message);
        }
    }

    private IDataView Data()
    {
        IDataView data = Sentences.Data(_ml, 8);
        return _ml.Transforms.Conversion.MapValueToKey("Key", "Negative")
            .Append(_ml.Transforms.Conversion.ConvertType("ByteKey", "Key", DataKind.Byte))
            .Append(_ml.Transforms.Concatenate("Numbers", "Label", "Label"))
            .Append(_ml.Transforms.Concatenate("Texts", "Sentence1", "Sentence2"))
            .Fit(data).Transform(data);
    }
}
