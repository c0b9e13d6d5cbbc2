using System.Diagnostics;
using System.Text;
using Microsoft.ML.Lacos.Lora;

namespace Microsoft.ML.Lacos.Tests.Lora;

[TestClass]
public sealed class LoraConfigTests
{
    private const string Qkv = "h.3.self_attention.query_key_value", Dense = "h.3.self_attention.dense", Up = "h.3.mlp.dense_h_to_4h", Down = "h.3.mlp.dense_4h_to_h";

    /// <summary>Matches no name, which backtracking finds out by trying every way to cut it.</summary>
    private const string Endless = "(([a-z0-9_.]+)+)+!";

    [TestMethod]
    public void ConfigurationsAreEqualByTheirValues()
    {
        LoraConfig one = Full(), other = Full();
        Assert.AreEqual(one, other);
        Assert.AreEqual(one.GetHashCode(), other.GetHashCode());
        Assert.AreEqual(new LoraConfig(), new LoraConfig());
        LoraConfig[] different =
        [
            one with { Rank = 9 }, one with { Alpha = 9 }, one with { Dropout = 0.9 }, one with { RankStabilized = false }, one with { TargetModules = ["dense"] }, one with { TargetPattern = null },
            one with { ExcludedModules = [] }, one with { ExcludedPattern = null }, one with { Blocks = [3] }, one with { Blocks = null }, one with { RankPatterns = [new("a", 3)] },
            one with { AlphaPatterns = [new("b", 2)] }, one with { BaseModel = null }, one with { TaskType = null },
        ];
        Assert.IsFalse(Array.Exists(different, config => config == one || one == config));
        Assert.AreEqual(nameof(LoraConfig.TargetModules), Assert.ThrowsExactly<ArgumentNullException>(() => new LoraConfig { TargetModules = null! }).ParamName);
        Assert.AreEqual("module", Assert.ThrowsExactly<ArgumentNullException>(() => one.RankOf(null!)).ParamName);

        static LoraConfig Full() => new()
        {
            Rank = 2, Alpha = 3, Dropout = 0.1, RankStabilized = true, TargetModules = ["dense", "query_key_value"], TargetPattern = "x", ExcludedModules = ["h.0"], ExcludedPattern = "y", Blocks = [1, 2],
            RankPatterns = [new("a", 4)], AlphaPatterns = [new("b", 5)], BaseModel = "base", TaskType = "task",
        };
    }

    [TestMethod]
    [DataRow("""["query_key_value"]""", Qkv)]
    [DataRow("null", Qkv)]
    [DataRow("""["dense"]""", Dense)]
    [DataRow("""["dense", "mlp.dense_4h_to_h"]""", Dense + " " + Down)]
    [DataRow("""["transformer.h.3.mlp.dense_h_to_4h"]""", Up)]
    [DataRow("""["h.3.mlp.dense_h_to_4h", "3.self_attention.dense"]""", Dense + " " + Up)]
    [DataRow("""["ense"]""", "")]
    [DataRow("\"all-linear\"", Qkv + " " + Dense + " " + Up + " " + Down)]
    [DataRow("\".*\\\\.dense_.*\"", Up + " " + Down)]
    [DataRow("\".*dense\"", Dense)]
    [DataRow("\"transformer\\\\.h\\\\.\\\\d+\\\\.self_attention\\\\..*\"", Qkv + " " + Dense)]
    [DataRow("\"h\\\\.3\\\\..*value|nothing\"", Qkv)]
    public void TargetsAreChosenAsPeftChoosesThem(string targets, string expected)
    {
        LoraConfig config = Read($$"""{"peft_type": "LORA", "target_modules": {{targets}}}""");
        Assert.AreEqual(expected, string.Join(' ', new[] { Qkv, Dense, Up, Down }.Where(config.Targets)));
    }

