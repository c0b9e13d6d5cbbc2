using Microsoft.ML.Data;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Microsoft.ML.Lacos.Tests.Pipeline;

/// <summary>What people put after the vectors, on vectors of the embedded default model.</summary>
[TestClass]
public sealed class DefaultModelPipelineTests
{
    private static readonly string[] s_sport = ["The team won the match", "Der Torwart hielt den Ball", "El equipo marcó un gol", "She ran the marathon", "Le joueur a gagné le tournoi"];
    private static readonly string[] s_food = ["He cooks soup with vegetables", "Das Brot schmeckt sehr gut", "La cena está en la mesa", "We ate rice and fish", "Elle prépare un gâteau au chocolat"];
    private static readonly string[] s_endings = ["today", "yesterday", "again", "here", "now", "there"];
    private static readonly MLContext s_context = new(1);
    private static readonly Sentence[] s_rows = [.. Enumerable.Range(0, 60).Select(i => new Sentence
    {
        Text = $"{(i % 2 == 0 ? s_sport : s_food)[i / 2 % 5]} {s_endings[i / 10]}",
        Base = i % 10,
        IsSport = i % 2 == 0,
        Number = i,
        Length = i % 7,
    })];

    private static readonly IDataView s_data = s_context.Data.LoadFromEnumerable(s_rows);
    private static readonly SentenceEmbeddingEstimator s_embedding = s_context.Transforms.Text.ApplySentenceEmbedding("Features", "Text");
    private static readonly SentenceEmbeddingTransformer s_transformer = s_embedding.Fit(s_data);
    private static readonly float[][] s_vectors = [.. s_transformer.Transform(s_data).GetColumn<float[]>("Features")];

    [TestMethod]
    public void VectorsHaveNormOneAndSimilarSentencesAreNear()
    {
        foreach (float[] vector in s_vectors)
        {
            Assert.AreEqual(1, Math.Sqrt(vector.Sum(value => (double)value * value)), 1e-5);
        }
        double within = Cosine(s_vectors[0], s_vectors[20]), across = Cosine(s_vectors[0], s_vectors[1]);
        Assert.IsGreaterThan(across, within);
    }

    [TestMethod]
    public void AVectorIsTheSameBitsAloneInAnyOrderAndInAPredictionEngine()
    {
        // A memory of vectors would make this true of itself.
        var options = new SentenceEmbeddingEstimator.Options { Columns = [new("Features", "Text")], CacheBytes = 0, LookAheadRows = 7, BatchTokens = 50 };
        using SentenceEmbeddingTransformer transformer = s_context.Transforms.Text.ApplySentenceEmbedding(options).Fit(s_data);
        using var engine = s_context.Model.CreatePredictionEngine<Sentence, Embedded>(transformer, new PredictionEngineOptions { OwnsTransformer = false });
        IDataView reversed = s_context.Data.LoadFromEnumerable(s_rows.Reverse());
        float[][] backwards = [.. transformer.Transform(reversed).GetColumn<float[]>("Features").Reverse()];
        for (int i = 0; i < s_rows.Length; i++)
        {
            CollectionAssert.AreEqual(s_vectors[i], backwards[i]);
            CollectionAssert.AreEqual(s_vectors[i], engine.Predict(s_rows[i]).Features);
        }
    }

    [TestMethod]
    public void ManyThreadsReadTheSameBits()
    {
        var options = new SentenceEmbeddingEstimator.Options { Columns = [new("Features", "Text")], CacheBytes = 0 };
        using SentenceEmbeddingTransformer transformer = s_context.Transforms.Text.ApplySentenceEmbedding(options).Fit(s_data);
        IDataView view = transformer.Transform(s_data);
        Parallel.For(0, 4, _ =>
        {
            float[][] vectors = [.. view.GetColumn<float[]>("Features")];
            for (int i = 0; i < vectors.Length; i++)
            {
                CollectionAssert.AreEqual(s_vectors[i], vectors[i]);
            }
        });
    }

    [TestMethod]
    public void EmptyTextsAreZeroAndBrokenUnicodeIsEncodedAsReplacementCharacters()
    {
        IDataView data = s_context.Data.LoadFromEnumerable(new[] { "", null, "a \ud800 b", "a \ufffd b", " " }.Select(text => new Sentence { Text = text! }));
        float[][] vectors = [.. s_transformer.Transform(data).GetColumn<float[]>("Features")];
        Assert.IsTrue(vectors[0].All(value => value == 0));
        Assert.IsTrue(vectors[1].All(value => value == 0));
        CollectionAssert.AreEqual(vectors[3], vectors[2]);
        Assert.IsTrue(vectors[4].Any(value => value != 0));
    }

