using System.CommandLine;
using Lacos.Cli.Download;
using Lacos.Cli.Terminal;

namespace Lacos.Cli.Commands;

/// <summary><c>lacos download</c>: the files of a model on the Hugging Face Hub that the other commands read, into a folder.</summary>
internal sealed class DownloadCommand(ToolStreams streams, DownloadSettings settings)
{
    private const string EndpointVariable = "HF_ENDPOINT";

    private readonly Argument<string> _id = new("ID") { Description = "The model: owner/name, such as bigscience/bloom-560m. A BLOOM, a sentence-transformers model of one, or a PEFT adapter" };
    private readonly Option<string> _revision = new("--revision") { Description = "Branch, tag or commit", HelpName = "name", DefaultValueFactory = _ => "main" };
    private readonly Option<string?> _output = new("--output", "-o") { Description = "The folder to write into. Default: the model's name without its owner", HelpName = "folder" };
    private readonly Option<string?> _endpoint = new("--endpoint") { Description = $"Another server that speaks the Hub's protocol. Default: {EndpointVariable}, else {HubEndpoint.Default}", HelpName = "URL" };
    private readonly Option<bool> _force = new("--force") { Description = "Replace files in the folder that no download of this model has written" };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "List the files, their sizes and what is there of them; fetch no weights and write nothing" };
    private readonly Option<bool> _json = new("--json") { Description = "Tell the commit, the files, their hashes and what was there of them as JSON, in place of the folder's path" };

    /// <summary>Makes the command.</summary>
    public Command Create()
    {
        var command = new Command("download", $"Fetch a model from the Hugging Face Hub, checked, without pickles and code; continues where an earlier download ended. A token is taken from {HubToken.Variable}.");
        command.Arguments.Add(_id);
        foreach (Option option in new Option[] { _revision, _output, _endpoint, _force, _dryRun, _json })
        {
            command.Options.Add(option);
        }
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        RepositoryId repository = RepositoryId.Parse(parse.GetRequiredValue(_id), parse.GetRequiredValue(_revision));
        HubEndpoint endpoint = Endpoint(parse.GetValue(_endpoint));
        string output = Output(parse.GetValue(_output), repository);
        bool force = parse.GetValue(_force);
        var folder = new DownloadFolder(output, repository, force);
        using var client = new HubClient(endpoint, repository, HubToken.Read(settings.Variable), settings);
        var download = new ModelDownload(streams, settings, repository, folder);
        await download.PrepareAsync(client, cancellationToken).ConfigureAwait(false);
        bool dryRun = parse.GetValue(_dryRun);
        if (!dryRun)
        {
            await FetchAsync(download, client, force, cancellationToken).ConfigureAwait(false);
        }
        string[] lines = parse.GetValue(_json) ? [DownloadReport.Json(download.Listing, endpoint, output, download.Files)] : dryRun ? [.. DownloadReport.Lines(download.Files)] : [output];
        Array.ForEach(lines, streams.WriteLine);
        return ExitCode.Success;
    }

    private async Task FetchAsync(ModelDownload download, HubClient client, bool force, CancellationToken cancellationToken)
    {
        try
        {
            await download.FetchAsync(client, force, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            streams.Note("What has arrived is kept; the same command continues.");
            throw;
        }
    }

    private HubEndpoint Endpoint(string? option) => option is not null
        ? HubEndpoint.Parse(option, "--endpoint")
        : settings.Variable(EndpointVariable) is { Length: > 0 } variable ? HubEndpoint.Parse(variable, EndpointVariable) : HubEndpoint.Parse(HubEndpoint.Default, "The default");

    private static string Output(string? option, RepositoryId repository)
    {
        if (option is null && !RepositoryPath.IsPortable(repository.ShortName))
        {
            throw new UsageException($"'{repository.ShortName}' is no name for a folder on every system. Give one with --output.");
        }
        string output = option ?? repository.ShortName;
        if (output.Length == 0 || File.Exists(output))
        {
            throw new UsageException($"--output is '{output}', which is no folder. Give the name of a folder to write into.");
        }
        return output;
    }
}
