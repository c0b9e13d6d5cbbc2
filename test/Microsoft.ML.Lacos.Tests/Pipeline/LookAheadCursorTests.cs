using Microsoft.ML.Data;

namespace Microsoft.ML.Lacos.Tests.Pipeline;

[TestClass]
public sealed class LookAheadCursorTests
{
    private readonly MLContext _context = new(1);
    private readonly FakeEncoder _encoder = new();
    private readonly TextRow[] _rows = TextRow.Make(203);

    [TestMethod]
    public void EveryRowHasItsOwnVectorAndItsOtherColumnsAreIntact()
    {
        IDataView view = View();
        EmbeddedRow[] embedded = [.. _context.Data.CreateEnumerable<EmbeddedRow>(view, reuseRowObject: false)];
        Assert.HasCount(_rows.Length, embedded);
        for (int i = 0; i < _rows.Length; i++)
        {
            Assert.AreEqual(i, embedded[i].Number);
            Assert.AreEqual(_rows[i].Text, embedded[i].Text);
            CollectionAssert.AreEqual(_rows[i].Extra, embedded[i].Extra);
            CollectionAssert.AreEqual(_rows[i].Words, embedded[i].Words);
            CollectionAssert.AreEqual(_encoder.Vector(_rows[i].Text), embedded[i].Features);
        }
    }

    [TestMethod]
    public void NothingIsEncodedWhenNoVectorIsRead()
    {
        IDataView view = View();
        CollectionAssert.AreEqual(_rows.Select(row => row.Number).ToArray(), view.GetColumn<int>("Number").ToArray());
        using (DataViewRowCursor cursor = view.GetRowCursor(view.Schema))
        {
            cursor.GetGetter<VBuffer<float>>(view.Schema["Features"]);
            while (cursor.MoveNext())
            {
            }
        }
        Assert.AreEqual(0, _encoder.Calls);
    }

    [TestMethod]
    public void TextsAreEncodedManyAtATime()
    {
        _ = View(lookAhead: 64).GetColumn<float[]>("Features").Count();
        CollectionAssert.AreEqual(new[] { 16, 64, 64, 59 }, _encoder.Batches.Select(batch => batch.Length).ToArray());
    }

    [TestMethod]
    public void ALookAtTheFirstRowsEncodesFew()
    {
        Assert.HasCount(5, View().Preview(5).RowView);
        Assert.AreEqual(16, _encoder.Texts);
    }

    [TestMethod]
    public void EqualTextsOfAWindowAreEncodedOnceAcrossColumns()
    {
        TextRow[] rows = [.. Enumerable.Range(0, 12).Select(i => new TextRow { Text = "same", Other = i % 2 == 0 ? "same" : "other" })];
        SentenceEmbeddingEstimator.Options options = FakeEncoder.Options(new("Left", "Text"), new("Right", "Other"));
        options.CacheBytes = 0;
        IDataView data = _context.Data.LoadFromEnumerable(rows);
        IDataView view = _encoder.Fit(_context, data, options).Transform(data);
        using DataViewRowCursor cursor = view.GetRowCursor(view.Schema);
        ValueGetter<VBuffer<float>> left = cursor.GetGetter<VBuffer<float>>(view.Schema["Left"]);
        ValueGetter<VBuffer<float>> right = cursor.GetGetter<VBuffer<float>>(view.Schema["Right"]);
        VBuffer<float> value = default;
        foreach (TextRow row in rows)
        {
            Assert.IsTrue(cursor.MoveNext());
            left(ref value);
            CollectionAssert.AreEqual(_encoder.Vector(row.Text), value.DenseValues().ToArray());
            right(ref value);
            CollectionAssert.AreEqual(_encoder.Vector(row.Other), value.DenseValues().ToArray());
        }
        Assert.AreEqual(2, _encoder.Texts);
    }

    [TestMethod]
    public void OnlyTheTextsOfActiveColumnsAreEncoded()
    {
        IDataView data = _context.Data.LoadFromEnumerable(_rows);
        IDataView view = _encoder.Fit(_context, data, FakeEncoder.Options(new("Left", "Text"), new("Right", "Other"))).Transform(data);
        _ = view.GetColumn<float[]>("Right").Count();
        Assert.AreEqual(_rows.Select(row => row.Other).Distinct().Count(), _encoder.Texts);
    }

