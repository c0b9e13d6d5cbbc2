using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Native;

namespace Microsoft.ML.Lacos.Tests.Safetensors;

[TestClass]
public sealed class RecordTextTests
{
    [TestMethod]
    public void EveryPublicRecordWithAListWritesItsElements()
    {
        Type[] records = [.. typeof(LacosModel).Assembly.GetExportedTypes().Where(HasList)];
        CollectionAssert.IsSubsetOf(new[] { typeof(LoraConfig), typeof(SentenceSettings), typeof(ModelScores), typeof(NativeInfo), typeof(BloomWeights), typeof(LayerNormWeights), typeof(LinearWeights) }, records);
        string[] byTheCompiler = [.. records.Where(type => type.GetMethod(nameof(ToString), Type.EmptyTypes)!.IsDefined(typeof(CompilerGeneratedAttribute))).Select(type => type.Name)];
        Assert.IsEmpty(byTheCompiler, string.Join(", ", byTheCompiler));

        static bool HasList(Type type) =>
            type.GetMethod("PrintMembers", BindingFlags.Instance | BindingFlags.NonPublic) is not null
            && type.GetProperties().Any(property => property.PropertyType != typeof(string) && property.PropertyType.IsAssignableTo(typeof(IEnumerable)));
    }

    [TestMethod]
    public void ListsAreWrittenElementByElement()
    {
        var config = new LoraConfig { Rank = 2, Alpha = 0.5, TargetModules = ["dense", "query_key_value"], Blocks = [0, 3], RankPatterns = [new("dense", 4)], TaskType = "FEATURE_EXTRACTION" };
        Assert.AreEqual(
            "LoraConfig { Rank = 2, Alpha = 0.5, Dropout = 0, RankStabilized = False, TargetModules = [dense, query_key_value], TargetPattern = , ExcludedModules = [], ExcludedPattern = , Blocks = [0, 3], "
            + "RankPatterns = [[dense, 4]], AlphaPatterns = [], BaseModel = , TaskType = FEATURE_EXTRACTION }",
            config.ToString());
        var settings = new SentenceSettings { Prompts = new Dictionary<string, string> { ["query"] = "Q: " } };
        StringAssert.Contains(settings.ToString(), "Pooling = Mean, Normalize = True, MaximumTokenCount = 256, Prompts = [[query, Q: ]], DefaultPromptName = ");
        StringAssert.Contains(new ModelScores([new SetScore("en", "dev", 2, null, 0.5)]).ToString(), "Sets = [SetScore { Language = en, Set = dev, Pairs = 2, Before = , After = 0.5 }]");
    }

    [TestMethod]
    [DataRow(32, "31]")]
    [DataRow(35, "31, and 3 more]")]
    public void OfALongListTheFirstElementsAreWritten(int count, string end)
    {
        var weights = new LayerNormWeights([.. Enumerable.Range(0, count).Select(i => (float)i)], [0.25f]);
        string text = weights.ToString();
        StringAssert.StartsWith(text, "LayerNormWeights { Weight = [0, 1, 2, ");
        StringAssert.EndsWith(text, $", 30, {end}, Bias = [0.25] }}");
    }
}
