using System.Net.Http.Json;
using System.Text.Json;
using EditorBridge.Client;
using EditorBridge.Host.Tests.Support;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Host.Tests;

/// <summary>What is asked for wrongly is refused in one sentence that names the field.</summary>
[Collection(SharedHost.Name)]
public sealed class RequestTests(SharedHost shared)
{
    [Theory]
    [InlineData("job.spec.prompt", "PROMPT_EMPTY", "empty")]
    [InlineData("job.spec.prompt", "PROMPT_TOO_LONG", "long prompt")]
    [InlineData("job.spec.kind", "INVALID_ARGUMENT", "no kind")]
    [InlineData("job.spec.delivery.rate", "INVALID_ARGUMENT", "bad rate")]
    [InlineData("job.spec.delivery.frames", "FRAMES_NONE", "no frames")]
    [InlineData("job.spec.model", "MODEL_NOT_FOUND", "no such model")]
    [InlineData("job.spec.context_before.segment.media.path", "MEDIA_OFFLINE", "offline media")]
    [InlineData("job.spec.context_before.segment.media.path", "INVALID_ARGUMENT", "relative path")]
    [InlineData("job.spec.context_before.segment.media.path", "MEDIA_UNREADABLE", "text as media")]
    [InlineData("job.spec.loop", "NOT_BUILT", "loop")]
    [InlineData("job.spec.keyframes[0].media.path", "MEDIA_OFFLINE", "keyframes")]
    [InlineData("job.labels", "INVALID_ARGUMENT", "labels")]
    public async Task A_wrong_request_names_its_field(string field, string reason, string what)
    {
        var job = RunningHost.Job();
        switch (what)
        {
            case "empty":
                job.Spec.Prompt = "  ";
                break;
            case "long prompt":
                job.Spec.Prompt = new string('x', 10_000);
                break;
            case "no kind":
                job.Spec.Kind = JobSpec.Types.Kind.Unspecified;
                break;
            case "bad rate":
                job.Spec.Delivery.Rate = new FrameRate { Numerator = -24, Denominator = 1 };
                break;
            case "no frames":
                job.Spec.Delivery.Frames = 0;
                break;
            case "no such model":
                job.Spec.Model = "models/sora";
                break;
            case "offline media":
                job.Spec = Extend("/no/such/clip.mov");
                break;
            case "relative path":
                job.Spec = Extend("clip.mov");
                break;
            case "text as media":
                var path = shared.Host.File("notes.mov");
                await File.WriteAllTextAsync(path, "this is no film");
                job.Spec = Extend(path);
                break;
            case "loop":
                job.Spec.Loop = true;
                break;
            case "keyframes":
                job.Spec.Keyframes.Add(new Keyframe { Media = new MediaSource { Path = "/x.png" } });
                break;
            case "labels":
                for (var i = 0; i < 100; i++) job.Labels[$"l{i}"] = "";
                break;
        }

        var error = await Assert.ThrowsAsync<EditorBridgeException>(() => shared.Client.SubmitAsync(job));
        Assert.Equal((reason, field), (error.Reason, error.Field));
        Assert.False(string.IsNullOrWhiteSpace(error.Message));
        Assert.Equal(error.Message, error.Violations[0].Problem);
    }

    [Fact]
    public async Task A_plan_and_a_job_name_the_same_field_each_by_its_own_request()
    {
        var job = RunningHost.Job();
        job.Spec.Delivery.Rate = null;
        Assert.Equal("spec.delivery.rate", (await Assert.ThrowsAsync<EditorBridgeException>(() => shared.Client.PlanAsync(job.Spec))).Field);
        Assert.Equal("job.spec.delivery.rate", (await Assert.ThrowsAsync<EditorBridgeException>(() => shared.Client.SubmitAsync(job))).Field);
    }

    [Fact]
    public async Task What_is_not_built_is_in_the_plan_by_name()
    {
        var spec = RunningHost.Job().Spec;
        spec.Loop = true;
        spec.Delivery.HeadHandle = 12;
        var plan = await shared.Client.PlanAsync(spec);
        Assert.False(plan.Feasible);
        Assert.Equal(["spec.delivery.head_handle", "spec.loop"], plan.Refusals.Select(r => r.Field).Order(StringComparer.Ordinal));
        Assert.All(plan.Refusals, r => Assert.Equal("NOT_BUILT", r.Reason));
    }

