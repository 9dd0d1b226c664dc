using System.Diagnostics;
using System.Text.Json;
using EditorBridge.Tests.Shared;
using EditorBridge.Timeline.Otio;

namespace EditorBridge.EndToEnd;

/// <summary>A folder with two shots, a data folder of its own, and the command line that talks to the host there. The host ends with it.</summary>
public sealed class Workspace : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();

    public Workspace() => Cli = new CliProgram(DataFolder);

    /// <summary>Frames in each sample shot.</summary>
    public const int Held = 60;

    public string Path => folder.Path;

    public string DataFolder => folder.File("d");

    public CliProgram Cli { get; }

    public string File(string name) => folder.File(name);

    public async Task InitializeAsync()
    {
        await Tool.MakeMovieAsync(File("a.mp4"), Held);
        await Tool.MakeMovieAsync(File("b.mp4"), Held, seed: 3);
    }

    public Task DisposeAsync()
    {
        StopHost(DataFolder);
        folder.Dispose();
        return Task.CompletedTask;
    }

    /// <summary>Two shots with a gap of 10 frames between them, a music track below, and 20 frames with nothing at the end.</summary>
    public string TwoShots(string name, string rate = "24.0", string folderOfMedia = "")
    {
        var path = File(name);
        var cut = new SampleCut(rate, 86400);
        cut.Track("Video", cut.Clip("A", folderOfMedia + "a.mp4", 8, 24, Held), cut.Gap(10), cut.Clip("B", folderOfMedia + "b.mp4", 12, 30, Held), cut.Gap(20))
            .Track("Audio", cut.Clip("music", "a.mp4", 0, 84, 84)).Write(path);
        return path;
    }

    /// <summary>The process of the host on a data folder; null when none runs.</summary>
    public static Process? Host(string dataFolder)
    {
        try
        {
            using var endpoint = JsonDocument.Parse(System.IO.File.ReadAllBytes(System.IO.Path.Combine(dataFolder, "endpoint.json")));
            var process = Process.GetProcessById(endpoint.RootElement.GetProperty("processId").GetInt32());
            return process.HasExited ? null : process;
        }
        catch (Exception error) when (error is IOException or ArgumentException or JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Children of a process, as Linux tells them.</summary>
    public static IReadOnlyList<int> Children(int process)
    {
        var children = new List<int>();
        foreach (var task in Directory.GetDirectories($"/proc/{process}/task"))
        {
            try
            {
                children.AddRange(System.IO.File.ReadAllText(System.IO.Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries)
                    .Select(id => int.Parse(id, System.Globalization.CultureInfo.InvariantCulture)));
            }
            catch (IOException)
            {
                // The thread has ended meanwhile.
            }
        }

        return children;
    }

    public static OtioDocument Read(string path) => OtioDocument.Read(System.IO.File.ReadAllBytes(path)).Value;

    /// <summary>Ends the host on a data folder, with its worker.</summary>
    public static void StopHost(string dataFolder)
    {
        if (Host(dataFolder) is not { } host) return;
        using (host)
        {
            host.Kill(entireProcessTree: true);
            host.WaitForExit(TimeSpan.FromSeconds(10));
        }
    }
}