    [TestMethod]
    public void ExcludedModulesAndOtherBlocksAreLeftOut()
    {
        LoraConfig config = Read("""{"peft_type": "LORA", "target_modules": ["dense", "query_key_value"], "exclude_modules": ["h.3.self_attention.dense"], "layers_to_transform": [3, 5]}""");
        Assert.IsTrue(config.Targets(Qkv));
        Assert.IsFalse(config.Targets(Dense));
        Assert.IsTrue(config.Targets("h.5.self_attention.dense"));
        Assert.IsFalse(config.Targets("h.4.self_attention.query_key_value"));
        Assert.IsTrue(Read("""{"peft_type": "LORA", "layers_to_transform": []}""").Targets(Qkv), "an empty list means all");
        Assert.IsTrue(Read("""{"peft_type": "LORA", "layers_to_transform": 4}""").Targets("h.4.self_attention.query_key_value"));
        Assert.IsFalse(Read("""{"peft_type": "LORA", "target_modules": "all-linear", "exclude_modules": ".*mlp.*"}""").Targets(Up));
    }

    [TestMethod]
    [DataRow("""{"peft_type": "LORA", "r": 4, "lora_alpha": 6}""", 1.5f)]
    [DataRow("""{"peft_type": "LORA", "r": 4, "lora_alpha": 6, "use_rslora": true}""", 3f)]
    [DataRow("""{"peft_type": "LORA"}""", 1f)]
    [DataRow("""{"peft_type": "LORA", "r": 4, "lora_alpha": 6, "rank_pattern": {"query_key_value": 2}}""", 3f)]
    [DataRow("""{"peft_type": "LORA", "r": 4, "lora_alpha": 6, "rank_pattern": {"key_value": 2}}""", 1.5f)]
    [DataRow("""{"peft_type": "LORA", "r": 4, "lora_alpha": 6, "alpha_pattern": {"h.0.*": 1, "h\\.3\\..*": 16, ".*": 99}}""", 4f)]
    [DataRow("""{"peft_type": "LORA", "r": 4, "lora_alpha": 6, "rank_pattern": {"transformer.h.3.self_attention.query_key_value": 16}, "alpha_pattern": {".*": 2}, "use_rslora": true}""", 0.5f)]
    public void ScalingIsAlphaOverRankOrItsRootAndPatternsComeFirst(string json, float expected) =>
        Assert.AreEqual(expected, Read(json).ScalingOf(Qkv));

    [TestMethod]
    [DataRow("""{"peft_type": "IA3"}""", "'IA3'")]
    [DataRow("""{}""", "(none)")]
    [DataRow("""{"peft_type": "LORA", "use_dora": true}""", "'use_dora'")]
    [DataRow("""{"peft_type": "LORA", "bias": "lora_only"}""", "'lora_only'")]
    [DataRow("""{"peft_type": "LORA", "modules_to_save": ["score"]}""", "'modules_to_save'")]
    [DataRow("""{"peft_type": "LORA", "lora_bias": true}""", "'lora_bias'")]
    [DataRow("""{"peft_type": "LORA", "layer_replication": [[0, 2]]}""", "'layer_replication'")]
    [DataRow("""{"peft_type": "LORA", "init_lora_weights": "pissa_niter_16"}""", "'pissa_niter_16'")]
    public void WhatIsNotSupportedIsRefusedByName(string json, string seen) =>
        StringAssert.Contains(Assert.ThrowsExactly<NotSupportedException>(() => Read(json)).Message, seen);

    [TestMethod]
    [DataRow("""{"peft_type": "TEXT"}""")]
    [DataRow("""{"peft_type": "LORA", "bias": "TEXT"}""")]
    [DataRow("""{"peft_type": "LORA", "init_lora_weights": "pissaTEXT"}""")]
    public void LongTextsAreShortenedInMessages(string json) =>
        Assert.IsLessThan(400, Assert.ThrowsExactly<NotSupportedException>(() => Read(json.Replace("TEXT", new string('x', 100_000), StringComparison.Ordinal))).Message.Length);

