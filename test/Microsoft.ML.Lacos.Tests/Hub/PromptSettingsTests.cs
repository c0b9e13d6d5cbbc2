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

    [TestMethod]
    [DataRow("d: ", null, "document", "document=d: ")]
    [DataRow("", null, "document", "document=")]
    [DataRow("q: ", null, "document", "document=q: ")]
    [DataRow(null, "passage", "passage", "")]
    public void TheSecondPromptIsCalledDocumentUnlessItHasBeenNamed(string? prompt, string? promptName, string name, string added)
    {
        SentenceSettings changed = s_settings.WithSecondPrompt(prompt, promptName, isFirstText: false, out string called);
        Assert.AreEqual(name, called);
        Assert.AreEqual(added, string.Join(' ', changed.Prompts.Except(s_settings.Prompts).Select(pair => $"{pair.Key}={pair.Value}")));
        Assert.AreEqual("query", changed.DefaultPromptName);
    }

    [TestMethod]
    public void ADefaultPromptGivenAsATextIsCalledQueryTooWhereThatIsFree()
    {
        SentenceSettings plain = new SentenceSettings().WithDefaultPrompt("new: ", null);
        Assert.AreEqual("document=d query=new:  trained=new: ", Shown(plain.WithSecondPrompt("d", null, isFirstText: true, out _)));
        Assert.AreEqual("document=d trained=new: ", Shown(plain.WithSecondPrompt("d", null, isFirstText: false, out _)));
        Assert.AreEqual("q: ", s_settings.WithDefaultPrompt("new: ", null).WithSecondPrompt("d", null, isFirstText: true, out _).Prompts["query"]);
        Assert.AreEqual("document=d", Shown(new SentenceSettings().WithDefaultPrompt("", null).WithSecondPrompt("d", null, isFirstText: true, out _)));
    }

    // sentence-transformers writes both names with empty texts where nobody has said anything.
    [TestMethod]
    public void AnEmptyTextLeavesANameFreeUnlessItIsInUse()
    {
        var empty = new SentenceSettings { Prompts = new Dictionary<string, string> { ["query"] = "", ["document"] = "" } };
        Assert.AreEqual("document=d query=q trained=q", Shown(empty.WithDefaultPrompt("q", null).WithSecondPrompt("d", null, isFirstText: true, out _)));
        Assert.AreEqual("document= query= trained=q", Shown(empty.WithDefaultPrompt("q", null).WithSecondPrompt(null, "query", isFirstText: true, out string name)), "the second prompt keeps its text");
        Assert.AreEqual("query", name);
        SentenceSettings changed = (empty with { DefaultPromptName = "document" }).WithSecondPrompt("d", null, isFirstText: false, out name);
        Assert.AreEqual("document-2", name);
        Assert.AreEqual("", changed.PromptText(null, null), "the default keeps its text");
    }

    [TestMethod]
    public void AnotherDocumentPromptIsLeftAlone()
    {
        SentenceSettings known = s_settings.WithSecondPrompt("d: ", null, isFirstText: false, out _);
        Assert.AreEqual("d: ", known.WithSecondPrompt("e: ", null, isFirstText: false, out string name).Prompts["document"]);
        Assert.AreEqual("document-2", name);
        known.WithSecondPrompt("p: ", null, isFirstText: false, out name);
        Assert.AreEqual("passage", name, "as the model knows it");
        known.WithSecondPrompt("d: ", null, isFirstText: false, out name);
        Assert.AreEqual("document", name);
    }

    private static string Shown(SentenceSettings settings) => string.Join(' ', settings.Prompts.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}"));
}
