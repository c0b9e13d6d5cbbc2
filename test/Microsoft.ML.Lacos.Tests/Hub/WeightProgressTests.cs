using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Tests.Hub;

[TestClass]
public sealed class WeightProgressTests
{
    [TestMethod]
    [DataRow(QuantizationScheme.None)]
    [DataRow(QuantizationScheme.Rowwise)]
    [DataRow(QuantizationScheme.BlockwiseDynamic)]
    public void ReadingAFolderTellsOfEveryElement(QuantizationScheme scheme)
    {
        using var folder = new TemporaryFolder();
        string path = new TinyModel().WriteTo(folder.File("in"));
        var told = new Told();
        using LacosModel model = LacosModel.Load(path, new LacosModelLoadOptions { Scheme = scheme, Progress = told.Progress(CancellationToken.None) });
        told.CheckAll(model.Weights.Config);
    }

    [TestMethod]
    public void ExportingTellsOfEveryElement()
    {
        using var folder = new TemporaryFolder();
        using LacosModel model = LacosModel.LoadDefault();
        var saved = new Told();
        model.WriteFolder(folder.File("saved"), CheckpointPrecision.Float16, saved.Progress(CancellationToken.None));
        saved.CheckAll(model.Weights.Config);
        var exported = new Told();
        ModelFolder.Export(folder.File("saved"), null, settings => settings, folder.File("exported"), CheckpointPrecision.Float32, exported.Progress(CancellationToken.None));
        exported.CheckAll(model.Weights.Config);
    }

    [TestMethod]
    public void ReadingEndsInTheMiddleWhenItIsCancelled()
    {
        using var folder = new TemporaryFolder();
        using (LacosModel embedded = LacosModel.LoadDefault())
        {
            embedded.SaveFolder(folder.File("in"));
        }
        using var source = new CancellationTokenSource();
        long last = 0, all = 0;
        var progress = new WeightProgress(
            (done, total) =>
            {
                (last, all) = (Math.Max(last, done), total);
                if (done > total / 4)
                {
                    source.Cancel();
                }
            },
            source.Token);
        Assert.ThrowsExactly<OperationCanceledException>(() => LacosModel.Load(folder.File("in"), new LacosModelLoadOptions { Progress = progress }).Dispose());
        Assert.IsLessThan(all, last);
    }

    [TestMethod]
    public void AnExportEndsInTheMiddleAndLeavesNothingWhenItIsCancelled()
    {
        using var folder = new TemporaryFolder();
        using LacosModel model = LacosModel.LoadDefault();
        using var source = new CancellationTokenSource();
        var progress = new WeightProgress(
            (done, _) =>
            {
                if (done > 0)
                {
                    source.Cancel();
                }
            },
            source.Token);
        Assert.ThrowsExactly<OperationCanceledException>(() => model.WriteFolder(folder.File("out"), CheckpointPrecision.Float32, progress));
        Assert.IsEmpty(Directory.GetFileSystemEntries(folder.Path));
    }

    private sealed class Told
    {
        private readonly Lock _lock = new();
        private readonly List<long> _done = [];
        private long _total;

        public WeightProgress Progress(CancellationToken cancellationToken) => new(
            (done, total) =>
            {
                lock (_lock)
                {
                    _done.Add(done);
                    _total = total;
                }
            },
            cancellationToken);

        public void CheckAll(BloomConfig config)
        {
            long hidden = config.HiddenSize;
            Assert.AreEqual((config.VocabularySize * hidden) + (config.LayerCount * 12 * hidden * hidden), _total);
            Assert.AreEqual(0, _done[0]);
            Assert.AreEqual(_total, _done.Max());
            CollectionAssert.AllItemsAreUnique(_done);
        }
    }
}
