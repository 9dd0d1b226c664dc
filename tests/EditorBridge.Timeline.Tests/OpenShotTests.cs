using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using EditorBridge.Timeline.Edits;

namespace EditorBridge.Timeline.Tests;

/// <summary>What OpenShot and its own library find in an edited project.</summary>
[Trait("Speed", "slow")]
public sealed class OpenShotTests : IDisposable
{
    // Python of the system, for which Debian packages the library.
    private const string Python = "/usr/bin/python3";

    private const string Read = """
        import sys, openshot
        t = openshot.Timeline(320, 180, openshot.Fraction(25, 1), 44100, 2, 3)
        t.SetJson(open(sys.argv[1], encoding="utf-8").read())
        for c in sorted(t.Clips(), key=lambda c: (c.Layer(), c.Position())):
            print(c.Layer(), *(round(s * 25) for s in (c.Position(), c.Start(), c.End())), c.Reader().info.has_audio)
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("eb-openshot-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Every_clip_is_where_it_was_put()
    {
        if (!File.Exists(Python) || Run(Python, "-c", "import openshot").Code != 0)
        {
            Assert.True(Environment.GetEnvironmentVariable("CI") != "true", "python3-openshot is needed in CI.");
            return;
        }

        foreach (var file in new[] { "red", "green", "blue", "new" })
            Assert.Equal(0, Run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=c=red:s=320x180:r=25:d=4", "-c:v", "libx264", Path.Combine(folder, file + ".mov")).Code);
        var text = MltTests.Text("cut.osp").Replace("\"path\": \"", $"\"path\": \"{folder}/", StringComparison.Ordinal);
        var document = TimelineDocument.Open(System.Text.Encoding.UTF8.GetBytes(text)).Value;
        var url = MediaPath.ToUrl(Path.Combine(folder, "new.mov"));
        var now = MltTests.Apply(document, EditAlgebra.Fill(document.Index, document.Index.Tracks[0], Gaps.Find(document.Index.Tracks[0])[0], MltTests.Clip(25, url)));
        now = MltTests.Apply(now, EditAlgebra.PlaceAbove(now.Index, now.Index.Tracks[0], new FrameRange(20, 10), MltTests.Clip(10, url)));
        now = MltTests.Apply(now, EditAlgebra.PlaceAbove(now.Index, now.Index.Tracks[0], new FrameRange(25, 10), MltTests.Clip(10, url)));
        now = MltTests.Apply(now, EditAlgebra.Append(now.Index, now.Index.Tracks[0], MltTests.Clip(30, url)));
        var project = Path.Combine(folder, "cut.osp");
        File.WriteAllBytes(project, now.Bytes.ToArray());
        var (code, output) = Run(Python, "-c", Read, project);
        Assert.True(code == 0, output);
        string[] expected =
        [
            "1000000 0 10 60 False", "1000000 50 0 25 False", "1000000 75 10 60 True", "1000000 115 5 55 False", string.Create(CultureInfo.InvariantCulture, $"1000000 {document.Index.Duration} 0 30 False"),
            "2000000 20 0 10 False", "3000000 25 0 10 False",
        ];
        Assert.Equal(expected, output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => char.IsAsciiDigit(line[0])));
    }

    [Fact]
    public void OpenShot_itself_opens_and_saves_what_was_edited_and_every_clip_stays_where_it_was()
    {
        if (!Directory.Exists("/usr/lib/python3/dist-packages/openshot_qt") || Run("sh", "-c", "command -v xvfb-run").Code != 0)
        {
            Assert.True(Environment.GetEnvironmentVariable("CI") != "true", "openshot-qt and xvfb-run are needed in CI.");
            return;
        }

        foreach (var file in new[] { "red", "blue", "new" })
            Assert.Equal(0, Run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", $"color=c={(file == "new" ? "green" : file)}:s=320x180:r=30:d=4", "-c:v", "libx264", Path.Combine(folder, file + ".mov")).Code);
        var made = Path.Combine(folder, "made.osp");
        Drive("make", made, Path.Combine(folder, "red.mov"), Path.Combine(folder, "blue.mov"));
        var document = TimelineDocument.Open(File.ReadAllBytes(made)).Value;
        Assert.Equal((new FrameRate(30), 1), (document.Index.Rate, document.Index.VideoTracks.Count(track => track.Items.Count > 0)));
        var first = document.Index.VideoTracks.First(track => track.Items.Count > 0).Index;
        NewClip Clip(int frames) => MltTests.Clip(frames, MediaPath.ToUrl(Path.Combine(folder, "new.mov"))) with
        {
            SourceRange = new MediaRange(new FrameRate(30), 0, frames), AvailableRange = new MediaRange(new FrameRate(30), 0, 120),
        };
        Track First(TimelineDocument of) => of.Index.Tracks[first];
        // Fill, B-roll that cuts nothing, B-roll into a clip, an extension.
        var now = MltTests.Apply(document, EditAlgebra.Fill(document.Index, First(document), Gaps.Find(First(document))[0], Clip(30)));
        now = MltTests.Apply(now, EditAlgebra.PlaceAbove(now.Index, First(now), new FrameRange(20, 25), Clip(25)));
        now = MltTests.Apply(now, EditAlgebra.Overwrite(now.Index, First(now), new FrameRange(10, 5), Clip(5)));
        now = MltTests.Apply(now, EditAlgebra.Append(now.Index, First(now), Clip(45)));
        var (edited, saved) = (Path.Combine(folder, "edited.osp"), Path.Combine(folder, "saved.osp"));
        File.WriteAllBytes(edited, now.Bytes.ToArray());

        var seen = Drive("resave", edited, saved);
        Assert.Equal(["clip 1000000 0 15 25", "clip 1000000 10 0 5", "clip 1000000 15 30 45", "clip 1000000 30 0 30", "clip 1000000 60 15 45", "clip 1000000 90 0 45", "clip 2000000 20 0 25"],
            seen.Split('\n').Where(line => line.StartsWith("clip ", StringComparison.Ordinal)));
        var again = TimelineDocument.Open(File.ReadAllBytes(saved)).Value;
        Assert.Equal(Places(now), Places(again));
        Assert.Equal(7, Places(again).Count());
    }

    private static IEnumerable<(int, string, FrameRange, MediaRange?)> Places(TimelineDocument document) =>
        document.Index.Tracks.SelectMany(track => track.Items.Where(item => item.Kind == ItemKind.Clip).Select(item => (track.Index, item.Name, item.RecordRange, item.SourceRange)));

    // On a screen that nobody sees; its settings stay in the test's folder. As root its browser runs only without its sandbox.
    private string Drive(params string[] words)
    {
        var (code, output) = Run("env", ["HOME=" + folder, "QT_QPA_PLATFORM=xcb", "QTWEBENGINE_DISABLE_SANDBOX=1", "timeout", "300", "xvfb-run", "-a", Python, Script(), .. words]);
        Assert.True(code == 0, output);
        return output;
    }

    private static string Script([CallerFilePath] string source = "") => Path.Combine(Path.GetDirectoryName(source)!, "drive_openshot.py");

    private (int Code, string Output) Run(string tool, params string[] arguments)
    {
        var start = new ProcessStartInfo(tool) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = folder };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        start.Environment["QT_QPA_PLATFORM"] = "offscreen";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, process.ExitCode == 0 ? output : output + error.Result);
    }
}
