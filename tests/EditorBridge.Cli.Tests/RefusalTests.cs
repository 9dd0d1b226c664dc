using EditorBridge.Tests.Shared;

namespace EditorBridge.Cli.Tests;

/// <summary>
/// What a new user gets wrong, tried on the built program. None of it needs a host: EDITORBRIDGE_HOST names a program that does not exist, so
/// a command that went looking for one would say so instead.
/// </summary>
public sealed class RefusalTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly CliProgram cli;
    private readonly string timeline;
    private readonly string output;

    public RefusalTests()
    {
        cli = new CliProgram(folder.File("data")).With("EDITORBRIDGE_HOST", folder.File("no-host"));
        timeline = folder.File("in.otio");
        output = folder.File("out.otio");
        File.WriteAllText(folder.File("here.mov"), "");
        var cut = new SampleCut(startFrame: 86400);
        cut.Track("Video", cut.Clip("A", "here.mov", 0, 48, 48), cut.Gap(24), cut.Clip("B", "gone.mov", 0, 48, 48), cut.Gap(12), cut.Transition(0, 4), cut.Clip("C", "here.mov", 8, 48, 60))
            .Track("Audio", cut.Clip("music", "here.mov", 0, 180, 180)).Write(timeline);
    }

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("fill --gap 9", "GAP_NOT_FOUND", "has no gap 9")]
    [InlineData("fill --track 4 --gap 1", "TRACK_NOT_FOUND", "no video track 4")]
    [InlineData("fill --gap 1", "MEDIA_OFFLINE", "gone.mov")]
    [InlineData("fill --gap 2", "TRANSITION_IN_WAY", "transition")]
    [InlineData("fill --in 01:00:02:00 --out-point 01:00:02:12", "GAP_NOT_FOUND", "use --gap 1")]
    [InlineData("broll --in 01:00:01:00 --out-point 01:00:01:00", "RANGE_EMPTY", "no frames")]
    [InlineData("broll --in 01:00:01:00 --out-point 01:00:00:12", "RANGE_EMPTY", "no frames")]
    [InlineData("broll --in 00:00:01:00 --out-point 01:00:02:00", "RANGE_OUTSIDE", "starts at 01:00:00:00")]
    [InlineData("broll --in 01:00:01:00 --out-point 02:00:00:00", "RANGE_OUTSIDE", "outside the timeline")]
    [InlineData("broll --in 01:00:01:24 --out-point 01:00:02:00", "TIMECODE_INVALID", "frames end at 23")]
    [InlineData("broll --in 0", "RANGE_MISSING", "--out-point")]
    [InlineData("broll", "RANGE_MISSING", "--in")]
    [InlineData("broll --track 1 --in 0 --out-point +10", "OCCUPIED", "occupied by 'A'")]
    [InlineData("extend --clip D --frames 5", "CLIP_NOT_FOUND", "there are A, B, C")]
    [InlineData("extend --clip A", "RANGE_EMPTY", "--frames")]
    [InlineData("extend --clip A --frames 0", "RANGE_EMPTY", "1 or more")]
    [InlineData("extend --clip A --head --frames 5", "RANGE_OUTSIDE", "do not fit before it")]
    [InlineData("extend --clip A --frames 5 --place ripple", "RIPPLE_REFUSED", "'music' on A1")]
    [InlineData("extend --clip C --head --frames 5", "TRANSITION_IN_WAY", "transition at that end")]
    [InlineData("extend --frames 5", "CLIP_NOT_NAMED", "--clip")]
    [InlineData("fill --gap 1 --takes 0", "TAKES_OUT_OF_RANGE", "--takes")]
    public async Task Says_why_and_leaves_everything_as_it_was(string command, string reason, string says)
    {
        var before = File.ReadAllBytes(timeline);
        var result = await cli.RunAsync([.. command.Split(' '), "--timeline", timeline, "--out", output, "--prompt", "sea", "--json"]);
        Assert.Equal(1, result.ExitCode);
        var error = Assert.Single(result.Events("error"));
        Assert.Equal(reason, error.GetProperty("reason").GetString());
        Assert.Contains(says, error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal([error.GetProperty("message").GetString()!], result.Errors);
        Assert.Equal(before, File.ReadAllBytes(timeline));
        Assert.Equal(["here.mov", "in.otio"], Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName).Order());
    }

    [Theory]
    [InlineData("fill --gap 9 --frames 5 --head", "--frames, --head change nothing")]
    [InlineData("fill --gap 9 --in 0 --out-point 5 --inclusive-out", "--in, --out-point, --inclusive-out change nothing")]
    [InlineData("fill --gap 9 --place above --clip A", "--clip, --place change nothing")]
    [InlineData("broll --track 9 --in 0 --out-point 5 --frames 5", "--frames changes nothing")]
    [InlineData("broll --track 9 --in 0 --frames 5 --gap 1 --context 9 --generate", "--gap, --generate, --context change nothing")]
    [InlineData("extend --clip D --frames 5 --out-point +5 --gap 1", "--out-point, --gap change nothing")]
    [InlineData("plan broll --clip D --feather 3 --all-gaps --place ripple", "--all-gaps, --place, --feather change nothing")]
    [InlineData("loop --clip D --frames 5 --head --control-strength 1", "--head, --control-strength change nothing")]
    public async Task What_changes_nothing_is_named(string command, string says)
    {
        string[] words = [.. command.Split(' '), "--timeline", timeline, "--out", output, "--prompt", "sea"];
        Assert.Contains(says, Assert.Single((await cli.RunAsync([.. words, "--json"])).Events("notice")).GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fill --gap 9 --context 9")]
    [InlineData("fill --track 9 --in 0 --out-point 5 --inclusive-out")]
    [InlineData("broll --track 9 --in 0 --out-point 5 --place above")]
    [InlineData("broll --track 9 --gap 1")]
    [InlineData("extend --clip D --frames 5 --head --generate --place ripple --context 5")]
    [InlineData("extend --in 99 --out-point +5 --inclusive-out")]
    [InlineData("restyle --clip D --in 0 --frames 5")]
    public async Task What_is_used_is_not(string command) =>
        Assert.Empty((await cli.RunAsync([.. command.Split(' '), "--timeline", timeline, "--out", output, "--prompt", "sea", "--json"])).Events("notice"));

    [Fact]
    public async Task An_empty_prompt_needs_no_host()
    {
        var result = await cli.RunAsync("fill", "--timeline", timeline, "--out", output, "--gap", "1", "--prompt", "  ");
        Assert.Equal((1, 0), (result.ExitCode, result.Output.Count));
        Assert.Equal(["The prompt is empty: say in a few words what is to be seen, with --prompt."], result.Errors);
    }

    [Fact]
    public async Task The_input_is_never_the_output()
    {
        var alias = folder.File("alias.otio");
        File.CreateSymbolicLink(alias, timeline);
        foreach (var target in new[] { timeline, Path.Combine(folder.Path, ".", "in.otio"), alias })
        {
            var result = await cli.RunAsync("broll", "--timeline", timeline, "--out", target, "--in", "0", "--out-point", "+5", "--prompt", "x");
            Assert.Equal(1, result.ExitCode);
            Assert.Contains("never changed", Assert.Single(result.Errors), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("{\"OTIO_SCHEMA\": \"Timeline.1\",\n  \"tracks\": }", "line 2, column 13")]
    [InlineData("hello", "no timeline of a known kind")]
    [InlineData("", "no timeline of a known kind")]
    [InlineData("{\"a\": 1}", "no OTIO_SCHEMA")]
    public async Task A_file_that_is_no_timeline_is_named_with_the_place(string text, string says)
    {
        File.WriteAllText(timeline, text);
        var result = await cli.RunAsync("timeline", "show", timeline);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(says, Assert.Single(result.Errors), StringComparison.Ordinal);
        Assert.Contains(timeline, result.Errors[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Timeline_check_names_what_jobs_could_not_work_with()
    {
        var result = await cli.RunAsync("timeline", "check", timeline);
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("OpenTimelineIO", string.Join('\n', result.Output), StringComparison.Ordinal);
        Assert.Contains("gone.mov", string.Join('\n', result.Output), StringComparison.Ordinal);
        Assert.DoesNotContain("here.mov", string.Join('\n', result.Output), StringComparison.Ordinal);

        var shotcut = folder.File("cut.mlt");
        File.WriteAllText(shotcut, """
            <mlt><profile frame_rate_num="25" frame_rate_den="1"/><producer id="a" out="49"><property name="resource">here.mov</property></producer>
            <playlist id="p"><entry producer="a"/></playlist><tractor id="t"><property name="shotcut">1</property><track producer="p"/></tractor></mlt>
            """);
        result = await cli.RunAsync("timeline", "check", shotcut);
        Assert.Contains("MLT XML (Shotcut), 25 frames per second, 1 tracks, 50 frames", string.Join('\n', result.Output), StringComparison.Ordinal);
        result = await cli.RunAsync("broll", "--timeline", shotcut, "--in", "0", "--out-point", "+10", "--prompt", "sea", "--out", folder.File("out.otio"), "--json");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("ends in .mlt", string.Join('\n', result.Output.Concat(result.Errors)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "plan, broll, extend, fill, still")]
    [InlineData("brol", "Did you mean broll?")]
    [InlineData("transmogrify", "there are plan, broll")]
    [InlineData("jobs", "list, show, watch or cancel")]
    [InlineData("jobs lsit", "Did you mean list?")]
    [InlineData("jobs show", "JOB is missing")]
    [InlineData("timeline show", "IN is missing")]
    [InlineData("media", "Say what to do: editorbridge media show.")]
    [InlineData("media show", "FILE is missing")]
    [InlineData("fill --timline x", "Did you mean --timeline?")]
    [InlineData("fill --timeline x --promt=sea", "Did you mean --prompt?")]
    [InlineData("fill --timeline x --prompt red sea", "in quotes")]
    [InlineData("fill --timeline x --codec mpeg2", "dnxhr, h264 or prores, not 'mpeg2'")]
    [InlineData("fill --gap one --timeline x", "whole number, not 'one'")]
    [InlineData("fill --timeline", "--timeline needs a value")]
    [InlineData("fill", "--timeline IN is missing")]
    [InlineData("plan bro --timeline x", "outpaint, restyle or still")]
    [InlineData("broll --timeline x --size big", "1920x1080")]
    public async Task A_command_line_that_cannot_be_understood_is_one_sentence(string command, string says)
    {
        var words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var result = await cli.RunAsync(words);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(says, Assert.Single(result.Errors), StringComparison.Ordinal);
        Assert.Empty(result.Output);
        // Not at the end, where an option that lacks its value would take it for one.
        var json = await cli.RunAsync([.. words.Take(1), "--json", .. words.Skip(1)]);
        Assert.Equal(2, json.ExitCode);
        Assert.Equal("USAGE", Assert.Single(json.Events("error")).GetProperty("reason").GetString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("plan")]
    [InlineData("broll")]
    [InlineData("extend")]
    [InlineData("fill")]
    [InlineData("still")]
    [InlineData("timeline show")]
    [InlineData("media show")]
    [InlineData("jobs list")]
    [InlineData("jobs watch")]
    [InlineData("serve")]
    [InlineData("doctor")]
    [InlineData("models list")]
    public async Task Help_needs_nothing(string verb)
    {
        var result = await cli.RunAsync([.. verb.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);
        Assert.Equal(0, result.ExitCode);
        Assert.Contains(result.Output, line => line.StartsWith("Usage:", StringComparison.Ordinal));
        Assert.Empty(result.Errors);
    }

    [Fact]
    public async Task A_place_that_cannot_be_written_is_named_before_anything_is_made()
    {
        var places = new List<(string Out, string Media, string Says)>
        {
            (folder.File("nowhere/out.otio"), folder.File("m"), "does not exist"),
            (folder.Path, folder.File("m"), "is a folder"),
            (output, folder.File("here.mov"), "is a file"),
            (output, folder.File("here.mov/m"), "is a file"),
        };
        // Not even root makes files there.
        if (OperatingSystem.IsLinux()) places.AddRange([("/sys/out.otio", folder.File("m"), "/sys"), (output, "/sys/m", "/sys")]);
        foreach (var (to, media, says) in places)
        {
            var result = await cli.RunAsync("fill", "--timeline", timeline, "--out", to, "--media-dir", media, "--gap", "1", "--prompt", "sea", "--json");
            Assert.Equal(1, result.ExitCode);
            var error = Assert.Single(result.Events("error"));
            Assert.Equal("CANNOT_WRITE", error.GetProperty("reason").GetString());
            Assert.Contains(says, error.GetProperty("message").GetString(), StringComparison.Ordinal);
            Assert.Equal(["here.mov", "in.otio"], Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName).Order());
        }
    }

    [Fact]
    public async Task A_missing_host_program_is_named()
    {
        foreach (var command in (string[][])[["models", "list"], ["media", "show", folder.File("here.mov"), folder.File("gone.mov")]])
        {
            var result = await cli.RunAsync(command);
            Assert.Equal(1, result.ExitCode);
            Assert.Contains(result.Errors, line => line.Contains("no-host", StringComparison.Ordinal));
            Assert.Single(result.Errors);
        }
    }

    [Fact]
    public async Task Shows_a_timeline_as_the_verbs_count_it()
    {
        var shown = Assert.Single((await cli.RunAsync("timeline", "show", timeline, "--json")).Events("timeline"));
        Assert.Equal(("24/1", "01:00:00:00", 180), (shown.GetProperty("rate").GetString(), shown.GetProperty("start").GetString(), shown.GetProperty("frames").GetInt32()));
        var gaps = shown.GetProperty("tracks")[0].GetProperty("gaps");
        Assert.Equal(2, gaps.GetArrayLength());
        Assert.Equal((48, 24, "A", "B"), (gaps[0].GetProperty("record_start").GetInt32(), gaps[0].GetProperty("frames").GetInt32(),
            gaps[0].GetProperty("before").GetString(), gaps[0].GetProperty("after").GetString()));
        var text = await cli.RunAsync("timeline", "show", timeline);
        Assert.Contains(text.Output, line => line.Contains("01:00:02:00", StringComparison.Ordinal) && line.Contains("number 1", StringComparison.Ordinal));
    }
}
