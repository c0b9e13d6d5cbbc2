using System.Net;
using System.Net.Http.Headers;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Download;

/// <summary>Says in words what an answer other than a file means.</summary>
internal static class HubAnswer
{
    /// <summary>The fault that an answer tells of.</summary>
    /// <param name="response">The answer, with a status of 400 or more.</param>
    /// <param name="repository">What was asked for.</param>
    /// <param name="what">What was to be fetched, for messages.</param>
    /// <param name="endpoint">The server.</param>
    /// <param name="hasToken">Whether there is a token.</param>
    /// <param name="address">Who answered.</param>
    public static ToolException Fault(HttpResponseMessage response, RepositoryId repository, string what, HubEndpoint endpoint, bool hasToken, Uri address)
    {
        if (!endpoint.IsOwn(address) && (int)response.StatusCode < 500)
        {
            // A storage host knows nothing of models; what lets a file be fetched there holds for a time, and the next attempt asks the endpoint for it again.
            return new TransientException($"{TextInMessage.Of(address.GetLeftPart(UriPartial.Authority))}, where the files are stored, answered {(int)response.StatusCode} for {what}.", Pause(response.Headers.RetryAfter));
        }
        string code = Header(response, "X-Error-Code");
        string said = Header(response, "X-Error-Message") is { Length: > 0 } message ? $" The server says: {TextInMessage.Of(message).TrimEnd('.')}." : "";
        string status = $"{(int)response.StatusCode}";
        return response.StatusCode switch
        {
            HttpStatusCode.NotFound when code == "RevisionNotFound" => new ToolException($"'{repository.Name}' has no revision '{TextInMessage.Of(repository.Revision)}' at {endpoint.Shown}.{said} Name a branch, a tag or a commit with --revision."),
            HttpStatusCode.NotFound when code == "EntryNotFound" => new ToolException($"{what} is not there any more ({status}).{said} Run the command again."),
            HttpStatusCode.NotFound => new ToolException($"There is no {repository} at {endpoint.Shown} ({status} for {what}).{said} Check the name and --revision."),
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new ToolException(Refused(code, repository, endpoint, hasToken, status) + said),
            HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError =>
                new TransientException($"The server answered {status} for {what}.{said}", Pause(response.Headers.RetryAfter)),
            _ => new ToolException($"The server answered {status} for {what}.{said} Check --endpoint."),
        };
    }

    private static string Refused(string code, RepositoryId repository, HubEndpoint endpoint, bool hasToken, string status)
    {
        string page = $"{endpoint.Shown}/{repository.Name}";
        if (code == "GatedRepo")
        {
            return $"'{repository.Name}' is gated ({status}): accept its terms at {page} and set {HubToken.Variable} to a token of the account that did."
                + (hasToken ? $" The token in {HubToken.Variable} gives no access." : "");
        }
        return hasToken
            ? $"The token in {HubToken.Variable} gives no access to '{repository.Name}' ({status}). Check the name at {page}, and that the token is valid and may read it; accept the model's terms there if it has some."
            : $"'{repository.Name}' is not there or not public ({status}). Check the name at {page}; for a private model set {HubToken.Variable} to a token that may read it, for a gated one accept its terms first.";
    }

    private static TimeSpan? Pause(RetryConditionHeaderValue? value)
    {
        TimeSpan? pause = value?.Delta ?? (value?.Date is { } date ? date - DateTimeOffset.UtcNow : null);
        return pause < TimeSpan.Zero ? TimeSpan.Zero : pause;
    }

    private static string Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values.First() : "";
}
