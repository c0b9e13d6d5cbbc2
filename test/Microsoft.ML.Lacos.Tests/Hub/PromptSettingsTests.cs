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
    public void ATextGivenGoesBeforeTheDefaultPrompt(string? prompt, string expected) => Assert.AreEqual(expected, s_settings.PromptText(prompt));

    [TestMethod]
    [DataRow(null, "query")]
    [DataRow("q: ", "query")]
    [DataRow("p: ", "passage")]
    [DataRow("", null)]
    public void ATextThatTheModelKnowsKeepsItsNameAsTheDefault(string? prompt, string? expected)
    {
        SentenceSettings changed = s_settings.WithDefaultPrompt(prompt);
        Assert.AreEqual(expected, changed.DefaultPromptName);
        Assert.AreSame(s_settings.Prompts, changed.Prompts);
    }

    [TestMethod]
    public void AnotherTextGetsANameThatIsFree()
    {
        SentenceSettings changed = s_settings.WithDefaultPrompt("new: ");
        Assert.AreEqual("trained-2", changed.DefaultPromptName);
        Assert.AreEqual("new: ", changed.PromptText(null));
        Assert.AreEqual("t: ", changed.Prompts["trained"]);
        Assert.HasCount(4, changed.Prompts);
        Assert.AreEqual("trained", new SentenceSettings().WithDefaultPrompt("new: ").DefaultPromptName);
    }
}
