using Microsoft.ML.Lacos.Hub;

namespace Microsoft.ML.Lacos.Tests.Hub;

[TestClass]
public sealed class PromptSettingsTests
{
    private static readonly SentenceSettings s_settings = new()
    {
        Prompts = new Dictionary<string, string> { ["query"] = "q: ", ["passage"] = "p: ", ["trained"] = "t: " },
        DefaultPromptName = "query",
    };

    [TestMethod]
    [DataRow(null, "q: ")]
    [DataRow("", "")]
    [DataRow("x", "x")]
    public void ATextGivenGoesBeforeTheDefaultPrompt(string? prompt, string expected) => Assert.AreEqual(expected, s_settings.PromptText(prompt, null));

    [TestMethod]
    [DataRow(null, "query")]
    [DataRow("q: ", "query")]
    [DataRow("p: ", "passage")]
    [DataRow("", null)]
    public void ATextThatTheModelKnowsKeepsItsNameAsTheDefault(string? prompt, string? expected)
    {
        SentenceSettings changed = s_settings.WithDefaultPrompt(prompt, null);
        Assert.AreEqual(expected, changed.DefaultPromptName);
        Assert.AreSame(s_settings.Prompts, changed.Prompts);
    }

    [TestMethod]
    public void ANameStandsForItsTextAndBecomesTheDefault()
    {
        Assert.AreEqual("p: ", s_settings.PromptText(null, "passage"));
        Assert.AreEqual("passage", s_settings.WithDefaultPrompt(null, "passage").DefaultPromptName);
    }

    [TestMethod]
    public void AnUnknownNameIsAnsweredWithThoseThatAreKnown()
    {
        ArgumentException error = Assert.ThrowsExactly<ArgumentException>(() => s_settings.PromptText(null, "Query"));
        Assert.AreEqual("PromptName", error.ParamName);
        Assert.StartsWith("PromptName is 'Query'; the model's prompts are: passage, query, trained. Name one of them, or give a text instead.", error.Message);
        Assert.StartsWith("PromptName is ''; the model has no prompts with names. Give the text itself instead.", Assert.ThrowsExactly<ArgumentException>(() => new SentenceSettings().PromptText(null, "")).Message);
    }

    [TestMethod]
    public void AnotherTextGetsANameThatIsFree()
    {
        SentenceSettings changed = s_settings.WithDefaultPrompt("new: ", null);
        Assert.AreEqual("trained-2", changed.DefaultPromptName);
        Assert.AreEqual("new: ", changed.PromptText(null, null));
        Assert.AreEqual("t: ", changed.Prompts["trained"]);
        Assert.HasCount(4, changed.Prompts);
        Assert.AreEqual("trained", new SentenceSettings().WithDefaultPrompt("new: ", null).DefaultPromptName);
    }
}
