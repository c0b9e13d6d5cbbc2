using System.Globalization;
using System.Text.Json;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Lacos.Cli.Tests.Commands;

/// <summary>Queries behind one prompt, documents behind another: trained so, written so, scored so, mined so.</summary>
[TestClass]
public sealed class SecondPromptTests
{
    private const string Pairs = "anchor\tpositive\nab\tcde\nef\tghi\nij\tklk\nace\tbdf\n";
    private const string Scored = "sentence1\tsentence2\tscore\nab\tcde\t5\nef\tabc\t1\nij\tab\t2\nace\tbdfa\t4\nbbd\tfgh\t3\nhh\tija\t0.5\ncg\tah\t4.5\n";

    [TestMethod]
    public void WhatIsWrittenHasBothPromptsUnderTheNamesThatAreLookedFor()
    {
        using var folder = new TemporaryFolder();
        ToolRun run = Succeeds(folder, "--prompt", "kl", "--second-prompt", "k", "--export-folder", folder.File("exported"));
        StringAssert.Contains(run.Error, "The prompt of second sentences is 'k'; the model written has it as 'document'.");
        Succeeds(folder, "--prompt", "kl", "--output", folder.File("one"));
        CollectionAssert.AreNotEqual(Adapter(folder, "one"), Adapter(folder, "out"), "trained with it");
        foreach (string path in new[] { Path.Combine(folder.File("out"), "model.lacos"), folder.File("exported") })
        {
            using LacosModel written = LacosModel.Load(path);
            using SentenceEncoder queries = SentenceEncoder.Create(written), documents = queries.WithPrompt(null, "document");
            Assert.AreEqual(("kl", "k"), (queries.Prompt, documents.Prompt), path);
            Assert.AreEqual("document=k query=kl trained=kl", Prompts(written), path);
        }
        using var settings = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder.File("exported"), "config_sentence_transformers.json")));
        Assert.AreEqual("kl", settings.RootElement.GetProperty("prompts").GetProperty("query").GetString());
        Assert.AreEqual("k", settings.RootElement.GetProperty("prompts").GetProperty("document").GetString());
    }

    [TestMethod]
    public void NoPromptOfSecondSentencesIsKeptTooAndNamesKeepTheirTexts()
    {
        using var folder = new TemporaryFolder();
        Succeeds(folder, "--prompt", "kl", "--second-prompt", "");
        string model = Path.Combine(folder.File("out"), "model.lacos");
        using (LacosModel written = LacosModel.Load(model))
        {
            Assert.AreEqual("document= query=kl trained=kl", Prompts(written));
        }
        Succeeds(folder, "--model", model, "--prompt-name", "document", "--second-prompt-name", "query", "--output", folder.File("turned"));
        using LacosModel turned = LacosModel.Load(Path.Combine(folder.File("turned"), "model.lacos"));
        Assert.AreEqual("document= query=kl trained=kl", Prompts(turned));
        Assert.AreEqual("document", turned.Settings.DefaultPromptName);
    }

    [TestMethod]
    public void EvalScoresTheWrittenModelAsItWasJudgedWhileTraining()
    {
        using var folder = new TemporaryFolder();
        string scored = folder.Write("sts.tsv", Scored);
        Succeeds(folder, "--prompt", "kl", "--second-prompt", "hhh", "--eval", scored, "--learning-rate", "0.02");
        using var last = JsonDocument.Parse(File.ReadLines(Path.Combine(folder.File("out"), "train-log.jsonl")).Last());
        double judged = last.RootElement.GetProperty("spearman").GetDouble();
        Assert.AreEqual(judged, Eval("--second-prompt-name", "document"));
        Assert.AreEqual(judged, Eval("--prompt", "kl", "--second-prompt", "hhh"));
        Assert.AreNotEqual(judged, Eval());

        double Eval(params string[] options)
        {
            ToolRun run = ToolProcess.Run(folder.Path, "", ["eval", "--model", Path.Combine(folder.File("out"), "model.lacos"), "--data", scored, "--json", "-", .. options]);
            Assert.AreEqual(ExitCode.Success, run.ExitCode, run.Error);
            using var json = JsonDocument.Parse(run.Output);
            Assert.AreEqual("kl", json.RootElement.GetProperty("prompt").GetString());
            Assert.AreEqual(options.Length > 0, json.RootElement.TryGetProperty("second_prompt", out JsonElement second) && second.GetString() == "hhh");
            return json.RootElement.GetProperty("mean").GetProperty("cosine_spearman").GetDouble();
        }
    }

    [TestMethod]
    public void MiningWithTwoPromptsIsMiningInTextsThatBeginWithThem()
    {
        using var folder = new TemporaryFolder();
        string model = TinyModel.OfLetters().WriteTo(folder.File("model"));
        string[] prompted = Mine("prompted", "", "", "--prompt", "kl", "--second-prompt", "hhh");
        CollectionAssert.AreEqual(Mine("written", "kl", "hhh").Select(line => line.Replace("hhh", "", StringComparison.Ordinal).Replace("kl", "", StringComparison.Ordinal)).ToArray(), prompted);
        CollectionAssert.AreNotEqual(Mine("one", "", "", "--prompt", "kl"), prompted);

        string[] Mine(string name, string beforeFirst, string beforeSecond, params string[] options)
        {
            IEnumerable<string> rows = Enumerable.Range(0, 12).Select(i => string.Create(
                CultureInfo.InvariantCulture, $"{beforeFirst}{"abcdefgabcde"[i]}{"cdefgab"[i * 3 % 7]}\t{beforeSecond}{"gfedcba"[i * 2 % 7]}{"abcdefgfedcb"[i]}{"bad"[i % 3]}"));
            string pairs = folder.Write($"{name}.tsv", "anchor\tpositive\n" + string.Join('\n', rows));
            ToolRun run = ToolProcess.Run(folder.Path, "", ["mine", "--model", model, "--data", pairs, "--output", $"mined-{name}.tsv", "--relative-margin", "0", .. options]);
            Assert.AreEqual(ExitCode.Success, run.ExitCode, run.Error);
            string[] mined = File.ReadAllLines(folder.File($"mined-{name}.tsv"));
            Assert.IsGreaterThan(5, mined.Length);
            return mined;
        }
    }

    [TestMethod]
    [DataRow("--second-prompt k --second-prompt-name query", "--second-prompt and --second-prompt-name contradict each other. Give one of them.")]
    [DataRow("--second-prompt-name query", "lacos: --second-prompt-name is 'query'; the model has no prompts with names. Give the text itself instead.")]
    [DataRow("--second-prompt klk --max-tokens 3", "has 3 tokens and the limit of a text is 3, prompt included. Shorten the prompt or raise --max-tokens.")]
    public void WhatTheModelCannotPutBeforeSecondSentencesIsRefused(string options, string expected)
    {
        using var folder = new TemporaryFolder();
        string model = TinyModel.OfLetters().WriteTo(folder.File("model"));
        string pairs = folder.Write("pairs.tsv", Scored);
        foreach (string[] command in (string[][])[["train", "--data", pairs, "--columns", "0,1", "--output", folder.File("out")], ["eval", "--data", pairs], ["mine", "--data", pairs, "--output", folder.File("mined.tsv")]])
        {
            ToolRun run = ToolProcess.Run(folder.Path, "", [.. command, "--model", model, .. options.Split(' ')]);
            Assert.AreEqual(ExitCode.Usage, run.ExitCode, run.Error);
            StringAssert.Contains(run.Error, expected, command[0]);
            StringAssert.Contains(run.Error, "--second-prompt", command[0]);
        }
        Assert.IsFalse(Directory.Exists(folder.File("out")));
    }

    [TestMethod]
    [DataRow("text\tlabel\nab\tx\ncd\ty\nef\tx\n", "")]
    [DataRow("text\nab\ncd\n", ",loss=mse,teacher=base")]
    public void OneColumnOfTextsHasNoSecondSentences(string texts, string settings)
    {
        using var folder = new TemporaryFolder();
        ToolRun run = Run(folder, "--data", folder.Write("texts.tsv", texts) + settings, "--second-prompt", "k");
        Assert.AreEqual(ExitCode.Usage, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "--second-prompt is for second sentences, and --data has one column of texts. Leave it out, or give pairs.");
    }

    private static string Prompts(LacosModel model) => string.Join(' ', model.Settings.Prompts.OrderBy(prompt => prompt.Key, StringComparer.Ordinal).Select(prompt => $"{prompt.Key}={prompt.Value}"));

    private static byte[] Adapter(TemporaryFolder folder, string name) => File.ReadAllBytes(Path.Combine(folder.File(name), "adapter_model.safetensors"));

    private static ToolRun Succeeds(TemporaryFolder folder, params string[] options)
    {
        ToolRun run = Run(folder, options);
        Assert.AreEqual(ExitCode.Success, run.ExitCode, run.Error);
        return run;
    }

    private static ToolRun Run(TemporaryFolder folder, params string[] options)
    {
        string[] model = options.Contains("--model") ? [] : ["--model", TinyModel.OfLetters().WriteTo(folder.File("model"))];
        string[] data = options.Contains("--data") ? [] : ["--data", folder.Write("pairs.tsv", Pairs)];
        string[] output = options.Contains("--output") ? [] : ["--output", folder.File("out")];
        return ToolRun.Of(["train", .. model, .. data, .. output, "--batch-size", "2", "--lora-rank", "2", "--steps", "2", .. options]);
    }
}
