using System.Text.Json;
using EditorBridge.Tests.Shared;
using EditorBridge.Timeline;
using EditorBridge.Timeline.Xml;

namespace EditorBridge.EndToEnd.Companion;

/// <summary>The companion's windows as the real zenity and kdialog show them, with somebody who types.</summary>
[Trait("Speed", "slow")]
public sealed class DialogTests : IDisposable
{
    private const string Prompt = "A red balloon & \"the\" sea, 3 km <off>";
    private static readonly string[] Common = ["--seed", "7", "--json"];
    private readonly EditorDesktop desktop = new();
    private (string Id, string Process) window;

    private string Project => desktop.File("cut.mlt");

    public void Dispose() => desktop.Dispose();

    [EditorFact("zenity")]
    public async Task What_is_typed_into_zenity_comes_into_the_job()
    {
        var running = await AskAsync(steps: 20);
        await ChooseTheFirstAsync();
        await TypeAsync(Prompt);
        // It shows how the job gets on, and then where the clip is.
        await NextWindowAsync();
        await NextWindowAsync();
        await KeyAsync("Return");
        await IsMadeAsync(running);
    }

    [EditorFact("kdialog")]
    public async Task What_is_typed_into_kdialog_comes_into_the_job()
    {
        desktop.Cli.With("XDG_CURRENT_DESKTOP", "KDE");
        var running = await AskAsync();
        await ChooseTheFirstAsync();
        await TypeAsync(Prompt);
        await NextWindowAsync();
        await KeyAsync("Return");
        await IsMadeAsync(running);
    }

    [EditorFact("zenity")]
    public async Task Cancel_in_any_of_zenitys_windows_leaves_everything_as_it_was()
    {
        var before = await CancelTwiceAsync();

        // The job runs already, and long enough to be met running.
        var running = await AskAsync(steps: 100);
        await ChooseTheFirstAsync();
        await TypeAsync(Prompt);
        await NextWindowAsync();
        await Task.Delay(2000);
        await KeyAsync("Escape");
        await IsCancelledAsync(running, before);

        // Nothing typed is said in a window, and nothing is made of it.
        running = await AskAsync();
        await ChooseTheFirstAsync();
        await TypeAsync("");
        await NextWindowAsync();
        if ((await running.WaitAsync(TimeSpan.FromSeconds(3)).ContinueWith(task => task.Status)) != TaskStatus.RanToCompletion) await CloseAllAsync(running);
        var empty = await running;
        Assert.Equal((1, "PROMPT_EMPTY"), (empty.ExitCode, Assert.Single(empty.Events("error")).GetProperty("reason").GetString()));
        Assert.Equal(before, Files());
    }

    [EditorFact("kdialog")]
    public async Task Cancel_in_kdialog_leaves_everything_as_it_was()
    {
        desktop.Cli.With("XDG_CURRENT_DESKTOP", "KDE");
        await CancelTwiceAsync();
    }

    // Once at the choice of the job, once at the prompt. Gives the files that were there before and are after.
    private async Task<List<string>> CancelTwiceAsync()
    {
        var running = await AskAsync();
        var before = Files();
        await NextWindowAsync();
        await KeyAsync("Escape");
        await IsCancelledAsync(running, before);

        running = await AskAsync();
        await ChooseTheFirstAsync();
        await NextWindowAsync();
        await KeyAsync("Escape");
        await IsCancelledAsync(running, before);
        return before;
    }

    private async Task<Task<CliResult>> AskAsync(int steps = 2)
    {
        if (!File.Exists(Project))
        {
            foreach (var (name, hue) in new[] { ("red.mov", 0), ("green.mov", 120), ("blue.mov", 240) }) await desktop.MakeShotAsync(name, hue);
            await File.WriteAllTextAsync(Project, EditorDesktop.Golden("shotcut.mlt"));
        }

        return desktop.Cli.RunAsync(["companion", "shotcut", "--closed", "--project", Project, "--in", "150", "--out-point", "+20", "--ask", "--steps", $"{steps}", .. Common]);
    }

