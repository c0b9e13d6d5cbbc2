using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Tests.Damage;

namespace Microsoft.ML.Lacos.Tests.Hub;

[TestClass]
public sealed class DamagedLacosTests
{
    [TestMethod]
    public void ADamagedModelIsRefusedClearlyOrGivesFiniteVectors()
    {
        using var folder = new TemporaryFolder();
        byte[] whole = LacosDamage.Whole(folder.Path);
        int refused = 0, used = 0;
        for (int seed = 0; seed < 800; seed++)
        {
            byte[] spoilt = LacosDamage.Apply(whole, new Random(seed));
            Exception? error = Refusal.Of(() => Use(spoilt), $"seed {seed}");
            (refused, used) = error is null ? (refused, used + 1) : (refused + 1, used);
        }
        Assert.IsGreaterThan(400, refused);
        Assert.IsGreaterThan(40, used, "some damage is harmless");
    }

    private static void Use(byte[] bytes)
    {
        using LacosModel model = LacosModel.Load(new MemoryStream(bytes));
        _ = ModelScores.Of(model);
        using SentenceEncoder encoder = SentenceEncoder.Create(model);
        Assert.IsTrue(encoder.Encode("abc").All(float.IsFinite));
    }
}
