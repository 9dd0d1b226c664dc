using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace EditorBridge.Models.Store.Pull;

/// <summary>Where models come from.</summary>
/// <param name="Address">Base address of a hub that speaks Hugging Face's API.</param>
/// <param name="Token">An access token; null or empty without.</param>
public sealed record HubAddress(Uri Address, string? Token = null);

/// <summary>
/// The two requests that a pull makes: <c>/api/models/REPOSITORY/revision/REVISION?blobs=true</c> for files, sizes and hashes, and
/// <c>/REPOSITORY/resolve/COMMIT/PATH</c> for content.
/// </summary>
internal sealed partial class HubClient : IDisposable
{
    private const int MostRedirects = 5;
    private const long LargestAnswer = 32 << 20;

    private readonly HubAddress _hub;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _patience;
    private readonly HttpClient _http;

    /// <param name="hub">Where models come from.</param>
    /// <param name="clock">For dates in Retry-After and for limits.</param>
    /// <param name="silence">How long a server may take to answer, and may then be silent.</param>
    /// <exception cref="PullException">The token would travel readable by anyone.</exception>
    public HubClient(HubAddress hub, TimeProvider clock, TimeSpan silence)
    {
        if (!string.IsNullOrEmpty(hub.Token) && hub.Address.Scheme != Uri.UriSchemeHttps && !hub.Address.IsLoopback)
            throw new PullException("HUB_REFUSED", $"The access token is not sent to {hub.Address}, where anyone on the way could read it; use an https address.");
        (_hub, _clock, _patience) = (hub, clock, silence);
        // Redirects are followed here: the token goes to the hub alone, and ranges go with every request.
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, AutomaticDecompression = DecompressionMethods.None, PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("EditorBridge", typeof(HubClient).Assembly.GetName().Version?.ToString(3)));
    }

    /// <summary>How long a server may be silent.</summary>
    public TimeSpan Silence => _patience;

    /// <summary>The files of a repository at a revision.</summary>
    public async Task<ModelFiles> ListAsync(string repository, string revision, CancellationToken cancellation)
    {
        var patience = new HubPatience(_clock);
        while (true)
        {
            try
            {
                using var response = await SendAsync($"api/models/{repository}/revision/{Uri.EscapeDataString(revision)}?blobs=true", 0, cancellation).ConfigureAwait(false);
                if (response.StatusCode != HttpStatusCode.OK) throw Fault(response);
                return Checked(repository, await AnswerAsync(response, cancellation).ConfigureAwait(false));
            }
            catch (HubFault fault)
            {
                await patience.WaitAsync($"The list of files of {repository}", fault, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>The answer to a request for a file, from a byte on. 200, 206 and 416 come back; anything else is a fault.</summary>
    public async Task<HttpResponseMessage> OpenAsync(ModelFiles model, HubFile file, long from, CancellationToken cancellation)
    {
        var path = string.Join('/', file.Path.Split('/').Select(Uri.EscapeDataString));
        var response = await SendAsync($"{model.Repository}/resolve/{model.Commit}/{path}", from, cancellation).ConfigureAwait(false);
        if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable) return response;
        using (response) throw Fault(response);
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    /// <summary>What a broken connection is.</summary>
    public HubFault Broken(Exception error) => new("HUB_UNREACHABLE", $"the connection to {_hub.Address.Host} broke ({error.Message.TrimEnd('.')})") { Transient = true };

    /// <summary>What a server is that says nothing.</summary>
    public HubFault Silent() => new("HUB_UNREACHABLE", $"{_hub.Address.Host} said nothing for {_patience.TotalSeconds:0} s") { Transient = true };

    private async Task<HttpResponseMessage> SendAsync(string path, long from, CancellationToken cancellation)
    {
        var target = new Uri(new Uri(_hub.Address.AbsoluteUri.TrimEnd('/') + "/"), path);
        for (var redirects = 0; ; redirects++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, target);
            if (from > 0) request.Headers.Range = new RangeHeaderValue(from, null);
            if (!string.IsNullOrEmpty(_hub.Token) && target.Authority == _hub.Address.Authority && target.Scheme == _hub.Address.Scheme)
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _hub.Token);
            using var limit = new CancellationTokenSource(_patience, _clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
            HttpResponseMessage response;
            try
            {
                response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token).ConfigureAwait(false);
            }
            catch (HttpRequestException error)
            {
                throw Broken(error.InnerException ?? error);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                throw Silent();
            }

            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308) || response.Headers.Location is not { } location) return response;
            response.Dispose();
            var next = new Uri(target, location);
            if (redirects == MostRedirects || next.Scheme is not ("https" or "http") || (target.Scheme == "https" && next.Scheme != "https"))
                throw new HubFault("HUB_ANSWER_BAD", $"{target.Host} sends on to {next.Scheme}://{next.Authority} in a way that is not followed") { Transient = false, Remedy = "check the hub's address" };
            target = next;
        }
    }

    private async Task<HubModelAnswer> AnswerAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(_patience, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
        try
        {
            await response.Content.LoadIntoBufferAsync(LargestAnswer, either.Token).ConfigureAwait(false);
            using var content = await response.Content.ReadAsStreamAsync(either.Token).ConfigureAwait(false);
            return await JsonSerializer.DeserializeAsync(content, HubJson.Default.HubModelAnswer, either.Token).ConfigureAwait(false) ?? new HubModelAnswer();
        }
        catch (JsonException error)
        {
            throw Bad($"its answer is not the list that a hub gives ({error.Message.TrimEnd('.')})");
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            throw Broken(error);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw Silent();
        }
    }

    private ModelFiles Checked(string repository, HubModelAnswer answer)
    {
        if (answer.Sha is not { } commit || !Commit().IsMatch(commit) || answer.Siblings is not { } siblings) throw Bad("its answer names no commit or no files");
        var files = new Dictionary<string, HubFile>(StringComparer.OrdinalIgnoreCase);
        foreach (var sibling in siblings)
        {
            var path = sibling.Rfilename ?? "";
            // The names become files here, so none may lead out of the model's folder.
            if (path.Length is 0 or > 512 || path.Split('/').Any(part => part.Length == 0 || part is "." or ".." || part.AsSpan().ContainsAny("\\:*?\"<>|") || part.Any(char.IsControl)))
                throw Bad($"it names the file '{path}', which cannot be one");
            if ((sibling.Lfs?.Size ?? sibling.Size) is not { } size || size < 0) throw Bad($"it does not say how long '{path}' is");
            if (sibling.Lfs?.Sha256 is { } sha && !Sha256Hex().IsMatch(sha)) throw Bad($"the SHA-256 of '{path}' is none");
            if (!files.TryAdd(path, new HubFile { Path = path, Size = size, Sha256 = sibling.Lfs?.Sha256?.ToLowerInvariant(), Blob = sibling.Lfs is null ? sibling.BlobId?.ToLowerInvariant() : null }))
                throw Bad($"it names '{path}' twice");
        }

        var license = answer.CardData?.License is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;
        return new ModelFiles { Repository = repository, Commit = commit, License = license, Files = [.. files.Values] };
    }

    private HubFault Bad(string what) => new("HUB_ANSWER_BAD", $"{_hub.Address.Host} cannot be understood, {what}") { Transient = false, Remedy = "check the hub's address" };

    private HubFault Fault(HttpResponseMessage response)
    {
        var (code, host) = ((int)response.StatusCode, _hub.Address.Host);
        return response.StatusCode switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new("HUB_REFUSED", $"{host} refuses it ({code})")
            {
                Transient = false, Remedy = "accept its licence on the hub's page if it asks for that, and give the host an access token in HF_TOKEN",
            },
            HttpStatusCode.NotFound or HttpStatusCode.Gone => new("HUB_NOT_FOUND", $"{host} has no such thing ({code})") { Transient = false, Remedy = "check the name; `editorbridge models list --catalogue` has those that are known" },
            HttpStatusCode.TooManyRequests => new("HUB_BUSY", $"{host} has too many requests (429)") { Transient = true, RetryAfter = RetryAfter(response), Remedy = "pull again later to go on from there" },
            HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError => new("HUB_BUSY", $"{host} is out of order ({code})") { Transient = true, RetryAfter = RetryAfter(response), Remedy = "pull again later to go on from there" },
            _ => new("HUB_ANSWER_BAD", $"{host} answers {code}") { Transient = false, Remedy = "check the hub's address" },
        };
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        var asked = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - _clock.GetUtcNow(),
            _ => (TimeSpan?)null,
        };
        return asked is { } time && time < TimeSpan.Zero ? TimeSpan.Zero : asked;
    }

    [GeneratedRegex("^[0-9a-fA-F]{40,64}$")]
    private static partial Regex Commit();

    [GeneratedRegex("^[0-9a-fA-F]{64}$")]
    private static partial Regex Sha256Hex();
}
