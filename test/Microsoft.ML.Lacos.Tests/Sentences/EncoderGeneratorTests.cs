using Microsoft.Extensions.AI;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;

namespace Microsoft.ML.Lacos.Tests.Sentences;

[TestClass]
public sealed class EncoderGeneratorTests
{
    private static readonly string[] Texts = ["A man is playing a guitar.", "Un homme joue de la guitare.", "", "A man is playing a guitar."];

    [TestMethod]
    public async Task VectorsAreTheEncodersAndTokensAreCounted()
    {
        using LacosModel model = LacosModel.LoadDefault();
        using SentenceEncoder encoder = SentenceEncoder.Create(model, new SentenceEncoderOptions { MaximumTokenCount = 4 });
        using IEmbeddingGenerator<string, Embedding<float>> generator = encoder.AsEmbeddingGenerator();
        GeneratedEmbeddings<Embedding<float>> embeddings = await generator.GenerateAsync(Texts);
        var counts = new int[Texts.Length];
        encoder.Encode(Texts, new float[Texts.Length * encoder.Dimension], counts);
        for (int i = 0; i < Texts.Length; i++)
        {
            CollectionAssert.AreEqual(encoder.Encode(Texts[i]), embeddings[i].Vector.ToArray(), Texts[i]);
        }
        Assert.AreEqual(counts.Sum(), embeddings.Usage!.InputTokenCount);
        EmbeddingGeneratorMetadata metadata = generator.GetService<EmbeddingGeneratorMetadata>()!;
        Assert.AreEqual(encoder.Dimension, metadata.DefaultModelDimensions);
        Assert.AreEqual(model.Provenance["name"], metadata.DefaultModelId);
    }

    [TestMethod]
    public async Task TheGeneratorKeepsTheModelOpenAndLeavesTheEncoderAlone()
    {
        // A mapped file: its memory is gone once the model is released, unlike that of the embedded model.
        using var folder = new TemporaryFolder();
        using (LacosModel embedded = LacosModel.LoadDefault())
        {
            embedded.Save(folder.File("model.lacos"));
        }
        SentenceEncoder encoder;
        using (LacosModel mapped = LacosModel.Load(folder.File("model.lacos")))
        {
            encoder = SentenceEncoder.Create(mapped, new SentenceEncoderOptions { Compute = BloomCompute.Float32 });
        }
        float[] expected = encoder.Encode("text");
        encoder.AsEmbeddingGenerator().Dispose();
        CollectionAssert.AreEqual(expected, encoder.Encode("text"));
        IEmbeddingGenerator<string, Embedding<float>> generator = encoder.AsEmbeddingGenerator();
        encoder.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => encoder.Encode("text"));
        Assert.ThrowsExactly<ObjectDisposedException>(encoder.AsEmbeddingGenerator);
        CollectionAssert.AreEqual(expected, (await generator.GenerateVectorAsync("text")).ToArray());
        generator.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => generator.GenerateAsync(["text"]));
    }
}