    [TestMethod]
    [DataRow("", "no JSON")]
    [DataRow("[]", "no JSON object")]
    [DataRow("""{"peft_type": 7}""", "'peft_type'")]
    [DataRow("""{"peft_type": "LORA", "r": 0}""", "'r' in")]
    [DataRow("""{"peft_type": "LORA", "r": 1e99}""", "'r' in")]
    [DataRow("""{"peft_type": "LORA", "r": "8"}""", "'r' in")]
    [DataRow("""{"peft_type": "LORA", "lora_alpha": 1e999}""", "'lora_alpha'")]
    [DataRow("""{"peft_type": "LORA", "target_modules": [1]}""", "'target_modules'")]
    [DataRow("""{"peft_type": "LORA", "target_modules": {}}""", "'target_modules'")]
    [DataRow("""{"peft_type": "LORA", "rank_pattern": {"a": -1}}""", "'rank_pattern.a'")]
    [DataRow("""{"peft_type": "LORA", "layers_to_transform": "all"}""", "'layers_to_transform'")]
    [DataRow("""{"peft_type": "LORA", "target_modules": ["\ud800"]}""", "Unicode")]
    public void DamagedConfigurationsAreRefusedWithWhatIsWrong(string json, string seen) =>
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => Read(json)).Message, seen);

    [TestMethod]
    public void ImpossibleAndEndlessPatternsAreRefused()
    {
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => new LoraConfig { TargetPattern = "(" }.Targets(Qkv)).Message, "no regular expression");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => new LoraConfig { TargetPattern = Endless + "(?!x)" }.Targets(Qkv)).Message, "too long");
    }

    [TestMethod]
    public void ManyPatternsThatBacktrackForEverAreAnsweredWithoutBacktracking()
    {
        LoraConfig config = new() { Rank = 4, RankPatterns = [.. Enumerable.Range(0, 40).Select(i => KeyValuePair.Create($"{Endless}{i}", 2)), KeyValuePair.Create("(query|key|_|value)+", 16)] };
        Assert.AreEqual(16, config.RankOf(Qkv));
        Assert.AreEqual(4, config.RankOf(Dense));
    }

    [TestMethod]
    public void SlowPatternsShareOneBudget()
    {
        // Each match tries 2^15 ways: far below the limit of one.
        LoraConfig config = new() { RankPatterns = [.. Enumerable.Range(0, 40).Select(i => KeyValuePair.Create("(?=(?:[a-z0-9._]|[a-z.0-9_]){15}!)" + i, 2))] };
        var clock = Stopwatch.StartNew();
        InvalidDataException error = Assert.ThrowsExactly<InvalidDataException>(() =>
        {
            while (clock.Elapsed < TimeSpan.FromMinutes(1))
            {
                config.RankOf(Qkv);
            }
        });
        StringAssert.Contains(error.Message, "have taken");
    }

    [TestMethod]
    public void PatternsBeyondANumberOrALengthAreRefused()
    {
        LoraConfig many = new() { RankPatterns = [.. Enumerable.Range(0, 1025).Select(i => KeyValuePair.Create($"x{i}", 2))] };
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => many.RankOf(Qkv)).Message, "more than 1024");
        Assert.AreEqual(8, (many with { RankPatterns = [.. many.RankPatterns.Take(1024)] }).RankOf(Qkv));
        string message = Assert.ThrowsExactly<InvalidDataException>(() => new LoraConfig { TargetPattern = new string('(', 20_000) }.Targets(Qkv)).Message;
        StringAssert.Contains(message, "20000 characters");
        Assert.IsLessThan(400, message.Length);
    }

    [TestMethod]
    public void ManyModulesAreFoundInLongListsWithoutGoingThroughThemAll()
    {
        string[] names = [.. Enumerable.Range(0, 100_000).Select(i => $"h.{i}.no_module")];
        LoraConfig config = new() { TargetModules = [.. names, "dense"], ExcludedModules = [.. names, "h.3.self_attention.dense"], Blocks = [.. Enumerable.Range(3, 100_000)] };
        long before = GC.GetAllocatedBytesForCurrentThread();
        string[] targeted = [.. Enumerable.Range(0, 500).Select(block => $"h.{block}.self_attention.dense").Where(config.Targets)];
        Assert.IsLessThan(64L << 20, GC.GetAllocatedBytesForCurrentThread() - before);
        CollectionAssert.AreEqual(Enumerable.Range(4, 496).Select(block => $"h.{block}.self_attention.dense").ToArray(), targeted);
    }

    [TestMethod]
    public void UnknownKeysArePassedOver() =>
        Assert.AreEqual(2, Read("""{"peft_type": "LORA", "r": 2, "invented_next_year": {"a": [1]}, "megatron_core": "megatron.core", "loftq_config": {}, "qalora_group_size": 16}""").Rank);

    private static LoraConfig Read(string json) => LoraConfigJson.Read(Encoding.UTF8.GetBytes(json), "test.json");
}
