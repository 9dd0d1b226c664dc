using System.Diagnostics;
using System.Globalization;
using EditorBridge.Tests.Shared;

namespace EditorBridge.Cli.Tests;

/// <summary>The companions where no editor is: each thing that is missing is named, and nothing is started or written.</summary>
public sealed class CompanionTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly CliProgram cli;

    public CompanionTests()
    {
        cli = new CliProgram(folder.File("d")).With("HOME", folder.Path).With("XDG_DATA_HOME", null).With("XDG_CONFIG_HOME", null).With("XDG_RUNTIME_DIR", folder.Path)
            .With("DISPLAY", null).With("WAYLAND_DISPLAY", null).With("DBUS_SESSION_BUS_ADDRESS", $"unix:path={folder.File("none")}");
        File.WriteAllText(folder.File("cut.mlt"), "<mlt/>");
    }

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("KIND_MISSING", "kdenlive")]
    [InlineData("NO_SESSION_BUS", "kdenlive", "fill")]
    [InlineData("NO_DESKTOP", "kdenlive", "--ask")]
    [InlineData("TIMELINE_MISSING", "kdenlive", "fill", "--closed")]
    [InlineData("TIMELINE_MISSING", "shotcut", "fill", "--project", "gone.mlt")]
    [InlineData("OUT_UNUSED", "kdenlive", "fill", "--out", "new.kdenlive")]
    [InlineData("NOT_PASTED", "shotcut", "fill", "--all-gaps")]
    [InlineData("NOT_PASTED", "shotcut", "extend", "--place", "ripple")]
    [InlineData("RATE_UNKNOWN", "shotcut", "fill", "--closed", "--project", "{folder}/cut.mlt")]
    public async Task What_is_missing_is_named(string reason, params string[] arguments)
    {
        if (!OperatingSystem.IsLinux()) reason = "SYSTEM_UNSUPPORTED";
        var result = await cli.RunAsync(["companion", .. arguments.Select(argument => argument.Replace("{folder}", folder.Path, StringComparison.Ordinal)), "--prompt", "rain", "--json"]);
        Assert.True(result.ExitCode == 1 && result.Events("error").Single().GetProperty("reason").GetString() == reason, result.ToString());
        Assert.Single(result.Errors);
        Assert.Equal(["cut.mlt"], Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Without_a_program_that_shows_windows_one_sentence_says_which_to_install()
    {
        if (!OperatingSystem.IsLinux()) return;
        Directory.CreateDirectory(folder.File("empty"));
        var result = await cli.With("PATH", folder.File("empty")).With("DISPLAY", ":none").RunAsync("companion", "shotcut", "broll", "--closed", "--project", folder.File("cut.mlt"), "--ask", "--json");
        var error = Assert.Single(result.Events("error"));
        Assert.Equal((1, "NO_DIALOGS"), (result.ExitCode, error.GetProperty("reason").GetString()));
        Assert.Contains("install one, or leave out --ask", error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Single(result.Errors);
        Assert.Equal("<mlt/>", await File.ReadAllTextAsync(folder.File("cut.mlt")));
    }

    [Theory]
    [InlineData("echo 'Gtk-WARNING: cannot open display: :none' >&2; exit 1")]
    [InlineData("kill -ABRT $$")]
    public async Task A_window_that_cannot_be_shown_is_no_answer(string script)
    {
        if (!OperatingSystem.IsLinux()) return;
        await WriteProgramAsync("bin/zenity", script);
        cli.With("PATH", folder.File("bin") + ":" + Environment.GetEnvironmentVariable("PATH")).With("DISPLAY", ":none").With("XDG_CURRENT_DESKTOP", null);
        var result = await cli.RunAsync("companion", "shotcut", "--closed", "--project", folder.File("cut.mlt"), "--ask", "--json");
        var error = Assert.Single(result.Events("error"));
        Assert.Equal((1, "NO_DESKTOP"), (result.ExitCode, error.GetProperty("reason").GetString()));
        Assert.Contains("zenity cannot show its window here", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_goes_wrong_while_the_prompt_is_asked_for_changes_nothing()
    {
        if (!OperatingSystem.IsLinux()) return;
        await File.WriteAllTextAsync(folder.File("cut.mlt"), """
            <mlt><profile frame_rate_num="25" frame_rate_den="1"/><producer id="a" out="49"><property name="resource">here.mov</property></producer>
            <playlist id="p"><entry producer="a"/></playlist><tractor id="t"><property name="shotcut">1</property><track producer="p"/></tractor></mlt>
            """);
        await WriteProgramAsync("bin/zenity", "case \"$1\" in --entry) [ -e '{folder}/closed' ] && exit 1; echo rain ;; --progress) cat > /dev/null ;; esac");
        cli.With("PATH", folder.File("bin") + ":" + Environment.GetEnvironmentVariable("PATH")).With("DISPLAY", ":none").With("XDG_CURRENT_DESKTOP", null);
        string[] command = ["companion", "shotcut", "broll", "--in", "0", "--out-point", "+10", "--closed", "--project", folder.File("cut.mlt"), "--ask", "--json"];

        // No host can be had: the job says so, after the prompt.
        var none = await cli.With("EDITORBRIDGE_HOST", folder.File("no-host")).RunAsync(command);
        Assert.Equal((1, "HOST_NOT_FOUND"), (none.ExitCode, Assert.Single(none.Events("error")).GetProperty("reason").GetString()));

        // One that does not answer is not waited for when the window is closed.
        await File.WriteAllTextAsync(folder.File("closed"), "");
        await WriteProgramAsync("bin/host", "echo $$ > '{folder}/pid'; exec sleep 300");
        var watch = Stopwatch.StartNew();
        var closed = await cli.With("EDITORBRIDGE_HOST", folder.File("bin/host")).RunAsync(command);
        Assert.True(closed.ExitCode == 130 && watch.Elapsed < TimeSpan.FromSeconds(40), $"{watch.Elapsed} {closed}");
        Assert.Equal("CANCELLED", Assert.Single(closed.Events("error")).GetProperty("reason").GetString());
        if (!File.Exists(folder.File("pid"))) return;
        using var host = Process.GetProcessById(int.Parse(await File.ReadAllTextAsync(folder.File("pid")), CultureInfo.InvariantCulture));
        host.Kill();
        await host.WaitForExitAsync();
    }

    [Theory]
    [InlineData("kdenlive")]
    [InlineData("shotcut")]
    public async Task The_desktop_gets_an_entry_that_starts_this_program(string editor)
    {
        if (!OperatingSystem.IsLinux()) return;
        Directory.CreateDirectory(folder.File("bin"));
        await File.WriteAllTextAsync(folder.File("bin/" + editor), "");
        cli.With("PATH", folder.File("bin") + ":" + Environment.GetEnvironmentVariable("PATH"));
        var installed = await cli.RunAsync("plugins", "install", editor, "--json");
        Assert.True(installed.ExitCode == 0, installed.ToString());
        var entry = folder.File($".local/share/applications/editorbridge-{editor}.desktop");
        Assert.Equal(entry, Assert.Single(installed.Events("plugin_file")).GetProperty("path").GetString());
        var commands = (await File.ReadAllLinesAsync(entry)).Where(line => line.StartsWith("Exec=", StringComparison.Ordinal)).ToList();
        Assert.Equal(4, commands.Count);
        Assert.All(commands, command => Assert.StartsWith($"Exec=\"{CliProgram.Path}\" companion {editor}", command, StringComparison.Ordinal));
        Assert.Equal(0, (await cli.RunAsync("plugins", "uninstall", editor)).ExitCode);
        Assert.False(Directory.Exists(folder.File(".local")));
    }

    private async Task WriteProgramAsync(string name, string script)
    {
        var path = folder.File(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(path, $"#!/bin/sh\n{script.Replace("{folder}", folder.Path, StringComparison.Ordinal)}\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
