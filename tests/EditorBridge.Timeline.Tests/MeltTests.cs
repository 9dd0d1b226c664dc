using System.Diagnostics;
using EditorBridge.Timeline.Edits;

namespace EditorBridge.Timeline.Tests;

/// <summary>What melt renders from edited documents, frame by frame at the seams.</summary>
[Trait("Speed", "slow")]
public sealed class MeltTests : IDisposable
{
    private const int FrameBytes = 320 * 180 * 3;

    private readonly string folder = Directory.CreateTempSubdirectory("eb-melt-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [MemberData(nameof(MltTests.Goldens), MemberType = typeof(MltTests))]
    public void Both_seams_of_every_job_show_the_right_frames(string name)
    {
        if (!Tool("melt") || !Tool("ffmpeg"))
        {
            Assert.True(Environment.GetEnvironmentVariable("CI") != "true", "melt and ffmpeg are needed in CI.");
            return;
        }

        foreach (var (file, color) in new[] { ("red", "red"), ("green", "lime"), ("blue", "blue"), ("new", "yellow") })
            Run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", $"color=c={color}:s=320x180:r=25:d=4,format=gbrp,geq=r='{Numbered("r")}':g='{Numbered("g")}':b='{Numbered("b")}'", "-c:v", "ffv1", Path.Combine(folder, file + ".mov"));
        var document = TimelineDocument.Open(System.Text.Encoding.UTF8.GetBytes(MltTests.Text(name))).Value;
        var end = document.Index.Duration;
        var url = MediaPath.ToUrl(Path.Combine(folder, "new.mov"));
        var track = document.Index.VideoTracks.First();
        var now = MltTests.Apply(document, EditAlgebra.Fill(document.Index, track, Gaps.Find(track)[0], MltTests.Clip(25, url)));
        now = MltTests.Apply(now, EditAlgebra.PlaceAbove(now.Index, now.Index.VideoTracks.First(), new FrameRange(20, 10), MltTests.Clip(10, url)));
        now = MltTests.Apply(now, EditAlgebra.Append(now.Index, now.Index.VideoTracks.First(), MltTests.Clip(30, url)));

        var frames = Render(now, name);
        Assert.Equal(end + 30, frames.Length / FrameBytes);
        int[] seams = [0, 19, 20, 29, 30, 49, 50, 74, 75, 114, (int)end, (int)end + 29];
        Assert.Equal("rryyrryyggyy", string.Concat(seams.Select(frame => Color(frames, frame))));
        Assert.NotEqual('y', Color(frames, (int)end - 1));
        // New clips begin with their first frame; under and beside them the old ones show what they showed.
        long Before(int frame)
        {
            var item = Gaps.At(document.Index.VideoTracks.First(), frame)!;
            return item.SourceRange!.Value.Start - (item.Media?.AvailableRange?.Start ?? 0) + frame - item.RecordRange.Start;
        }

        Assert.Equal([Before(0), Before(19), 0, 9, Before(30), Before(49), 0, 24, Before(75), Before(114), 0, 29], seams.Select(frame => Number(frames, frame)));
    }

    // The frame's number in eight blocks along the upper edge, lowest bit first.
    private static string Numbered(string colour) => $"if(lt(Y,60),255*mod(floor(N/pow(2,floor(X/40))),2),{colour}(X,Y))";

    private static long Number(byte[] frames, int frame) => Enumerable.Range(0, 8).Sum(bit => frames[frame * FrameBytes + 30 * 320 * 3 + (40 * bit + 20) * 3 + 1] > 128 ? 1L << bit : 0);

    private byte[] Render(TimelineDocument document, string name)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllBytes(path, document.Bytes.ToArray());
        var raw = Path.Combine(folder, name + ".rgb");
        // The older generation of Kdenlive has a black track of five minutes and says how much to render when it does.
        Run("melt", path, "in=0", $"out={document.Index.Duration - 1 + (name.StartsWith("generation4", StringComparison.Ordinal) ? 0 : 1000)}", "-consumer", $"avformat:{raw}", "f=rawvideo", "vcodec=rawvideo", "pix_fmt=rgb24", "an=1", "real_time=-1", "terminate_on_pause=1");
        return File.ReadAllBytes(raw);
    }

    private static char Color(byte[] frames, int frame)
    {
        var at = frame * FrameBytes + FrameBytes / 2 + 160 * 3;
        var (r, g, b) = (frames[at] > 128, frames[at + 1] > 128, frames[at + 2] > 128);
        return (r, g, b) switch { (true, true, false) => 'y', (true, false, false) => 'r', (false, true, false) => 'g', (false, false, true) => 'b', _ => '?' };
    }

    private static bool Tool(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, name)));

    private void Run(string tool, params string[] arguments)
    {
        // melt 7.12 hangs at its end now and then: what it proves needs one run that ends.
        for (var attempt = 1; !Ends(tool, arguments); attempt++) Assert.True(attempt < 4, $"{tool} does not end.");
    }

    private bool Ends(string tool, string[] arguments)
    {
        var start = new ProcessStartInfo(tool) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = folder };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        start.Environment["QT_QPA_PLATFORM"] = "offscreen";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromSeconds(40)))
        {
            process.Kill(entireProcessTree: true);
            return false;
        }

        Assert.True(process.ExitCode == 0, error.Result + output.Result);
        return true;
    }
}
