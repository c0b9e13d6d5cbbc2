using System.Text;
using Lacos.Cli.Input;
using Lacos.Cli.Terminal;

namespace Lacos.Cli.Tests.Input;

[TestClass]
public sealed class RecordReaderTests
{
    [TestMethod]
    [DataRow("t.txt", "one\ntwo\n", "one|two")]
    [DataRow("t.txt", "one\r\n\r\ntwo", "one||two", DisplayName = "txt: CRLF, an empty line is an empty text, no final line end")]
    [DataRow("t.txt", "\uFEFFone\n", "one", DisplayName = "txt: byte order mark")]
    [DataRow("t.txt", "", "", DisplayName = "txt: empty file")]
    [DataRow("t.txt", "a\rb\u2028c\n", "a\rb\u2028c", DisplayName = "txt: only a line feed ends a line")]
    [DataRow("t.txt", "say \"hi\"\tnow\n", "say \"hi\"\tnow", DisplayName = "txt: tabs and quotes are text")]
    [DataRow("t.tsv", "id\ttext\n1\t\"open quote\n\n2\ta \"b\" c\r\n", "\"open quote|a \"b\" c", DisplayName = "tsv: no quoting, empty lines skipped")]
    [DataRow("t.tsv", "text\na\n\nb\n", "a||b", DisplayName = "tsv: one column keeps empty lines")]
    [DataRow("t.tsv", "\uFEFFtext\tid\na\t1\n", "a", DisplayName = "tsv: byte order mark")]
    [DataRow("t.tsv", "id\tSentence\n1\tx\n", "x", DisplayName = "tsv: the other name, in another case")]
    [DataRow("t.csv", "id,text\n1,\"a, \"\"b\"\"\nc\"\n\n2,d\n", "a, \"b\"\nc|d", DisplayName = "csv: quotes, line break, empty line")]
    [DataRow("t.csv", "\uFEFFtext,id\r\nä,1\r\n", "ä", DisplayName = "csv: byte order mark and CRLF")]
    [DataRow("t.csv", "anything\na\n\nb\n", "a||b", DisplayName = "csv: one column, whatever its name")]
    [DataRow("t.jsonl", "{\"id\":1,\"text\":\"\\u00e4\\n\"}\n\n{\"text\":null,\"id\":2}\n", "ä\n|null", DisplayName = "jsonl: escapes, null, empty lines")]
    [DataRow("t.jsonl", "\"one\"\r\n\"two\"\r\n", "one|two", DisplayName = "jsonl: bare strings")]
    [DataRow("t.jsonl", "\uFEFF{\"sentence\":\"x\"}", "x", DisplayName = "jsonl: byte order mark")]
    [DataRow("t.jsonl", "", "", DisplayName = "jsonl: empty file")]
    public void EachFormatGivesItsTexts(string name, string content, string expected)
    {
        using var folder = new TemporaryFolder();
        string packed = name + ".gz";
        folder.Write(name, content);
        folder.WriteGzip(packed, content);
        string[] texts = expected.Length == 0 ? [] : expected.Split('|');
        CollectionAssert.AreEqual(texts, Texts(folder.File(name)));
        CollectionAssert.AreEqual(texts, Texts(folder.File(packed)), "packed");
    }

