using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Microsoft.ML.Lacos.Bloom;

namespace Microsoft.ML.Lacos.Tests.Pipeline;

/// <summary>Saves in one process and loads in others, which register nothing: started by <c>dotnet</c>, compiled ahead of time, and as a single file.</summary>
[TestClass]
public sealed class PublishedAppTests
{
    private static readonly string s_configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
    private static readonly string s_app = Path.Combine(Root(), "test", "RoundTrip.App");
    private static TemporaryFolder s_folder = null!;
    private static string s_model = "";
    private static string s_vectors = "";

    [ClassInitialize]
    public static void SaveInAProcessOfItsOwn(TestContext test)
    {
        s_folder = new TemporaryFolder();
        s_model = s_folder.File("model.zip");
        s_vectors = Succeeds(Run("dotnet", [BuiltApp, "save", s_model]));
        Assert.AreEqual(8, s_vectors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [ClassCleanup]
    public static void Cleanup() => s_folder.Dispose();

    private static string BuiltApp => Path.Combine(s_app, "bin", s_configuration, new DirectoryInfo(AppContext.BaseDirectory).Name, "RoundTrip.App.dll");

    [TestMethod]
    public void CursorAndEngineOfTheSavingProcessAgree()
    {
        string[] lines = s_vectors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        CollectionAssert.AreEqual(
            lines.Where(line => line.StartsWith("cursor ", StringComparison.Ordinal)).Select(line => line[7..]).ToArray(),
            lines.Where(line => line.StartsWith("engine ", StringComparison.Ordinal)).Select(line => line[7..]).ToArray());
    }

    [TestMethod]
    public void ANewProcessGivesTheSameBits() => Assert.AreEqual(s_vectors, Succeeds(Run("dotnet", [BuiltApp, "load", s_model])));

    [TestMethod]
    public void KernelsThatThereAreNotAreTheErrorAndNotTheFile()
    {
        if (BloomEncoders.ManagedReason is string reason)
        {
            Assert.Inconclusive($"Not run: {reason}, and only the native library has kernels to name.");
        }
        (int code, _, string errors) = Run("dotnet", [BuiltApp, "load", s_model], ("LACOS_FORCE_ISA", "nonsense"));
        Assert.AreNotEqual(0, code);
        StringAssert.Contains(errors, "LACOS_FORCE_ISA");
        Assert.DoesNotContain("is damaged", errors);
    }

    [TestMethod]
    public void AnAppCompiledAheadOfTimeGivesTheSameBits() => PublishedGivesTheSameBits("ReadyToRun", "-p:PublishReadyToRun=true", "--self-contained", "false");

    [TestMethod]
    public void ASingleFileAppGivesTheSameBits() => PublishedGivesTheSameBits("SingleFile", "-p:PublishSingleFile=true", "--self-contained", "true");

    private static void PublishedGivesTheSameBits(string name, params string[] options)
    {
        string artifacts = s_folder.File(name);
        string binaries = AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar);
        (int code, string output, string errors) = Run(
            "dotnet", ["publish", s_app, "-c", s_configuration, "-r", RuntimeInformation.RuntimeIdentifier, .. options, $"-p:LacosBinaries={binaries}", "-p:UseSharedCompilation=false", "--artifacts-path", artifacts]);
        if (code != 0 && Regex.Match(output + errors, @"error (NU1101|NU1102|NU1301|NETSDK1094|NETSDK1112|NETSDK1127).*") is { Success: true } missing)
        {
            Assert.Inconclusive($"Not run: the runtime or compiler package for publishing could not be restored here ({missing.Value}).");
        }
        Assert.AreEqual(0, code, output + errors);
        string app = Directory.EnumerateFiles(Path.Combine(artifacts, "publish"), "RoundTrip.App*", SearchOption.AllDirectories)
            .Single(file => Path.GetFileName(file) is "RoundTrip.App" or "RoundTrip.App.exe");
        Assert.AreEqual(s_vectors, Succeeds(Run(app, ["load", s_model])));
        string saved = s_folder.File($"{name}.zip");
        Assert.AreEqual(s_vectors, Succeeds(Run(app, ["save", saved])));
        Assert.AreEqual(s_vectors, Succeeds(Run("dotnet", [BuiltApp, "load", saved])));
    }

    private static string Succeeds((int Code, string Output, string Errors) run)
    {
        Assert.AreEqual(0, run.Code, run.Output + run.Errors);
        return run.Output;
    }

    private static (int Code, string Output, string Errors) Run(string program, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = s_app };

        // What the test runner's own build set must not steer this one, and no build server may stay behind and keep the pipes open.
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("MSBuild", StringComparison.OrdinalIgnoreCase)).ToArray())
        {
            start.Environment.Remove(name);
        }
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(5)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} {string.Join(' ', start.ArgumentList)} did not end within five minutes.");
        }
        return (process.ExitCode, output.Result, errors.Result);
    }

    private static string Root()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Lacos.MLNet.sln")))
        {
            folder = folder.Parent;
        }
        return folder?.FullName ?? throw new DirectoryNotFoundException("The tests do not run from within a checkout, so test/RoundTrip.App cannot be found.");
    }
}
