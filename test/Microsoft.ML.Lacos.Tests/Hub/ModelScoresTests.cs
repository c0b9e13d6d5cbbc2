using Microsoft.ML.Lacos.Hub;

namespace Microsoft.ML.Lacos.Tests.Hub;

[TestClass]
public sealed class ModelScoresTests
{
    [TestMethod]
    public void ScoresTravelInTheModelsFile()
    {
        using var folder = new TemporaryFolder();
        var scores = new ModelScores([new("en", "stsb-en-test", 1379, 0.68, 0.75), new("hi", "own", 10, null, -0.25)], 0.5);
        using LacosModel model = LacosModel.Load(new TinyModel().WriteTo(folder.File("in")));
        Assert.IsNull(ModelScores.Of(model));
        using LacosModel scored = model.With(provenance: new Dictionary<string, string> { [ModelProvenance.Scores] = scores.Write() });
        scored.Save(folder.File("m.lacos"));
        using LacosModel again = LacosModel.Load(folder.File("m.lacos"));
        ModelScores read = ModelScores.Of(again)!;
        CollectionAssert.AreEqual(scores.Sets.ToArray(), read.Sets.ToArray());
        Assert.AreEqual(0.5, read.WeakBelow);
    }

    [TestMethod]
    [DataRow("[]")]
    [DataRow("{}")]
    [DataRow("""{"sets":{}}""")]
    [DataRow("""{"sets":[1]}""")]
    [DataRow("""{"sets":[{"language":"en","set":"a"}]}""")]
    [DataRow("""{"sets":[{"language":"en","set":"a","pairs":-1}]}""")]
    [DataRow("""{"sets":[{"language":"","set":"a","pairs":1}]}""")]
    [DataRow("""{"sets":[{"language":"e\u001b[31m","set":"a","pairs":1}]}""")]
    [DataRow("""{"sets":[{"language":"\ud800","set":"a","pairs":1}]}""")]
    [DataRow("""{"sets":[{"language":"en","set":"a","pairs":1,"after":1.5}]}""")]
    [DataRow("""{"sets":[{"language":"en","set":"a","pairs":1,"after":"0.5"}]}""")]
    [DataRow("""{"sets":[],"weak_below":1e999}""")]
    [DataRow("not json")]
    public void WhatIsNoScoresIsRefused(string json) => Assert.ThrowsExactly<InvalidDataException>(() => ModelScores.Parse(json, "scores"));

    [TestMethod]
    public void WhatCouldNotBeReadIsNotWritten()
    {
        Assert.ThrowsExactly<InvalidDataException>(() => new ModelScores([new("en", "a", 1, double.NaN, null)]).Write());
        Assert.ThrowsExactly<InvalidDataException>(() => new ModelScores([new("en", "a", 1, null, 1.5)]).Write());
        Assert.ThrowsExactly<InvalidDataException>(() => new ModelScores([new("en", "a", -1, null, null)]).Write());
        Assert.ThrowsExactly<InvalidDataException>(() => new ModelScores([new("", "a", 1, null, null)]).Write());
        Assert.ThrowsExactly<InvalidDataException>(() => new ModelScores([], double.PositiveInfinity).Write());
        Assert.AreEqual("Sets", Assert.ThrowsExactly<ArgumentNullException>(() => new ModelScores(null!)).ParamName);
    }

    [TestMethod]
    public void ScoresAreEqualByTheirSets()
    {
        ModelScores one = new([new("en", "a", 1, 0.1, 0.2)]), other = new([new("en", "a", 1, 0.1, 0.2)]);
        Assert.AreEqual(one, other);
        Assert.AreEqual(one.GetHashCode(), other.GetHashCode());
        Assert.AreEqual(one, ModelScores.Parse(one.Write(), "scores"));
        Assert.AreNotEqual(one, one with { Sets = [new("en", "a", 1, 0.1, 0.3)] });
        Assert.AreNotEqual(one, one with { WeakBelow = 0.5 });
    }

    [TestMethod]
    public void ANameMayHaveAHundredCharactersAndNoMore()
    {
        Assert.HasCount(1, ModelScores.Parse(Named(100), "scores").Sets);
        Assert.Contains("has 101 characters", Assert.ThrowsExactly<InvalidDataException>(() => ModelScores.Parse(Named(101), "scores")).Message);

        static string Named(int length) => $$"""{"sets":[{"language":"en","set":"{{new string('a', length)}}","pairs":1}]}""";
    }

    [TestMethod]
    public void TooManySetsAreRefused()
    {
        string sets = string.Join(',', Enumerable.Repeat("""{"language":"en","set":"a","pairs":1}""", 1001));
        Assert.ThrowsExactly<InvalidDataException>(() => ModelScores.Parse($$"""{"sets":[{{sets}}]}""", "scores"));
    }
}
