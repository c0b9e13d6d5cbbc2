using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Lacos.Cli.Download;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Lacos.Cli.Tests.Download;

/// <summary>A server that speaks the Hub's protocol, with one model; large files come from a second server that it redirects to.</summary>
internal sealed class FakeHub : IDisposable
{
    public const string Model = "somebody/tiny-bloom";
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";

    private readonly HttpServer _hub;
    private readonly HttpServer _store;
    private readonly List<TimeSpan> _waits = [];

    public FakeHub()
    {
        _hub = new HttpServer(AnswerHub);
        _store = new HttpServer(AnswerStore);
    }

    /// <summary>Content of the repository's files.</summary>
    public SortedDictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

    /// <summary>Changes the listing before it is sent.</summary>
    public Action<JsonObject>? ChangeListing { get; set; }

    /// <summary>Answers in place of the hub, where it gives something.</summary>
    public Func<HttpCall, HttpReply?>? OnHub { get; set; }

    /// <summary>Answers in place of the storage, where it gives something; told the file's content.</summary>
    public Func<HttpCall, byte[], HttpReply?>? OnStore { get; set; }

    public Dictionary<string, string> Variables { get; } = new(StringComparer.Ordinal);

    public long? FreeSpace { get; set; }

    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    public string Address => _hub.Address;

    public string StoreAddress => _store.Address;

    public HttpCall[] HubCalls => [.. _hub.Calls];

    public HttpCall[] StoreCalls => [.. _store.Calls];

    /// <summary>Pauses that the tool would have made.</summary>
    public IReadOnlyList<TimeSpan> Waits => _waits;

    /// <summary>A hub with a small model, a card, a licence, and what must not be fetched.</summary>
    public static FakeHub OfModel(TinyModel? model = null)
    {
        TinyModel tiny = model ?? TinyModel.OfLetters();
        var hub = new FakeHub();
        foreach ((string name, string content) in tiny.Files)
        {
            hub.Add(name, content);
        }
        hub.Files["model.safetensors"] = tiny.Weights();
        hub.Add("README.md", "---\nlicense: bigscience-bloom-rail-1.0\n---\n");
        hub.Add("LICENSE", "Terms.");
        hub.Add("pytorch_model.bin", "a pickle");
        hub.Add("modeling_bloom.py", "import os");
        hub.Add("onnx/model.onnx", "a graph");
        return hub;
    }

    public void Add(string path, string content) => Files[path] = Encoding.UTF8.GetBytes(content);

    /// <summary>Runs <c>lacos download</c> against this hub.</summary>
    public ToolRun Run(string output, params string[] arguments) => RunLine(default, ["download", Model, "--output", output, "--endpoint", Address, .. arguments]);

    public ToolRun RunLine(CancellationToken cancellationToken, params string[] line)
    {
        var settings = new DownloadSettings
        {
            Variable = name => Variables.GetValueOrDefault(name),
            Wait = (pause, _) =>
            {
                _waits.Add(pause);
                return Task.CompletedTask;
            },
            Attempts = 4,
            StallTimeout = StallTimeout,
            FreeSpace = _ => FreeSpace,
        };
        var models = new FakeModels();
        var output = new MemoryStream();
        var error = new StringWriter { NewLine = "\n" };
        using var streams = new ToolStreams(new MemoryStream(), output, error, errorIsTerminal: false);
        int exitCode = LacosTool.RunAsync(line, streams, models, models, cancellationToken, settings).GetAwaiter().GetResult();
        return new ToolRun(exitCode, Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }

    /// <summary>Content of the files that a folder should hold after a download.</summary>
    public void RequireWhole(string folder, params string[] others)
    {
        string[] expected = [.. others, .. Files.Keys.Where(path => path is "config.json" or "tokenizer.json" or "README.md" or "LICENSE" or "model.safetensors")];
        string[] present = [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(folder, path).Replace('\\', '/')).Where(path => !path.StartsWith(DownloadFolder.WorkName, StringComparison.Ordinal))];
        CollectionAssert.AreEquivalent(expected, present);
        foreach (string path in expected)
        {
            CollectionAssert.AreEqual(Files[path], File.ReadAllBytes(Path.Combine(folder, path)), path);
        }
        Assert.IsEmpty(Parts(folder));
    }

    /// <summary>What lies in a folder of files that are not whole or have no name yet.</summary>
    public static FileInfo[] Parts(string folder) =>
        Directory.Exists(Path.Combine(folder, DownloadFolder.WorkName)) ? new DirectoryInfo(Path.Combine(folder, DownloadFolder.WorkName)).GetFiles("*.part") : [];

    public void Dispose()
    {
        _hub.Dispose();
        _store.Dispose();
    }

    /// <summary>An answer with content, or with what of it a range asks for.</summary>
    public static HttpReply Content(HttpCall call, byte[] content) => call.From == 0
        ? new HttpReply(200, content)
        : new HttpReply(206, content[call.From..])
        {
            Headers = { ["Content-Range"] = string.Create(CultureInfo.InvariantCulture, $"bytes {call.From}-{content.Length - 1}/{content.Length}") },
        };

    private static bool IsLarge(string path) => path.EndsWith(".safetensors", StringComparison.Ordinal);

    private HttpReply AnswerHub(HttpCall call)
    {
        if (OnHub?.Invoke(call) is { } other)
        {
            return other;
        }
        if (call.Path.StartsWith("/api/models/", StringComparison.Ordinal))
        {
            JsonObject listing = Listing();
            ChangeListing?.Invoke(listing);
            return new HttpReply(200, Encoding.UTF8.GetBytes(listing.ToJsonString()));
        }
        string start = $"/{Model}/resolve/{Commit}/";
        string path = call.Path.StartsWith(start, StringComparison.Ordinal) ? Uri.UnescapeDataString(call.Path[start.Length..]) : "";
        if (!Files.TryGetValue(path, out byte[]? content))
        {
            return new HttpReply(404, "Entry not found"u8.ToArray()) { Headers = { ["X-Error-Code"] = "EntryNotFound" } };
        }
        return IsLarge(path)
            ? new HttpReply(302, []) { Headers = { ["Location"] = $"{_store.Address}/blobs/{path}?signature=a%2Fb" } }
            : Content(call, content);
    }

    private HttpReply AnswerStore(HttpCall call)
    {
        byte[] content = Files[call.Path["/blobs/".Length..call.Path.IndexOf('?', StringComparison.Ordinal)]];
        return OnStore?.Invoke(call, content) ?? Content(call, content);
    }

    private JsonObject Listing() => new()
    {
        ["id"] = Model,
        ["sha"] = Commit,
        ["siblings"] = new JsonArray([.. Files.Select(file => Sibling(file.Key, file.Value))]),
    };

    public static JsonObject Sibling(string path, byte[] content)
    {
        var sibling = new JsonObject { ["rfilename"] = path, ["size"] = content.Length, ["blobId"] = GitHash(content) };
        if (IsLarge(path))
        {
            sibling["blobId"] = new string('0', 40);
            sibling["lfs"] = new JsonObject { ["sha256"] = Convert.ToHexStringLower(SHA256.HashData(content)), ["size"] = content.Length, ["pointerSize"] = 135 };
        }
        return sibling;
    }

    private static string GitHash(byte[] content)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        hash.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {content.Length}\0")));
        hash.AppendData(content);
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }
}