    [TestMethod]
    public void ATextOfTenMegabytesIsTruncatedNotATrap()
    {
        IDataView data = s_context.Data.LoadFromEnumerable([new Sentence { Text = new string('x', 10_000_000) }, new Sentence { Text = "short" }]);
        float[][] vectors = [.. s_transformer.Transform(data).GetColumn<float[]>("Features")];
        Assert.AreEqual(1, Cosine(vectors[0], vectors[0]), 1e-5);
        CollectionAssert.AreEqual(vectors[1], s_transformer.ForColumn("Features", "Text").Transform(s_context.Data.SkipRows(data, 1)).GetColumn<float[]>("Features").Single());
    }

    [TestMethod]
    public void ATooLongTextThrowsWhenAskedTo()
    {
        var options = new SentenceEmbeddingEstimator.Options { Columns = [new("Features", "Text")], LongText = LongText.Throw, MaximumTokenCount = 3 };
        using SentenceEmbeddingTransformer transformer = s_context.Transforms.Text.ApplySentenceEmbedding(options).Fit(s_data);
        string message = Assert.ThrowsExactly<ArgumentException>(() => transformer.Transform(s_data).GetColumn<float[]>("Features").First()).Message;
        StringAssert.Contains(message, "more than 3 tokens");
    }

    [TestMethod]
    public void ATooLongTextIsAnErrorOfItsOwnRowAlone()
    {
        IDataView data = s_context.Data.LoadFromEnumerable(Enumerable.Range(0, 40).Select(i => new Sentence { Text = i is 7 or 30 ? "one two three four five six" : $"t{i}", Number = i }));
        var options = new SentenceEmbeddingEstimator.Options { Columns = [new("Features", "Text", "Tokens")], LongText = LongText.Throw, MaximumTokenCount = 4 };
        using SentenceEmbeddingTransformer transformer = s_context.Transforms.Text.ApplySentenceEmbedding(options).Fit(data);
        IDataView view = transformer.Transform(data);
        float[][] expected = [.. s_transformer.Transform(data).GetColumn<float[]>("Features")];
        using DataViewRowCursor cursor = view.GetRowCursor(view.Schema);
        ValueGetter<VBuffer<float>> vectors = cursor.GetGetter<VBuffer<float>>(view.Schema["Features"]);
        ValueGetter<int> tokens = cursor.GetGetter<int>(view.Schema["Tokens"]);
        for (int row = 0; cursor.MoveNext(); row++)
        {
            VBuffer<float> vector = default;
            int count = 0;
            if (row is 7 or 30)
            {
                string message = Assert.ThrowsExactly<ArgumentException>(() => vectors(ref vector)).Message;
                StringAssert.Contains(message, $"Row {row} (from 0)");
                StringAssert.Contains(message, "one two three");
                tokens(ref count);
                Assert.AreEqual(6, count, "Tokens can be read all the same.");
                continue;
            }
            vectors(ref vector);
            tokens(ref count);
            CollectionAssert.AreEqual(expected[row], vector.DenseValues().ToArray());
            Assert.IsGreaterThan(0, count);
        }
    }

    [TestMethod]
    public void ConversionToOnnxIsRefusedAndDoesNotLeaveTheVectorsOut()
    {
        using var stream = new MemoryStream();
        Assert.ThrowsExactly<InvalidOperationException>(() => s_context.Model.ConvertToOnnx(s_transformer, s_data, stream));
        ITransformer pipeline = s_embedding.Append(s_context.Transforms.NormalizeMinMax("Features")).Fit(s_data);
        Assert.ThrowsExactly<InvalidOperationException>(() => s_context.Model.ConvertToOnnx(pipeline, s_data, stream));
        Assert.AreEqual(0, stream.Length);
    }

