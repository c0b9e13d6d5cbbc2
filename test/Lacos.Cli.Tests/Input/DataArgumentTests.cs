using Lacos.Cli.Input;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos;

namespace Lacos.Cli.Tests.Input;

[TestClass]
public sealed class DataArgumentTests
{
    [TestMethod]
    public void SettingsAtTheEndBelongToTheDataSetAndAllBeforeThemIsThePath()
    {
        DataArgument data = DataArgument.Parse("a=b,c.tsv.gz,loss=cosent,weight=1.5,columns=x+y+z,directions=both,rows=10,balance=lang,teacher=base");
        Assert.AreEqual("a=b,c.tsv.gz", data.Path);
        Assert.AreEqual(TrainingLoss.CoSent, data.Loss);
        Assert.AreEqual(1.5, data.Number("weight"));
        Assert.AreEqual(10, data.WholeNumber("rows"));
        CollectionAssert.AreEqual(new[] { "x", "y", "z" }, data.Columns);
        Assert.IsTrue(data.BothDirections);
        Assert.AreEqual(("lang", "base"), (data.Balance, data.Teacher));
    }

    [TestMethod]
    public void APathAloneLeavesEverythingToTheRun()
    {
        DataArgument data = DataArgument.Parse("pairs.tsv");
        Assert.AreEqual("pairs.tsv", data.Path);
        Assert.IsNull(data.Loss);
        Assert.IsNull(data.Number("weight"));
        Assert.IsNull(data.Columns);
    }

    [TestMethod]
    public void AFileNamedLikeAPathWithSettingsIsThatFile()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("pairs,loss=mnr");
        File.WriteAllText(path, "");
        Assert.AreEqual(path, DataArgument.Parse(path).Path);
        Assert.IsNull(DataArgument.Parse(path).Loss);
        Assert.AreEqual(folder.File("pairs"), DataArgument.Parse(path + ",weight=2").Path, "only the whole text is looked for");
    }

    [TestMethod]
    [DataRow("a.tsv,los=mnr", "los")]
    [DataRow("a.tsv,weight=1,weight=2", "twice")]
    [DataRow("a.tsv,loss=best", "best")]
    [DataRow("a.tsv,weight=much", "a positive number")]
    [DataRow("a.tsv,weight=0", "has weight '0'; it must be a positive number")]
    [DataRow("a.tsv,loss-weight=-1", "has loss-weight '-1'; it must be a positive number")]
    [DataRow("a.tsv,scale=-1", "has scale '-1'; it must be a positive number")]
    [DataRow("a.tsv,margin=3", "above 0 and at most 2")]
    [DataRow("a.tsv,balance-power=1.5", "from 0")]
    [DataRow("a.tsv,rows=0", "from 1")]
    [DataRow("a.tsv,directions=up", "one or both")]
    public void ASettingThatCannotBeReadIsNamed(string text, string expected)
    {
        UsageException error = Assert.ThrowsExactly<UsageException>(() =>
        {
            DataArgument data = DataArgument.Parse(text);
            _ = (data.Loss, data.Number("weight"), data.Number("loss-weight"), data.Number("scale"), data.Number("margin"), data.Number("balance-power"), data.WholeNumber("rows"), data.BothDirections);
        });
        StringAssert.Contains(error.Message, expected);
    }
}