    [TestMethod]
    public void ColumnsAreFoundByNameAndByNumber()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("t.tsv", "lang\ttext\t0\nen\thello\tzero\n");
        CollectionAssert.AreEqual(new[] { "en" }, Texts(path, "lang"));
        CollectionAssert.AreEqual(new[] { "hello" }, Texts(path, "1"));
        CollectionAssert.AreEqual(new[] { "zero" }, Texts(path, "0"), "a name goes before a number");
        CollectionAssert.AreEqual(new[] { "text", "hello" }, Texts(path, "1", hasHeader: false));
        CollectionAssert.AreEqual(new[] { "text", "hello" }, Texts(folder.Write("t.csv", "lang,text\nen,hello\n"), "1", hasHeader: false));
    }

    [TestMethod]
    [DataRow("missing")]
    [DataRow("3")]
    [DataRow("-1")]
    [DataRow(null)]
    public void AColumnThatIsNotThereIsRefusedWithThoseThatAre(string? column)
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("t.csv", "lang,body,id\nen,hello,1\n");
        UsageException error = Assert.ThrowsExactly<UsageException>(() => Texts(path, column));
        StringAssert.Contains(error.Message, "'lang', 'body', 'id'");
    }

    [TestMethod]
    [DataRow("t.tsv", "a\ttext\n1\tx\n2\n", "Line 3 ", DisplayName = "tsv: a field is missing")]
    [DataRow("t.tsv", "a\ttext\n1\tx\ty\n", "Line 2 ", DisplayName = "tsv: a field too many")]
    [DataRow("t.csv", "a,text\n1,x\n2\n", "Record 2 ", DisplayName = "csv: a field is missing")]
    [DataRow("t.csv", "a,text\n1,x,y\n", "Record 1 ", DisplayName = "csv: an unquoted comma")]
    [DataRow("t.csv", "a,text\n1,\"x\n2,y\n", "not valid CSV", DisplayName = "csv: a quote never closed")]
    [DataRow("t.csv", "a,text\n1,\"x\" y\n", "not valid CSV", DisplayName = "csv: text after a closing quote")]
    [DataRow("t.csv", "", "header", DisplayName = "csv: empty file")]
    [DataRow("t.tsv", "", "header", DisplayName = "tsv: empty file")]
    [DataRow("t.jsonl", "{\"text\":\"a\"}\n{\"text\":\n", "Line 2 ", DisplayName = "jsonl: cut line")]
    [DataRow("t.jsonl", "{\"text\":\"a\"}\n{\"body\":\"b\"}\n", "Line 2 ", DisplayName = "jsonl: a key is missing")]
    [DataRow("t.jsonl", "{\"text\":\"a\"}\n{\"text\":[1]}\n", "array", DisplayName = "jsonl: no text")]
    [DataRow("t.jsonl", "{\"text\":\"a\"}\n7\n", "Line 2 ", DisplayName = "jsonl: no object")]
    [DataRow("t.jsonl", "{\"text\":\"\\ud800\"}\n", "Unicode", DisplayName = "jsonl: half a surrogate pair")]
    [DataRow("t.jsonl", "\n{\"\\ud800\":1,\"text\":\"a\"}\n", "Line 2 ", DisplayName = "jsonl: half a surrogate pair in a key")]
    [DataRow("t.jsonl", "{\"text\":\"a\"}\n{\"text\":\"a\",\"te\\ud800\":1}\n", "key that is not valid Unicode", DisplayName = "jsonl: half a surrogate pair in a later key")]
    public void AMalformedFileIsRefusedWithThePlace(string name, string content, string expected)
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write(name, content);
        InvalidDataException error = Assert.ThrowsExactly<InvalidDataException>(() => Texts(path));
        StringAssert.Contains(error.Message, expected);
    }

    [TestMethod]
    public void InvalidUtf8BecomesTheReplacementCharacterAndIsCounted()
    {
        using var folder = new TemporaryFolder();
        byte[] latin1 = [0xEF, 0xBB, 0xBF, (byte)'a', 0xE4, (byte)'b', (byte)'\n', 0xE4, (byte)'\n', .. "ß ok\n"u8];
        using RecordReader records = RecordReader.Open(folder.Write("t.txt", latin1), null, hasHeader: true, Stream.Null);
        CollectionAssert.AreEqual(new[] { "a\uFFFDb", "\uFFFD", "ß ok" }, All(records, 0));
        Assert.AreEqual(2, records.File.InvalidSequences);
    }

    [TestMethod]
    public void Utf16WithAByteOrderMarkIsRead()
    {
        using var folder = new TemporaryFolder();
        byte[] content = [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes("grüß\n好\n")];
        CollectionAssert.AreEqual(new[] { "grüß", "好" }, Texts(folder.Write("t.txt", content)));
    }

    [TestMethod]
    [DataRow(false, false)]
    [DataRow(true, false)]
    [DataRow(false, true)]
    public void Utf32IsRefused(bool bigEndian, bool isPacked)
    {
        using var folder = new TemporaryFolder();
        var encoding = new UTF32Encoding(bigEndian, byteOrderMark: true);
        byte[] content = [.. encoding.GetPreamble(), .. encoding.GetBytes("a\n")];
        string path = folder.Write("t.txt", isPacked ? TemporaryFolder.Gzip(content) : content);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => Texts(path)).Message, "is UTF-32");
    }

    [TestMethod]
    public void ALineMayHaveMoreFieldsThanTheFirstWhereSomeColumnsAreChosenByNumber()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("t.tsv", "news\t5.0\ta\nnews\t4.0\tb\tsource\tlicence\n");
        CollectionAssert.AreEqual(new[] { "a", "b" }, Texts(path, "2", hasHeader: false));
        string shorter = folder.Write("s.tsv", "news\t5.0\ta\nnews\t4.0\n");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => Texts(shorter, "2", hasHeader: false)).Message, "Line 2 ");
        string single = folder.Write("o.tsv", "a\nb\tc\n");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => Texts(single, "0", hasHeader: false)).Message, "cannot hold a tab");
    }

    [TestMethod]
    [DataRow("t.csv", "a\tb\tc\n", true, "--format tsv")]
    [DataRow("t.csv", "a\tb, c\td\n", true, "--format tsv")]
    [DataRow("t.csv", "x\t1\ty\nz\t2\tw\n", false, "--format tsv")]
    [DataRow("t.csv", "a;b;c\n", true, "with commas")]
    [DataRow("t.csv", "x;1;y\n", false, "with commas")]
    [DataRow("t.tsv", "a;b;c\n", true, "with commas")]
    [DataRow("t.tsv", "x;1;y\n", false, "with commas")]
    public void AMissingColumnOfAFileWithOtherSeparatorsSaysSo(string name, string content, bool hasHeader, string expected)
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write(name, content);
        StringAssert.Contains(Assert.ThrowsExactly<UsageException>(() => Texts(path, "5", hasHeader)).Message, expected);
    }

    [TestMethod]
    [DataRow("t.csv", "text,id,text\na,1,b\n")]
    [DataRow("t.tsv", "text\tid\ttext\na\t1\tb\n")]
    [DataRow("t.tsv", "text\tid\tText\na\t1\tb\n")]
    public void AColumnThatIsThereTwiceIsRefusedUnlessItsNumberIsGiven(string name, string content)
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write(name, content);
        StringAssert.Contains(Assert.ThrowsExactly<UsageException>(() => Texts(path)).Message, "two columns 'text', number 0 and number 2");
        CollectionAssert.AreEqual(new[] { "b" }, Texts(path, "2"));
        CollectionAssert.AreEqual(new[] { "1" }, Texts(path, "id"), "the other columns may be used");
    }

    [TestMethod]
    [DataRow("t.txt", "")]
    [DataRow("t.tsv", "text\n")]
    [DataRow("t.csv", "text\n")]
    public void ATextOfTenMillionCharactersIsOneText(string name, string header)
    {
        using var folder = new TemporaryFolder();
        string text = new('x', 10_000_000);
        CollectionAssert.AreEqual(new[] { text, "y" }, Texts(folder.Write(name, $"{header}{text}\ny\n")));
    }

    [TestMethod]
    public void LinesAcrossBufferEdgesAreWhole()
    {
        // The line reader's buffer has 32,768 characters: line ends fall before, on and after its edge.
        foreach (int length in new[] { 32765, 32766, 32767, 32768, 32769 })
        {
            var reader = new LineReader(new StringReader(new string('a', length) + "\r\nb\r\n\r\nc"), "test");
            Assert.AreEqual(length, reader.Read()!.Length);
            Assert.AreEqual("b", reader.Read());
            Assert.AreEqual("", reader.Read());
            Assert.AreEqual("c", reader.Read());
            Assert.IsNull(reader.Read());
            Assert.AreEqual(4, reader.LineNumber);
        }
    }

    [TestMethod]
    [DataRow("t.orc")]
    [DataRow("t")]
    [DataRow("t.gz")]
    public void ANameThatTellsNoFormatIsRefusedAndFormatHelps(string name)
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write(name, "a\n");
        StringAssert.Contains(Assert.ThrowsExactly<UsageException>(() => Texts(path)).Message, "--format");
        using RecordReader records = RecordReader.Open(path, "txt", hasHeader: true, Stream.Null);
        CollectionAssert.AreEqual(new[] { "a" }, All(records, 0));
    }

    [TestMethod]
    public void AMissingFileAndAFolderAreRefused()
    {
        using var folder = new TemporaryFolder();
        StringAssert.Contains(Assert.ThrowsExactly<ToolException>(() => Texts(folder.File("none.txt"))).Message, "none.txt");
        Directory.CreateDirectory(folder.File("d.txt"));
        StringAssert.Contains(Assert.ThrowsExactly<ToolException>(() => Texts(folder.File("d.txt"))).Message, "folder");
    }

    private static string[] Texts(string path, string? column = null, bool hasHeader = true)
    {
        using RecordReader records = RecordReader.Open(path, null, hasHeader, Stream.Null);
        return All(records, TextColumn.Choose(records, column));
    }

    private static string[] All(RecordReader records, int column)
    {
        var texts = new List<string>();
        var values = new string?[1];
        while (records.Read([column], values))
        {
            texts.Add(values[0] ?? "null");
        }
        return [.. texts];
    }
}