    [TestMethod]
    public void DimensionIsCutThenNormalised()
    {
        var options = new SentenceEmbeddingEstimator.Options { Columns = [new("Features", "Text")], Dimension = 32 };
        using SentenceEmbeddingTransformer transformer = s_context.Transforms.Text.ApplySentenceEmbedding(options).Fit(s_data);
        float[] cut = transformer.Transform(s_data).GetColumn<float[]>("Features").First();
        double norm = Math.Sqrt(s_vectors[0].Take(32).Sum(value => (double)value * value));
        Assert.HasCount(32, cut);
        for (int i = 0; i < 32; i++)
        {
            Assert.AreEqual(s_vectors[0][i] / norm, cut[i], 1e-5);
        }
        options.Dimension = 100_000;
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => s_context.Transforms.Text.ApplySentenceEmbedding(options).Fit(s_data));
    }

    [TestMethod]
    public void AnAdapterChangesTheVectorsAndIsSavedWithThem()
    {
        using var folder = new TemporaryFolder();
        AdapterTests.WriteAdapter(folder.Path, s_transformer.Model.Weights.Config.HiddenSize, scale: 0.5f);
        var options = new SentenceEmbeddingEstimator.Options { Columns = [new("Features", "Text")], Adapter = folder.Path };
        using SentenceEmbeddingTransformer adapted = s_context.Transforms.Text.ApplySentenceEmbedding(options).Fit(s_data);
        Assert.AreNotEqual(s_transformer.Fingerprint, adapted.Fingerprint);
        float[] vector = adapted.Transform(s_data).GetColumn<float[]>("Features").First();
        CollectionAssert.AreNotEqual(s_vectors[0], vector);
        using var saved = new MemoryStream();
        s_context.Model.Save(adapted, s_data.Schema, saved);
        saved.Position = 0;
        using var loaded = (SentenceEmbeddingTransformer)s_context.Model.Load(saved, out _);
        Assert.AreEqual(adapted.Fingerprint, loaded.Fingerprint);
        CollectionAssert.AreEqual(vector, loaded.Transform(s_data).GetColumn<float[]>("Features").First());
    }

    [TestMethod]
    public void AModelThatIsNotThereIsNamed()
    {
        SentenceEmbeddingEstimator estimator = s_context.Transforms.Text.ApplySentenceEmbedding("Features", "Text", model: "no-such-model.lacos");
        StringAssert.Contains(Assert.ThrowsExactly<FileNotFoundException>(() => estimator.Fit(s_data)).Message, "no-such-model.lacos");
    }

    [TestMethod]
    public void KMeansFindsTheSentencesThatDifferInOneWord()
    {
        IDataView labelled = s_context.Transforms.Conversion.MapValueToKey("Label", "Base").Fit(s_data).Transform(s_data);
        IDataView clustered = s_embedding.Append(s_context.Clustering.Trainers.KMeans("Features", numberOfClusters: 10)).Fit(s_data).Transform(labelled);
        ClusteringMetrics metrics = s_context.Clustering.Evaluate(clustered, labelColumnName: "Label");
        Assert.IsGreaterThan(0.6, metrics.NormalizedMutualInformation);
    }

    [TestMethod]
    public void PrincipalComponentsConcatenateAndNormalise()
    {
        var pipeline = s_embedding
            .Append(s_context.Transforms.ProjectToPrincipalComponents("Components", "Features", rank: 5))
            .Append(s_context.Transforms.Concatenate("Both", "Components", "Length"))
            .Append(s_context.Transforms.NormalizeLpNorm("Unit", "Both"));
        float[][] units = [.. pipeline.Fit(s_data).Transform(s_data).GetColumn<float[]>("Unit")];
        foreach (float[] unit in units)
        {
            Assert.HasCount(6, unit);
            Assert.AreEqual(1, unit.Sum(value => value * value), 1e-4);
        }
    }

    [TestMethod]
    public void LinearTrainersLearnTheTopics()
    {
        foreach (IEstimator<ITransformer> trainer in new IEstimator<ITransformer>[]
        {
            s_context.BinaryClassification.Trainers.SdcaLogisticRegression("IsSport", "Features"),
            s_context.BinaryClassification.Trainers.LbfgsLogisticRegression("IsSport", "Features"),
        })
        {
            IDataView scored = s_embedding.Append(trainer).Fit(s_data).Transform(s_data);
            Assert.IsGreaterThan(0.9, s_context.BinaryClassification.Evaluate(scored, "IsSport").Accuracy);
        }
    }

    [TestMethod]
    public void CrossValidationAndSplits()
    {
        var pipeline = s_embedding.Append(s_context.BinaryClassification.Trainers.LbfgsLogisticRegression("IsSport", "Features", l1Regularization: 0, l2Regularization: 0.01f));
        var folds = s_context.BinaryClassification.CrossValidate(s_data, pipeline, numberOfFolds: 3, labelColumnName: "IsSport");
        Assert.IsGreaterThan(0.7, folds.Average(fold => fold.Metrics.Accuracy));
        IDataView view = s_transformer.Transform(s_data);
        DataOperationsCatalog.TrainTestData split = s_context.Data.TrainTestSplit(view, 0.25);
        Assert.AreEqual(60, split.TrainSet.GetColumn<float[]>("Features").Count() + split.TestSet.GetColumn<float[]>("Features").Count());
        int number = s_context.Data.FilterRowsByColumn(view, "Length", 3, 4).GetColumn<int>("Number").First();
        CollectionAssert.AreEqual(s_vectors[number], s_context.Data.FilterRowsByColumn(view, "Length", 3, 4).GetColumn<float[]>("Features").First());
    }

    [TestMethod]
    public void BinaryAndTextFilesKeepVectorsAndAnnotations()
    {
        using var folder = new TemporaryFolder();
        IDataView view = s_transformer.Transform(s_data);
        using (FileStream stream = File.Create(folder.File("rows.idv")))
        {
            s_context.Data.SaveAsBinary(view, stream);
        }
        IDataView loaded = s_context.Data.LoadFromBinary(folder.File("rows.idv"));
        Assert.AreEqual(view.Schema["Features"].Type, loaded.Schema["Features"].Type);
        Assert.IsTrue(loaded.Schema["Features"].HasSlotNames());
        Assert.IsTrue(loaded.Schema["Features"].IsNormalized());
        ReadOnlyMemory<char> fingerprint = default;
        loaded.Schema["Features"].Annotations.GetValue("LacosModelFingerprint", ref fingerprint);
        Assert.AreEqual(s_transformer.Fingerprint, fingerprint.ToString());
        float[][] vectors = [.. loaded.GetColumn<float[]>("Features")];
        for (int i = 0; i < vectors.Length; i++)
        {
            CollectionAssert.AreEqual(s_vectors[i], vectors[i]);
        }
        using var text = new MemoryStream();
        s_context.Data.SaveAsText(s_context.Data.TakeRows(view, 3), text);
        Assert.IsGreaterThan(1000L, text.Length);
    }

    [TestMethod]
    public void PreviewShowsVectors()
    {
        DataDebuggerPreview preview = s_transformer.Transform(s_data).Preview(3);
        CollectionAssert.AreEqual(s_vectors[2], ((VBuffer<float>)preview.RowView[2].Values.Single(value => value.Key == "Features").Value).DenseValues().ToArray());
    }

    [TestMethod]
    public void PermutationFeatureImportanceNamesTheSlots()
    {
        var options = new SentenceEmbeddingEstimator.Options { Columns = [new("Features", "Text")], Dimension = 6 };
        var model = s_context.Transforms.Text.ApplySentenceEmbedding(options).Append(s_context.Regression.Trainers.OnlineGradientDescent("Length", "Features")).Fit(s_data);
        IDataView scored = s_context.Data.Cache(model.Transform(s_data));
        var importance = s_context.Regression.PermutationFeatureImportance((ITransformer)model, scored, labelColumnName: "Length", permutationCount: 1);
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 6).Select(i => $"e{i}").ToArray(), importance.Keys.ToArray());
    }

    [TestMethod]
    public void AChainPredictsOneRowAsItPredictsMany()
    {
        var model = s_embedding.Append(s_context.BinaryClassification.Trainers.LbfgsLogisticRegression("IsSport", "Features")).Fit(s_data);
        Assert.IsTrue(((ITransformer)model).IsRowToRowMapper);
        float[] scores = [.. model.Transform(s_data).GetColumn<float>("Score")];
        using var engine = s_context.Model.CreatePredictionEngine<Sentence, Scored>(model);
        for (int i = 0; i < s_rows.Length; i++)
        {
            Assert.AreEqual(scores[i], engine.Predict(s_rows[i]).Score);
        }
    }

    [TestMethod]
    public void SimilarityOfTwoColumnsIsMeasured()
    {
        var options = new SentenceEmbeddingEstimator.Options { Columns = [new("Embedding1", "Text"), new("Embedding2", "Other")], ScoreColumnName = "Score" };
        IDataView data = s_context.Data.LoadFromEnumerable(s_rows.Select((row, i) => new Pair { Text = row.Text, Other = s_rows[i * 7 % s_rows.Length].Text, Label = i % 5 }));
        IDataView scored = s_context.Transforms.Text.ApplySentenceEmbedding(options).Fit(data).Transform(data);
        float[] scores = [.. scored.GetColumn<float>("Score")];
        Assert.AreEqual(1, scores[0], 1e-6);
        for (int i = 0; i < scores.Length; i++)
        {
            Assert.AreEqual(Cosine(s_vectors[i], s_vectors[i * 7 % s_rows.Length]), scores[i], 1e-5);
        }
        Assert.AreEqual(s_rows.Length, s_context.Regression.EvaluateSentenceSimilarity(scored).Count);
        Assert.IsTrue(double.IsFinite(s_context.Regression.Evaluate(scored).MeanAbsoluteError));
    }

    private static double Cosine(float[] left, float[] right) => left.Zip(right, (x, y) => (double)x * y).Sum();

    private sealed class Sentence
    {
        public string Text { get; set; } = "";

        public int Base { get; set; }

        public bool IsSport { get; set; }

        public int Number { get; set; }

        public float Length { get; set; }
    }

    private sealed class Pair
    {
        public string Text { get; set; } = "";

        public string Other { get; set; } = "";

        public float Label { get; set; }
    }

    private sealed class Embedded
    {
        public float[] Features { get; set; } = [];
    }

    private sealed class Scored
    {
        public float Score { get; set; }
    }
}
