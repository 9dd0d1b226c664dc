using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using EditorBridge.Host.Jobs;
using EditorBridge.Host.Models;
using EditorBridge.Host.Security;
using EditorBridge.Host.Services;
using EditorBridge.Media;
using EditorBridge.Planning;
using EditorBridge.Protocol.V1;
using Grpc.Core;
using CreateJobRequest = EditorBridge.Protocol.V1.CreateJobRequest;
using ModelCapabilities = EditorBridge.Planning.ModelCapabilities;

namespace EditorBridge.Host.Pallaidium;

/// <summary>
/// The contract that Blender's Pallaidium add-on speaks to a custom backend, "Backend Contract v0.1": health, models, files, videos, jobs. It makes the same
/// jobs as any other client. The add-on carries its key as a bearer token; nothing is answered without it.
/// </summary>
internal sealed class PallaidiumEndpoint(
    AccessToken key, PallaidiumFiles files, ModelStore models, JobCreation creation, JobStore store, JobEvents events, DataFolder folder, HostOptions options,
    Activity activity, ILogger<PallaidiumEndpoint> log)
{
    private const string Clip = "clip-";
    private const int FirstPicture = 1;

    // The kinds of video that VACE was trained to follow; which one is given it sees for itself.
    private static readonly string[] ControlTypes = ["depth", "pose", "scribble", "flow", "gray", "layout"];

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, NumberHandling = JsonNumberHandling.AllowReadingFromString,
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    };

    /// <summary>Answers one request.</summary>
    public async Task AnswerAsync(HttpContext context)
    {
        using var call = activity.Call();
        var request = context.Request;
        if (WebPage.Trace(request, "") is { } trace)
        {
            log.LogWarning("Turned away a request for {Path}: {Why}", request.Path, trace);
            await RefuseAsync(context, StatusCodes.Status403Forbidden, trace).ConfigureAwait(false);
            return;
        }

        if (!key.IsIn(request.Headers.Authorization))
        {
            log.LogWarning("Turned away a request for {Path}: no key, or a wrong one", request.Path);
            await RefuseAsync(context, StatusCodes.Status401Unauthorized, $"The request carries no valid key: it is in {folder.PallaidiumKeyFile}; put it into Remote Backend Key.")
                .ConfigureAwait(false);
            return;
        }

        try
        {
            await RouteAsync(context).ConfigureAwait(false);
        }
        catch (RpcException e)
        {
            await RefuseAsync(context, HttpStatus(e.StatusCode), e.Status.Detail).ConfigureAwait(false);
        }
        catch (JsonException e)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, $"The request's body cannot be read: {Trouble(e)}.").ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Whoever asked has left.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            var isFull = e is IOException io ? DiskSpace.IsFull(io) : e is Microsoft.Data.Sqlite.SqliteException sqlite && JobDatabase.IsFull(sqlite);
            log.LogError(e, "{Path} failed", request.Path);
            await RefuseAsync(context, isFull ? StatusCodes.Status507InsufficientStorage : StatusCodes.Status500InternalServerError,
                isFull ? $"The disk of {folder.Root} is full; free some space and try again." : "The host failed; its log has more.").ConfigureAwait(false);
        }
    }

    // Its own message names types of .NET.
    private static string Trouble(JsonException error) =>
        error.InnerException is JsonException ? string.Create(CultureInfo.InvariantCulture, $"it is no valid JSON at line {error.LineNumber + 1}, byte {error.BytePositionInLine}")
        : error.Path is ['$', '.', .. var field] ? $"the value of '{field}' is of another kind than the contract has it"
        : "it is no JSON object";

    private Task RouteAsync(HttpContext context)
    {
        var parts = (context.Request.Path.Value ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries);
        return (context.Request.Method, parts) switch
        {
            ("GET", ["v1", "health"]) => WriteAsync(context, new { status = "ok", contract_versions = new[] { "v0.1" } }),
            ("GET", ["v1", "models"]) => WriteAsync(context, new { data = models.All().Where(m => m.Capabilities is not null).Select(Describe) }),
            ("POST", ["v1", "files"]) => ReceiveAsync(context),
            ("GET", ["v1", "files", var id]) => SendAsync(context, id),
            ("POST", ["v1", "videos"]) => CreateAsync(context),
            ("GET", ["v1", "jobs", var id]) => TellAsync(context, id),
            _ => RefuseAsync(context, StatusCodes.Status404NotFound,
                $"This host makes videos: it answers /v1/health, /v1/models, /v1/files, /v1/videos and /v1/jobs, not {context.Request.Method} {context.Request.Path}."),
        };
    }

    private static object Describe(FoundModel model)
    {
        var can = model.Capabilities!;
        var largest = can.Sizes.OrderByDescending(s => (long)s.Width * s.Height).First();
        return new
        {
            id = model.Name,
            type = "video",
            modes = Modes(can),
            display_name = $"EditorBridge {model.Name}",
            description = Abilities(can),
            // One is the picture a clip begins with; more are pictures of who or what is seen, chosen one by one.
            max_ref_images = can.TakesMasks ? RequestCheck.MostSubjects : TakesPicture(can) ? FirstPicture : 0,
            control_types = can.TakesMasks ? ControlTypes : [],
            supports_audio_output = false,
            default_steps = can.DefaultSteps,
            default_guidance = can.DefaultGuidance,
            max_width = largest.Width,
            max_height = largest.Height,
        };
    }

    private static bool TakesPicture(ModelCapabilities can) => can.FirstFrame != ContextSupport.None;

    private static IEnumerable<string> Modes(ModelCapabilities can)
    {
        if (!can.NeedsFirstFrame) yield return "t2v";
        if (TakesPicture(can)) yield return "i2v";
        if (can.TakesMasks) yield return "control";
    }

    private static string Abilities(ModelCapabilities can)
    {
        var takes = new List<string>();
        if (TakesPicture(can)) takes.Add(can.NeedsFirstFrame ? "a first picture, which it needs" : "a first picture");
        // Where the end takes slots of its own one picture is too little.
        if (can.After != ContextSupport.None && !(can.Conditioning == Conditioning.CleanLatents && can.After == ContextSupport.BestEffort)) takes.Add(can.NeedsLastFrame ? "a last one, which it needs" : "a last one");
        if (can.TakesMasks) takes.AddRange(["pictures on the way", "pictures of who or what is seen", "a video to follow (depth, pose, lines)"]);
        return takes.Count == 0 ? "Takes words alone." : $"Takes words, {string.Join(", ", takes)}.";
    }

    private async Task ReceiveAsync(HttpContext context) =>
        await WriteAsync(context, new { file_id = await files.ReceiveAsync(context).ConfigureAwait(false) }).ConfigureAwait(false);

    private async Task CreateAsync(HttpContext context)
    {
        var asked = await JsonSerializer.DeserializeAsync<VideoRequest>(context.Request.Body, Json, context.RequestAborted).ConfigureAwait(false)
            ?? throw Errors.Invalid("prompt", "FIELD_MISSING", "The request is empty; give a prompt.");
        if (string.IsNullOrEmpty(asked.ImageFileId) && asked.ImageB64 is { Length: > 0 } text)
            asked = asked with { ImageFileId = await files.StoreAsync(new MemoryStream(Bytes(text)), "image.png", context.RequestAborted).ConfigureAwait(false) };
        var name = string.IsNullOrEmpty(asked.Model) ? options.DefaultModel : asked.Model;
        var job = await creation.CreateAsync(new CreateJobRequest { Job = new Job { Spec = asked.ToSpec(models.Find(name)?.Capabilities) } }, context.RequestAborted).ConfigureAwait(false);
        await WriteAsync(context, new { id = job.Name["jobs/".Length..], status = "queued" }).ConfigureAwait(false);
    }

    private Task TellAsync(HttpContext context, string id)
    {
        var stored = store.Get(id) ?? throw Errors.NotFound("job", "jobs/" + id);
        var job = stored.ToJob(events.Peek(stored));
        var (status, error) = job.State switch
        {
            Job.Types.State.Queued => ("queued", null),
            Job.Types.State.Succeeded => ("succeeded", null),
            Job.Types.State.Failed => ("failed", job.Error?.Message ?? "The job failed."),
            Job.Types.State.Cancelled => ("failed", "The job was cancelled."),
            _ => ("running", (string?)null),
        };
        var stage = job.Progress?.Stage ?? JobProgress.Types.Stage.Unspecified;
        return WriteAsync(context, new
        {
            id,
            status,
            phase = stage == JobProgress.Types.Stage.Unspecified ? status : JsonNamingPolicy.SnakeCaseLower.ConvertName(stage.ToString()).Replace('_', ' '),
            progress = job.State == Job.Types.State.Succeeded ? 1 : Math.Clamp(job.Progress?.Fraction ?? 0, 0, 1),
            file_id = job.State == Job.Types.State.Succeeded ? Clip + id : null,
            error,
        });
    }

    private async Task SendAsync(HttpContext context, string id)
    {
        var path = id.StartsWith(Clip, StringComparison.Ordinal) ? ClipFile(id[Clip.Length..]) : files.Find(id);
        if (path is null || !File.Exists(path)) throw Errors.NotFound("file", id);
        context.Response.ContentType = id.StartsWith(Clip, StringComparison.Ordinal) ? "video/mp4" : "application/octet-stream";
        context.Response.ContentLength = new FileInfo(path).Length;
        await context.Response.SendFileAsync(path, context.RequestAborted).ConfigureAwait(false);
    }

    // The path is built from ids that the store knows, never from what was asked for.
    private string? ClipFile(string id)
    {
        if (store.Get(id) is not { State: RowState.Succeeded } job || job.Clips.GetValueOrDefault(0) is not { } clip) return null;
        var media = clip.Files.FirstOrDefault(f => f.Part == Protocol.V1.ClipFile.Types.Part.Media);
        return media is null ? null : Path.Combine(new JobLayout(folder.Job(job.Id)).Clip(1), media.FileName);
    }

    private static byte[] Bytes(string text)
    {
        try
        {
            return Convert.FromBase64String(text);
        }
        catch (FormatException)
        {
            throw Errors.Invalid("image_b64", "INVALID_ARGUMENT", "image_b64 is not base64.");
        }
    }

    private static int HttpStatus(StatusCode code) => code switch
    {
        StatusCode.InvalidArgument or StatusCode.FailedPrecondition or StatusCode.OutOfRange => StatusCodes.Status400BadRequest,
        StatusCode.NotFound => StatusCodes.Status404NotFound,
        StatusCode.AlreadyExists => StatusCodes.Status409Conflict,
        StatusCode.ResourceExhausted => StatusCodes.Status507InsufficientStorage,
        StatusCode.Unavailable => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };

    private static Task RefuseAsync(HttpContext context, int status, string why)
    {
        context.Response.StatusCode = status;
        return WriteAsync(context, new { error = why });
    }

    private static Task WriteAsync(HttpContext context, object answer) => context.Response.WriteAsJsonAsync(answer, Json, context.RequestAborted);
}
