using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace EditorBridge.Benchmarks;

/// <summary>How long a user waits from asking for a clip until the job is queued, through the command line that the plugins call.</summary>
internal static class QueueBenchmark
{
    // Nobody asks for one clip after another faster; the host starts ffprobes ahead meanwhile.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(4);

    private static readonly (string Name, string[] Arguments)[] Jobs =
    [
        ("B-roll", ["broll", "--in", "10", "--out-point", "34"]),
        ("fill", ["fill", "--track", "1", "--gap", "1"]),
    ];

    public static async Task<int> RunAsync(string cli, string host, int runs, CancellationToken cancellation)
    {
        if (new[] { cli, host }.FirstOrDefault(file => !File.Exists(file)) is { } missing)
        {
            Console.Error.WriteLine($"{missing} is not there: publish the command line and build the host first, or name them with --cli and --host.");
            return 1;
        }

        using var folder = new WorkFolder();
        Dictionary<string, string> Host(string data, int ahead) => new()
        {
            ["EDITORBRIDGE_DATA"] = folder.File(data), ["EDITORBRIDGE_HOST"] = Path.GetFullPath(host), ["EDITORBRIDGE_HOST__IdleTimeout"] = "00:01:00",
            ["EDITORBRIDGE_HOST__ReadyProbes"] = ahead.ToString(CultureInfo.InvariantCulture),
        };
        var (plain, ready) = (Host("plain", 0), Host("ready", 2));
        (string Media, Dictionary<string, string> Host, bool IsKnown)[] rows = [("new, no ffprobe started ahead", plain, false), ("new", ready, false), ("seen before", ready, true)];
        await Programs.RunAsync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=24", "-frames:v", "96", "-c:v", "libx264", "-pix_fmt", "yuv420p", folder.File("shot.mp4")], Programs.NoEnvironment, cancellation);
        // Starts the hosts and loads what they load once.
        foreach (var environment in (Dictionary<string, string>[])[plain, ready]) await MeasureAsync(cli, Jobs[1].Arguments, Timeline(folder, "first"), environment, cancellation);
        Console.WriteLine($"| job | media | runs | median until queued | of it until the plan | best | worst |\n|---|---|---|---|---|---|---|");
        foreach (var (name, arguments) in Jobs)
        {
            var times = rows.Select(_ => new List<(double Plan, double Queued)>()).ToList();
            // In turns, so that what else the machine does meets all alike.
            for (var i = 0; i < runs; i++)
            {
                foreach (var (row, (_, environment, isKnown)) in rows.Index())
                {
                    await Task.Delay(Pause, cancellation);
                    times[row].Add(await MeasureAsync(cli, arguments, Timeline(folder, isKnown ? "first" : $"{name}{i}-{row}"), environment, cancellation));
                }
            }

            foreach (var (row, (media, _, _)) in rows.Index())
            {
                var queued = times[row].Select(time => time.Queued).Order().ToList();
                var plan = times[row].Select(time => time.Plan).Order().ToList();
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {media} | {runs} | {queued[runs / 2]:F0} ms | {plan[runs / 2]:F0} ms | {queued[0]:F0} ms | {queued[^1]:F0} ms |"));
            }
        }

        return 0;
    }

    private static async Task<(double Plan, double Queued)> MeasureAsync(
        string cli, string[] arguments, string timeline, IReadOnlyDictionary<string, string> environment, CancellationToken cancellation)
    {
        var begun = Stopwatch.GetTimestamp();
        using var process = Programs.Start(cli, [.. arguments, "--timeline", timeline, "--out", timeline + ".out.otio", "--prompt", "a boat", "--json"], environment);
        double plan = 0, queued = 0;
        var lines = new List<string>();
        while (queued == 0 && await process.StandardOutput.ReadLineAsync(cancellation) is { } line)
        {
            lines.Add(line);
            var said = JsonDocument.Parse(line).RootElement.GetProperty("event").GetString();
            if (said == "plan")
                plan = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
            if (said == "state")
                queued = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
        }

        if (queued == 0)
            throw new InvalidOperationException($"The job was not queued: {string.Join('\n', lines)} {await process.StandardError.ReadToEndAsync(cancellation)}");
        // As Ctrl-C does it: the job is cancelled, and the next one finds the host at rest.
        using (var interrupt = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]))
            await interrupt.WaitForExitAsync(cancellation);
        await process.StandardOutput.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return (plan, queued);
    }

    // Two shots with a gap of 24 frames between them, from media that nobody wrote to for a minute.
    private static string Timeline(WorkFolder folder, string name)
    {
        string[] media = [folder.File(name + "-a.mp4"), folder.File(name + "-b.mp4")];
        foreach (var file in media.Where(file => !File.Exists(file)))
        {
            File.Copy(folder.File("shot.mp4"), file);
            File.SetLastWriteTimeUtc(file, TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(-1));
        }

        string Clip(string file, int start) =>
            $$$"""
            {"OTIO_SCHEMA":"Clip.2","name":"{{{Path.GetFileName(file)}}}","metadata":{},"effects":[],"markers":[],"enabled":true,"source_range":{{{Range(start, 48)}}},"active_media_reference_key":"DEFAULT_MEDIA",
             "media_references":{"DEFAULT_MEDIA":{"OTIO_SCHEMA":"ExternalReference.1","name":"","metadata":{},"target_url":"{{{new Uri(file).AbsoluteUri}}}","available_range":{{{Range(0, 96)}}},"available_image_bounds":null}} }
            """;
        var path = folder.File(name + ".otio");
        File.WriteAllText(path,
            $$$"""
            {"OTIO_SCHEMA":"Timeline.1","name":"cut","metadata":{},"global_start_time":{{{Time(0)}}},"tracks":{"OTIO_SCHEMA":"Stack.1","name":"tracks","metadata":{},"effects":[],"markers":[],"enabled":true,"source_range":null,
             "children":[{"OTIO_SCHEMA":"Track.1","name":"V1","kind":"Video","metadata":{},"effects":[],"markers":[],"enabled":true,"source_range":null,
             "children":[{{{Clip(media[0], 0)}}},{"OTIO_SCHEMA":"Gap.1","name":"","metadata":{},"effects":[],"markers":[],"enabled":true,"source_range":{{{Range(0, 24)}}} },{{{Clip(media[1], 24)}}}]}]}}
            """);
        return path;
    }

    private static string Range(int start, int frames) => $$$"""{"OTIO_SCHEMA":"TimeRange.1","start_time":{{{Time(start)}}},"duration":{{{Time(frames)}}} }""";

    private static string Time(int frame) => $$$"""{"OTIO_SCHEMA":"RationalTime.1","rate":24,"value":{{{frame}}}}""";
}