    private async Task ChooseTheFirstAsync()
    {
        await NextWindowAsync();
        await KeyAsync("Down");
        await KeyAsync("Up");
        await KeyAsync("Return");
    }

    private async Task TypeAsync(string text)
    {
        await NextWindowAsync();
        await desktop.RunAsync("xdotool", "windowfocus", "--sync", window.Id);
        if (text.Length > 0) await desktop.RunAsync("xdotool", "type", "--delay", "40", text);
        await Task.Delay(1000);
        await KeyAsync("Return");
    }

    private async Task NextWindowAsync()
    {
        var last = window;
        await desktop.UntilAsync("the companion's next window", async () =>
        {
            // The X server gives the same number to one window after another.
            var next = (await SeenAsync()).Find(seen => seen.Process != last.Process);
            if (next.Id is not null) window = next;
            return next.Id is not null;
        });
        // What a window is sent before it is drawn is lost.
        await Task.Delay(2500);
    }

    private async Task<List<(string Id, string Process)>> SeenAsync()
    {
        var seen = new List<(string, string)>();
        foreach (var id in (await desktop.RunAsync("xdotool", "search", "--onlyvisible", "--name", "^EditorBridge"))?.Split('\n', StringSplitOptions.RemoveEmptyEntries) ?? [])
        {
            if (await desktop.RunAsync("xdotool", "getwindowpid", id) is { Length: > 0 } process) seen.Add((id, process.Trim()));
        }

        return seen;
    }

    private async Task KeyAsync(string key)
    {
        // Without a window manager nothing gives a window the keys.
        await desktop.RunAsync("xdotool", "windowfocus", "--sync", window.Id);
        await desktop.RunAsync("xdotool", "key", key);
        await Task.Delay(500);
    }

    // A bar may come and go before the window that says what is wrong.
    private Task CloseAllAsync(Task running) => desktop.UntilAsync("the last window is closed", async () =>
    {
        foreach (var seen in await SeenAsync())
        {
            window = seen;
            await KeyAsync("Return");
        }

        return running.IsCompleted;
    });

    private async Task IsMadeAsync(Task<CliResult> running)
    {
        var result = await running;
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal("broll", Assert.Single(result.Events("plan")).GetProperty("kind").GetString());
        var made = desktop.File("cut-2.mlt");
        var clip = TimelineDocument.Open(await File.ReadAllBytesAsync(made)).Value.Index.VideoTracks.Last().Items.Single(item => item.Kind == ItemKind.Clip);
        Assert.Equal(new FrameRange(150, 20), clip.RecordRange);
        var metadata = XmlText.Read(await File.ReadAllBytesAsync(made)).Value.SelfAndInner().Single(node => node["name"] == "editorbridge:metadata").Text;
        using var said = JsonDocument.Parse(metadata);
        Assert.Equal(Prompt, said.RootElement.GetProperty("editorbridge").GetProperty("prompt").GetString());
        Assert.Equal(EditorDesktop.Golden("shotcut.mlt"), await File.ReadAllTextAsync(Project));
        Assert.Empty(await SeenAsync());
    }

    private async Task IsCancelledAsync(Task<CliResult> running, IReadOnlyList<string> before)
    {
        var result = await running;
        Assert.Equal((130, "CANCELLED"), (result.ExitCode, Assert.Single(result.Events("error")).GetProperty("reason").GetString()));
        Assert.Equal(before, Files());
        Assert.Equal(EditorDesktop.Golden("shotcut.mlt"), await File.ReadAllTextAsync(Project));
        Assert.Empty(await SeenAsync());
    }

    // Beside what belongs to the desktop and to the host.
    private List<string> Files() => [.. Directory.EnumerateFileSystemEntries(desktop.Path).Select(path => Path.GetFileName(path)!).Where(name => name is not ("home" or "run" or "d")).Order(StringComparer.Ordinal)];
}