    [TestMethod]
    public void PositionBatchAndIdAreThoseOfTheInput()
    {
        IDataView data = _context.Data.LoadFromEnumerable(_rows);
        IDataView view = _encoder.Fit(_context, data).Transform(data);
        using DataViewRowCursor expected = data.GetRowCursor(data.Schema);
        using DataViewRowCursor actual = view.GetRowCursor(view.Schema);
        ValueGetter<DataViewRowId> expectedId = expected.GetIdGetter(), actualId = actual.GetIdGetter();
        DataViewRowId left = default, right = default;
        Assert.AreEqual(-1, actual.Position);
        while (expected.MoveNext())
        {
            Assert.IsTrue(actual.MoveNext());
            expectedId(ref left);
            actualId(ref right);
            Assert.AreEqual(left, right);
            Assert.AreEqual(expected.Position, actual.Position);
            Assert.AreEqual(expected.Batch, actual.Batch);
        }
        Assert.IsFalse(actual.MoveNext());
        Assert.AreEqual(-1, actual.Position);
        Assert.IsFalse(actual.MoveNext());
    }

    [TestMethod]
    public void ReadingOffARowIsAnErrorThatSaysSo()
    {
        IDataView view = View();
        DataViewRowCursor cursor = view.GetRowCursor(view.Schema);
        ValueGetter<VBuffer<float>> vector = cursor.GetGetter<VBuffer<float>>(view.Schema["Features"]);
        ValueGetter<int> number = cursor.GetGetter<int>(view.Schema["Number"]);
        VBuffer<float> features = default;
        int value = 0;
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => vector(ref features)).Message, "not on a row");
        Assert.IsTrue(cursor.MoveNext());
        number(ref value);
        cursor.Dispose();
        Assert.ThrowsExactly<InvalidOperationException>(() => number(ref value));
        Assert.ThrowsExactly<InvalidOperationException>(() => vector(ref features));
        Assert.IsFalse(cursor.MoveNext());
        cursor.Dispose();
    }

    [TestMethod]
    public void AColumnNotAskedForAndAWrongTypeAreErrorsWithTheirNames()
    {
        IDataView view = View();
        using DataViewRowCursor cursor = view.GetRowCursor([view.Schema["Features"]]);
        Assert.IsFalse(cursor.IsColumnActive(view.Schema["Number"]));
        Assert.IsTrue(cursor.IsColumnActive(view.Schema["Features"]));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => cursor.GetGetter<int>(view.Schema["Number"])).Message, "'Number' is not active");
        string message = Assert.ThrowsExactly<InvalidOperationException>(() => cursor.GetGetter<float>(view.Schema["Features"])).Message;
        StringAssert.Contains(message, "'Features'");
        StringAssert.Contains(message, "System.Single");
    }

    [TestMethod]
    public void AShuffledCursorKeepsTextAndVectorTogether()
    {
        IDataView data = _context.Data.Cache(_context.Data.LoadFromEnumerable(_rows));
        IDataView view = _encoder.Fit(_context, data).Transform(data);
        Assert.IsTrue(view.CanShuffle);
        Assert.AreEqual(data.GetRowCount(), view.GetRowCount());
        using DataViewRowCursor cursor = view.GetRowCursor(view.Schema, new Random(5));
        ValueGetter<int> number = cursor.GetGetter<int>(view.Schema["Number"]);
        ValueGetter<VBuffer<float>> vector = cursor.GetGetter<VBuffer<float>>(view.Schema["Features"]);
        VBuffer<float> features = default;
        var seen = new List<int>();
        int value = 0;
        while (cursor.MoveNext())
        {
            number(ref value);
            vector(ref features);
            CollectionAssert.AreEqual(_encoder.Vector(_rows[value].Text), features.DenseValues().ToArray());
            seen.Add(value);
        }
        CollectionAssert.AreEquivalent(Enumerable.Range(0, _rows.Length).ToArray(), seen);
        CollectionAssert.AreNotEqual(Enumerable.Range(0, _rows.Length).ToArray(), seen);
    }

    [TestMethod]
    public void ACursorSetSharesTheRowsOut()
    {
        IDataView data = TextFile(5000);
        IDataView view = _encoder.Fit(_context, data).Transform(data);
        DataViewRowCursor[] cursors = view.GetRowCursorSet(view.Schema, 4);
        var numbers = new List<int>[cursors.Length];
        Parallel.For(0, cursors.Length, index =>
        {
            using DataViewRowCursor cursor = cursors[index];
            ValueGetter<int> number = cursor.GetGetter<int>(view.Schema["Number"]);
            ValueGetter<ReadOnlyMemory<char>> text = cursor.GetGetter<ReadOnlyMemory<char>>(view.Schema["Text"]);
            ValueGetter<VBuffer<float>> vector = cursor.GetGetter<VBuffer<float>>(view.Schema["Features"]);
            numbers[index] = [];
            int value = 0;
            ReadOnlyMemory<char> current = default;
            VBuffer<float> features = default;
            while (cursor.MoveNext())
            {
                number(ref value);
                text(ref current);
                vector(ref features);
                numbers[index].Add(value);
                CollectionAssert.AreEqual(_encoder.Vector(current.ToString()), features.DenseValues().ToArray());
            }
        });
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 5000).ToArray(), numbers.SelectMany(part => part).ToArray());
    }

    [TestMethod]
    public void TextLoaderAndBinaryAndCacheAndShuffleAreGoodSources()
    {
        IDataView text = TextFile(1500);
        string[] expected = [.. text.GetColumn<string>("Text")];
        using var saved = new TemporaryFile();
        using (FileStream stream = File.Create(saved.Path))
        {
            _context.Data.SaveAsBinary(text, stream);
        }
        foreach (IDataView source in new[] { text, _context.Data.LoadFromBinary(saved.Path), _context.Data.Cache(text), _context.Data.ShuffleRows(text, 3) })
        {
            IDataView view = _encoder.Fit(_context, source, new() { Columns = [new("Features", "Text")], LookAheadRows = 100 }).Transform(source);
            int count = 0;
            foreach (NumberedRow row in _context.Data.CreateEnumerable<NumberedRow>(view, reuseRowObject: true))
            {
                Assert.AreEqual(expected[row.Number], row.Text);
                CollectionAssert.AreEqual(_encoder.Vector(row.Text), row.Features);
                count++;
            }
            Assert.AreEqual(1500, count);
        }
    }

    [TestMethod]
    public void ManyThreadsReadOneViewAtOnce()
    {
        IDataView view = View();
        Parallel.For(0, 8, _ =>
        {
            float[][] vectors = [.. view.GetColumn<float[]>("Features")];
            for (int i = 0; i < _rows.Length; i++)
            {
                CollectionAssert.AreEqual(_encoder.Vector(_rows[i].Text), vectors[i]);
            }
        });
    }

    [TestMethod]
    public void AnErrorOfTheInputComesAtItsRowAndStays()
    {
        IDataView broken = _context.Data.LoadFromEnumerable(_rows.Select(row => row.Number == 40 ? throw new InvalidDataException("row 40 is broken") : row));
        IDataView view = _encoder.Fit(_context, broken).Transform(broken);
        using DataViewRowCursor cursor = view.GetRowCursor(view.Schema);
        ValueGetter<VBuffer<float>> vector = cursor.GetGetter<VBuffer<float>>(view.Schema["Features"]);
        VBuffer<float> features = default;
        for (int i = 0; i < 40; i++)
        {
            Assert.IsTrue(cursor.MoveNext());
            vector(ref features);
            CollectionAssert.AreEqual(_encoder.Vector(_rows[i].Text), features.DenseValues().ToArray());
        }
        for (int again = 0; again < 2; again++)
        {
            Assert.ThrowsExactly<InvalidDataException>(() => cursor.MoveNext());
            Assert.AreEqual(-1, cursor.Position);
            Assert.ThrowsExactly<InvalidOperationException>(() => vector(ref features));
        }
    }

    [TestMethod]
    public void AnErrorOfTheEncoderLeavesTheCursorWhereItWas()
    {
        _encoder.BeforeCall = call =>
        {
            if (_encoder.Texts == 0)
            {
                _encoder.BeforeCall = null;
                throw new IOException("once");
            }
        };
        IDataView view = View();
        using DataViewRowCursor cursor = view.GetRowCursor(view.Schema);
        ValueGetter<VBuffer<float>> vector = cursor.GetGetter<VBuffer<float>>(view.Schema["Features"]);
        VBuffer<float> features = default;
        Assert.IsTrue(cursor.MoveNext());
        Assert.ThrowsExactly<IOException>(() => vector(ref features));
        Assert.AreEqual(0, cursor.Position);
        vector(ref features);
        CollectionAssert.AreEqual(_encoder.Vector(_rows[0].Text), features.DenseValues().ToArray());
    }

    [TestMethod]
    public void HugeTextsEndAWindowEarly()
    {
        string huge = new('x', 3 << 20);
        TextRow[] rows = [.. Enumerable.Range(0, 6).Select(i => new TextRow { Text = $"{i} {huge}" })];
        IDataView data = _context.Data.LoadFromEnumerable(rows);
        _ = _encoder.Fit(_context, data).Transform(data).GetColumn<float[]>("Features").Count();
        Assert.IsTrue(_encoder.Batches.All(batch => batch.Length <= 2), string.Join(", ", _encoder.Batches.Select(batch => batch.Length)));
    }

    [TestMethod]
    public void EmptyMissingAndBrokenTextsHaveVectors()
    {
        string?[] texts = ["", null, " ", "\ud800 alone", "tail \udc00", "a\0b"];
        IDataView data = _context.Data.LoadFromEnumerable(texts.Select(text => new TextRow { Text = text! }));
        float[][] vectors = [.. _encoder.Fit(_context, data).Transform(data).GetColumn<float[]>("Features")];
        for (int i = 0; i < texts.Length; i++)
        {
            CollectionAssert.AreEqual(_encoder.Vector(texts[i]), vectors[i]);
        }
        Assert.IsTrue(vectors[0].All(value => value == 0));
        Assert.IsTrue(vectors[1].All(value => value == 0));
        Assert.IsTrue(vectors[2].Any(value => value != 0));
    }

    [TestMethod]
    public void CancellingStopsReading()
    {
        using var source = new CancellationTokenSource();
        IDataView data = _context.Data.LoadFromEnumerable(_rows);
        SentenceEmbeddingEstimator.Options options = FakeEncoder.Options();
        options.CancellationToken = source.Token;
        options.LookAheadRows = 16;
        IDataView view = _encoder.Fit(_context, data, options).Transform(data);
        _encoder.BeforeCall = call =>
        {
            if (call == 2)
            {
                source.Cancel();
            }
        };
        Assert.Throws<OperationCanceledException>(() => view.GetColumn<float[]>("Features").Count());
        Assert.IsLessThan(_rows.Length, _encoder.Texts);
    }

    private IDataView View(int lookAhead = 1024)
    {
        IDataView data = _context.Data.LoadFromEnumerable(_rows);
        SentenceEmbeddingEstimator.Options options = FakeEncoder.Options();
        options.LookAheadRows = lookAhead;
        return _encoder.Fit(_context, data, options).Transform(data);
    }

    private IDataView TextFile(int count)
    {
        var file = new TemporaryFile();
        _files.Add(file);
        File.WriteAllLines(file.Path, TextRow.Make(count).Select(row => $"{row.Number}\t{row.Text}"));
        return _context.Data.LoadFromTextFile(file.Path, [new("Number", DataKind.Int32, 0), new("Text", DataKind.String, 1)]);
    }

    private readonly List<TemporaryFile> _files = [];

    [TestCleanup]
    public void DeleteFiles() => _files.ForEach(file => file.Dispose());

    private sealed class NumberedRow
    {
        public int Number { get; set; }

        public string Text { get; set; } = "";

        public float[] Features { get; set; } = [];
    }
}