    [Fact]
    public async Task A_plan_says_what_would_be_done()
    {
        var spec = RunningHost.Job(frames: 40).Spec;
        spec.Takes = 2;
        var plan = await shared.Client.PlanAsync(spec);
        Assert.True(plan.Feasible);
        Assert.Equal(("models/small", Plan.Types.Mechanism.Text, 40L), (plan.Model, plan.Mechanism, plan.Frames));
        Assert.Equal([7L, 8L], plan.Seeds);
        Assert.Equal(2, plan.Windows.Count);
        Assert.Equal(40, plan.Windows.Sum(w => w.Deliver.Duration));
        Assert.True(plan.PeakMemoryBytes > 0 && plan.DiskBytes > 0 && plan.ModelHash.Length == 64);
        Assert.Contains(plan.Warnings, w => w.Code == "WINDOWS");
    }

    [Fact]
    public async Task A_request_id_makes_a_retry_the_same_job_and_another_request_an_error()
    {
        var id = Guid.NewGuid();
        var first = await shared.Client.SubmitAsync(RunningHost.Job(), id);
        var again = await shared.Client.SubmitAsync(RunningHost.Job(), id);
        Assert.Equal(first.Name, again.Name);
        var error = await Assert.ThrowsAsync<EditorBridgeException>(() => shared.Client.SubmitAsync(RunningHost.Job(frames: 6), id));
        Assert.Equal("REQUEST_ID_REUSED", error.Reason);
        Assert.Equal(first.Name, error.Metadata["name"]);
    }

    [Fact]
    public async Task What_does_not_exist_is_not_found()
    {
        foreach (var call in new Func<Task>[]
        {
            () => shared.Client.GetAsync("jobs/nobody"), () => shared.Client.CancelAsync("jobs/nobody"), () => shared.Client.GetAsync("nonsense"),
            async () => await shared.Client.WatchAsync("jobs/nobody").GetAsyncEnumerator().MoveNextAsync(),
        })
        {
            Assert.Equal("JOB_NOT_FOUND", (await Assert.ThrowsAsync<EditorBridgeException>(call)).Reason);
        }
    }

    [Fact]
    public async Task Json_errors_carry_the_same_details()
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{shared.Host.Endpoint.HttpPort}/v1/jobs:plan")
        {
            Content = JsonContent.Create(new { spec = new { kind = "BROLL", prompt = "x", delivery = new { frames = "5" }, model = "sketch" } }),
        };
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + shared.Host.Endpoint.Token);
        using var answer = await http.SendAsync(request);
        Assert.Equal(System.Net.HttpStatusCode.BadRequest, answer.StatusCode);
        using var error = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        var text = error.RootElement.ToString();
        Assert.Contains("editorbridge.local", text, StringComparison.Ordinal);
        Assert.Contains("spec.delivery.rate", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Models_are_listed_with_what_they_can_do()
    {
        var model = Assert.Single(await shared.Client.ListModelsAsync(), m => m.Name == "models/small");
        Assert.True(model.IsDefault);
        Assert.Equal(Model.Types.State.Ready, model.State);
        Assert.Contains(JobSpec.Types.Kind.Fill, model.Capabilities.Kinds);
        Assert.Equal(33, model.Capabilities.MaxCanvasFrames);
    }

    [Fact]
    public async Task The_doctor_finds_everything_in_order()
    {
        var findings = await shared.Client.DiagnoseAsync();
        Assert.All(findings.Where(f => !f.Subject.StartsWith("model sketch", StringComparison.Ordinal)), f => Assert.Equal((f.Subject, Finding.Types.Severity.Ok), (f.Subject, f.Severity)));
        Assert.Contains(findings, f => f.Subject == "ffmpeg");
        Assert.Contains(findings, f => f.Subject == "worker");
    }

    private static JobSpec Extend(string path)
    {
        var spec = RunningHost.Job().Spec;
        spec.Kind = JobSpec.Types.Kind.Extend;
        spec.ContextBefore = new ContextFrames
        {
            Segment = new MediaSegment { Media = new MediaSource { Path = path }, Range = new FrameRange { Start = 0, Duration = 10 } },
        };
        return spec;
    }
}
