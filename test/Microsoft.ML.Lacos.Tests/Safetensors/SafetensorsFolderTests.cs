using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Tests.Safetensors;

[TestClass]
public sealed class SafetensorsFolderTests
{
    private const string Index = """{"weight_map":{"a":"one.safetensors","b":"two.safetensors","c":"one.safetensors"}}""";

    [TestMethod]
    public void AShardIsOpenedOnceHoweverManyTensorsItHas()
    {
        using var folder = new TemporaryFolder();
        Write(folder, "one.safetensors", "a", "c", "not in the index");
        Write(folder, "two.safetensors", "b");
        File.WriteAllText(folder.File(SafetensorsFolder.IndexName), Index);
        using SafetensorsFolder weights = SafetensorsFolder.Open(folder.Path);
        CollectionAssert.AreEqual(new[] { "one.safetensors", "two.safetensors" }, weights.Files.Select(Path.GetFileName).ToArray());
        CollectionAssert.AreEquivalent(new[] { "a", "b", "c" }, weights.Tensors.Keys.ToArray());
        Assert.AreSame(weights.Tensors["a"], weights.Tensors["c"]);
    }

    [TestMethod]
    public void WeightsInOneFileAreReadWhereThereIsAnIndexToo()
    {
        using var folder = new TemporaryFolder();
        Write(folder, SafetensorsFolder.SingleName, "a");
        File.WriteAllText(folder.File(SafetensorsFolder.IndexName), Index);
        using SafetensorsFolder weights = SafetensorsFolder.Open(folder.Path);
        CollectionAssert.AreEqual(new[] { "a" }, weights.Tensors.Keys.ToArray());
    }

    private static void Write(TemporaryFolder folder, string name, params string[] tensors) =>
        File.WriteAllBytes(folder.File(name), RawSafetensors.OfTensors(tensors.Select(tensor => (tensor, "F32", new[] { 1 }, new byte[4]))));
}
