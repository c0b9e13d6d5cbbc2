using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Training.Loading;

namespace Samples.Tests;

/// <summary>What a program left when it ended.</summary>
internal sealed record SampleRun(int Code, string Output, string Errors)
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(10);

    /// <summary>The root of the checkout.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Everything written, for messages.</summary>
    public string All => $"exit code {Code}\n{Output}\n{Errors}";

    /// <summary>Builds a file-based app over the projects that are built already, with the tests' own configuration.</summary>
    /// <remarks>One that trains names a package of libtorch, and its test is not run on a system for which there is none.</remarks>
    public static SampleRun Build(string file)
    {
        if (TorchPackage.Rid() is null && File.ReadAllText(Path.Combine(Root, file)).Contains("#:package libtorch", StringComparison.Ordinal))
        {
            Assert.Inconclusive($"Not run: {file} trains, and there is no libtorch package for {RuntimeInformation.RuntimeIdentifier}.");
        }
        return Dotnet(["build", file, "-c", Configuration, "--no-dependencies", "-nologo", "-v", "quiet", "-p:UseSharedCompilation=false"]);
    }

    /// <summary>Runs a file-based app that <see cref="Build"/> has built.</summary>
    public static SampleRun Run(string file, params string[] arguments) => Dotnet(["run", "-c", Configuration, "--no-build", file, "--", .. arguments]);

    /// <summary>Runs a sample that is a project and was built with the tests.</summary>
    public static SampleRun RunProject(string folder, params string[] arguments) => Dotnet(["run", "-c", Configuration, "--no-build", "--project", folder, "--", .. arguments]);

    private static string Configuration => new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    private static SampleRun Dotnet(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Root };

        // What the test runner's own build set must not steer this one, and no build server may stay behind and keep the pipes open.
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("MSBuild", StringComparison.OrdinalIgnoreCase)).ToArray())
        {
            start.Environment.Remove(name);
        }
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(s_limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"dotnet {string.Join(' ', start.ArgumentList)} did not end within {s_limit.TotalMinutes} minutes.");
        }
        return new SampleRun(process.ExitCode, output.GetAwaiter().GetResult(), errors.GetAwaiter().GetResult());
    }

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Lacos.MLNet.sln")))
        {
            folder = folder.Parent;
        }
        return folder?.FullName ?? throw new DirectoryNotFoundException("The tests do not run from within a checkout, so its samples cannot be found.");
    }
}
