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
}
