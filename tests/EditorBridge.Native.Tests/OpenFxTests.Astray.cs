using EditorBridge.Native.Tests.Support;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Native.Tests;

/// <summary>Editors that do what the standard does not foresee, and disks that do not do what they are asked.</summary>
public sealed partial class OpenFxTests
{
    private static readonly string[] Place = ["prompt=waves", "start=10", "frames=6"];

    [NativeFact]
    public async Task Actions_out_of_turn_are_answered()
    {
        var lines = await fixture.RunAsync("astray");
        Assert.Equal(Enumerable.Repeat("4", 13).Concat(["0", "4"]), Answers("without-host"));
        Assert.Equal(["4"], Answers("no-host"));
        Assert.Equal(["4"], Answers("mute-host"));
        Assert.Equal(["0"], Answers("not-loaded"));
        Assert.Equal(["0"], Answers("loaded"));
        Assert.Contains("nothing 1", lines);
        Assert.Equal(["9", "9", "9", "9", "9", "9", "9", "0", "9", "0", "0", "14", "14"], Answers("no-handle"));
        Assert.Equal(["5", "5"], Answers("paint"));
        Assert.Equal(["14", "1", "14", "0", "0", "0", "0", "14", "14"], Answers("no-arguments"));
        Assert.Equal(["0"], Answers("again"));
        Assert.Equal(["0", "0", "0", "0"], Answers("unloaded"));
        Assert.Equal(["0"], Answers("destroyed"));
        Assert.Equal("stale 0", lines[^1]);

        string[] Answers(string when) => [.. OpenFxHost.Said(lines, when).Select(answer => answer[(answer.LastIndexOf(' ') + 1)..])];
    }

    [NativeTheory]
    [InlineData("property")]
    [InlineData("effect")]
    [InlineData("parameter")]
    public async Task Without_a_suite_that_it_cannot_do_without_it_is_not_loaded(string suite) =>
        Assert.Equal("load 4\n", await BuiltLibrary.RunAsync(fixture.Program, [await BuiltLibrary.PathAsync, "run", "Filter", $"no={suite}"], fixture.Host.Environment, mayFail: true));

    [NativeTheory]
    [InlineData("property", 12)]
    [InlineData("effect", 9)]
    [InlineData("parameter", 9)]
    [InlineData("progress", 3)]
    [InlineData("message", 1)]
    [InlineData("timeline", 3)]
    public async Task A_function_that_a_suite_lacks_is_done_without(string suite, int functions)
    {
        for (var function = 0; function < functions; function++)
        {
            string[] lack = ["run", "Filter", $"lack={suite},{function}", "stop-after=40", "no=" + (suite == "progress" ? "timeline" : "progress")];
            var library = await BuiltLibrary.PathAsync;
            var lines = (await BuiltLibrary.RunAsync(fixture.Program, [library, .. lack, .. Place, "model=none", "press=generate", "try=9", "identity=9", "sync", "press=cancel"], fixture.Host.Environment, mayFail: true)).Split('\n');
            // It may not let itself be described or instantiated; it never ends the editor, and gives back what it can.
            var isRefused = lines.Any(line => line.StartsWith("failed", StringComparison.Ordinal));
            Assert.True(isRefused || lines.Any(line => line.StartsWith("progress-bars ", StringComparison.Ordinal)), $"{suite} {function}: {string.Join('\n', lines)}");
            if ((suite, function) != ("effect", 6) && !isRefused) Assert.Contains(lines, line => line.StartsWith("images 0 of ", StringComparison.Ordinal));
        }
    }

    [NativeTheory]
    [InlineData("data")]
    [InlineData("row")]
    [InlineData("bounds")]
    [InlineData("nobounds")]
    [InlineData("depth")]
    [InlineData("components")]
    public async Task Pictures_that_make_no_sense_are_given_back(string broken)
    {
        var before = HandedOver();
        var lines = await fixture.RunAsync(["run", "Filter", $"broken={broken}", .. Place, "press=generate", "show=status", "show=job", "try=3"]);
        Assert.Contains("gave no picture", OpenFxHost.Said(lines, "status").Single(), StringComparison.Ordinal);
        Assert.Equal([""], OpenFxHost.Said(lines, "job"));
        Assert.Equal(["0"], OpenFxHost.Said(lines, "tried"));
        Assert.Empty(HandedOver().Except(before));
    }

    [NativeFact]
    public async Task Frames_that_stop_coming_are_made_do_without_and_said()
    {
        var lines = await fixture.RunAsync(["run", "Filter", "fail-from=4", .. Place, "press=generate", "show=status", "show=job"]);
        Assert.Contains("no picture of the frames after", OpenFxHost.Said(lines, "status").Single(), StringComparison.Ordinal);
        Assert.Contains("no picture of the frames after", OpenFxHost.Said(lines, "message").Single(), StringComparison.Ordinal);
        var job = await fixture.Client.GetAsync(OpenFxHost.Said(lines, "job").Single());
        Assert.Equal((JobSpec.Types.Kind.Extend, 4L), (job.Spec.Kind, job.Spec.ContextBefore.Segment.Range.Duration));
        Assert.Null(job.Spec.ContextAfter);
    }

