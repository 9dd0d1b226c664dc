using System.Runtime.CompilerServices;
using EditorBridge.Tests.Shared;

namespace EditorBridge.EndToEnd.Resolve;

/// <summary>The menu script of DaVinci Resolve, in a real Lua, with a Resolve that behaves as the real one was measured to.</summary>
public sealed class ResolveScriptTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose()
    {
        Workspace.StopHost(folder.File("d"));
        folder.Dispose();
    }

    [LuaFact]
    public async Task Finds_its_place_and_puts_clips_there()
    {
        Assert.Matches("^[0-9]+ passed\n$", await LuaFactAttribute.RunAsync(Script, Here("tests.lua"), Here("fake_resolve.lua"), new()));
    }

    [LuaFact]
    [Trait("Speed", "slow")]
    public async Task Fills_a_gap_with_the_real_program()
    {
        await Tool.MakeMovieAsync(folder.File("a b's.mp4"), 60);
        await Tool.MakeMovieAsync(folder.File("b.mp4"), 60, seed: 3);
        var said = await LuaFactAttribute.RunAsync(Script, Here("tests.lua"), Here("fake_resolve.lua"), new()
        {
            ["EDITORBRIDGE_CLI"] = CliProgram.Path, ["EDITORBRIDGE_DATA"] = folder.File("d"), ["EDITORBRIDGE_MEDIA"] = folder.File("clips"), ["EDITORBRIDGE_HOST__IdleTimeout"] = "00:02:00",
        }, folder.File("a b's.mp4"), folder.File("b.mp4"));
        var lines = said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("EditorBridge: the clip is on V1.", lines[1]);
        var made = await Tool.ProbeAsync(lines[0]["made ".Length..]);
        Assert.Equal(("10", "24/1"), (made.GetProperty("nb_read_frames").GetString(), made.GetProperty("r_frame_rate").GetString()));
    }

    private static string Script => Path.GetFullPath(Here("../../../plugin-manifests/resolve/EditorBridge.lua"));

    private static string Here(string name, [CallerFilePath] string source = "") => Path.Combine(Path.GetDirectoryName(source)!, name);
}

/// <summary>A test that needs Lua: skipped where it is missing, but not in continuous integration.</summary>
internal sealed class LuaFactAttribute : FactAttribute
{
    public LuaFactAttribute()
    {
        if (!Tool.InContinuousIntegration && Program is null) Skip = "Neither luajit nor lua5.1 is installed.";
    }

    private static string? Program => Tool.Find("luajit") ?? Tool.Find("lua5.1");

    public static async Task<string> RunAsync(string script, string tests, string fake, Dictionary<string, string> environment, params string[] arguments)
    {
        var info = new System.Diagnostics.ProcessStartInfo(Program ?? throw new InvalidOperationException("Lua is missing: eng/setup.sh test installs it."))
        {
            RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
        };
        foreach (var argument in (string[])[tests, script, fake, .. arguments]) info.ArgumentList.Add(argument);
        foreach (var (name, value) in environment) info.Environment[name] = value;
        using var process = System.Diagnostics.Process.Start(info)!;
        var errors = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(10));
        var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        Assert.True(process.ExitCode == 0, $"{output}\n{await errors}");
        return output;
    }
}