    [NativeFact]
    public async Task Without_an_output_nothing_is_rendered()
    {
        var lines = await fixture.RunAsync("run", "Filter", "no=output", "try=3", "identity=3");
        Assert.Equal(["1"], OpenFxHost.Said(lines, "tried"));
        Assert.Equal(["0 Source"], OpenFxHost.Said(lines, "identity"));
    }

    [NativeTheory]
    [InlineData("twice")]
    [InlineData("twice=thread")]
    public async Task Generate_pressed_again_meanwhile_is_refused(string twice)
    {
        var lines = await fixture.RunAsync(["run", "Filter", twice, .. Place, "press=generate", "show=status"]);
        Assert.Contains("being made already", OpenFxHost.Said(lines, "message").Single(), StringComparison.Ordinal);
        Assert.Single(OpenFxHost.Said(lines, "progress"));
        Assert.StartsWith("Done: 6 frames", OpenFxHost.Said(lines, "status").Single(), StringComparison.Ordinal);
    }

    [NativeFact]
    public async Task An_instance_destroyed_while_its_frames_are_fetched_leaves_nothing_behind()
    {
        var before = HandedOver();
        var lines = await fixture.RunAsync(["run", "Filter", "destroy-after=4", "prompt=dropped early", "start=10", "frames=6", "press=generate", "show=job"]);
        Assert.Equal([""], OpenFxHost.Said(lines, "job"));
        Assert.Contains("images 0 of 3 not given back", lines);
        Assert.Empty(HandedOver().Except(before));
        await foreach (var job in fixture.Client.ListAsync()) Assert.NotEqual("dropped early", job.Spec.Prompt);
    }

    [NativeFact]
    public async Task A_job_outlives_its_instance()
    {
        await using var busy = await BusyAsync();
        // By then it has long been stored.
        await fixture.RunAsync("run", "Generator", "destroy-after=150", "prompt=left alone", "frames=6", "press=generate");
        var left = new List<Job>();
        await foreach (var job in fixture.Client.ListAsync())
            if (job.Spec.Prompt == "left alone") left.Add(job);
        Assert.Equal(Job.Types.State.Queued, left.Single().State);
        await fixture.Client.CancelAsync(left[0].Name);
    }

    [NativeTheory]
    [InlineData("garbage=null")]
    [InlineData("garbage=bytes")]
    [InlineData("garbage=bytes", "users-edits")]
    [InlineData("users-edits")]
    public async Task Values_that_make_no_sense_end_in_a_sentence(params string[] odd)
    {
        var lines = await fixture.RunAsync(["run", "Filter", .. odd, "press=generate", "identity=3", "try=3", "sync"]);
        // Garbage is a prompt, for a model that nobody has.
        Assert.Contains(odd.Contains("garbage=bytes") ? "model" : "prompt is empty", OpenFxHost.Said(lines, "message").Single(), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(["0"], OpenFxHost.Said(lines, "tried"));
    }

    [NativeFact]
    public async Task A_bar_that_does_not_show_is_not_waited_behind()
    {
        await using var busy = await BusyAsync();
        var lines = await fixture.RunAsync("run", "Generator", "no=bar", "prompt=waves", "frames=6", "press=generate", "wait-for=job");
        var job = await fixture.Client.GetAsync(OpenFxHost.Said(lines, "job").Single());
        Assert.Equal(Job.Types.State.Queued, job.State);
        await fixture.Client.CancelAsync(job.Name);
    }

    [NativeFact]
    public async Task A_disk_that_does_not_answer_can_be_cancelled_and_takes_no_more_memory()
    {
        // Frames of 12 MB: some five fit into what may wait for the disk.
        var lines = await fixture.RunAsync("run", "Filter", "size=1920x1080", "depth=short", "disk=stuck", "stop-after=40", "prompt=stuck", "start=10", "frames=6", "press=generate", "show=status", "show=job");
        Assert.Equal("Cancelled.", OpenFxHost.Said(lines, "status").Single());
        Assert.Equal([""], OpenFxHost.Said(lines, "job"));
        Assert.Equal("41", OpenFxHost.Said(lines, "updates").Single());
        Assert.InRange(int.Parse(lines[^2].Split(' ')[3], System.Globalization.CultureInfo.InvariantCulture), 3, 7);
        await foreach (var job in fixture.Client.ListAsync()) Assert.NotEqual("stuck", job.Spec.Prompt);
    }

    [NativeTheory]
    [InlineData("no=timeline")]
    [InlineData("no=progress")]
    public async Task A_full_disk_is_said_and_leaves_nothing_behind(string other)
    {
        var before = HandedOver();
        var lines = await fixture.RunAsync(["run", "Filter", "disk=full", other, .. Place, "press=generate", "show=status", "show=job"]);
        Assert.StartsWith("The frames cannot be handed over to the host: ", OpenFxHost.Said(lines, "status").Single(), StringComparison.Ordinal);
        Assert.StartsWith("The frames cannot be handed over to the host: ", OpenFxHost.Said(lines, "message").Single(), StringComparison.Ordinal);
        Assert.Equal([""], OpenFxHost.Said(lines, "job"));
        Assert.Empty(HandedOver().Except(before));
    }
}
