using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Text.Json;
using EditorBridge.Cli.Plugins;
using EditorBridge.Tests.Shared;

namespace EditorBridge.Cli.Tests;

/// <summary>Plugins into editors' folders and out again, in a home of the test's own.</summary>
public sealed class PluginTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly CliProgram cli;

    public PluginTests()
    {
        Directory.CreateDirectory(Home);
        cli = new CliProgram(folder.File("d")).With("HOME", Home).With("XDG_CONFIG_HOME", null).With("BLENDER_USER_SCRIPTS", null)
            .With("OFX_PLUGIN_PATH", null).With("EDITORBRIDGE_PLUGINS", null).With("EDITORBRIDGE_HOST", null);
    }

    private string Home => folder.File("home");

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Every_blender_that_was_used_here_gets_its_add_on_and_gives_it_back()
    {
        foreach (var version in (string[])["2.93", "3.6", "4.1", "4.3", "5.0"]) Directory.CreateDirectory(In(".config/blender/" + version));
        Directory.CreateDirectory(In(".config/blender/4.1/scripts/addons"));
        await File.WriteAllTextAsync(In(".config/blender/4.1/scripts/addons/other.py"), "theirs");
        var before = Everything();

        var listed = (await cli.RunAsync("plugins", "list", "--json")).Events("plugin").Single(e => e.GetProperty("name").GetString() == "blender");
        Assert.Equal(["Blender 3.6", "Blender 4.1", "Blender 4.3", "Blender 5.0"], listed.GetProperty("targets").EnumerateArray().Select(t => t.GetProperty("editor").GetString()));
        Assert.False(listed.GetProperty("installed").GetBoolean());

        var dry = await cli.RunAsync("plugins", "install", "blender", "--dry-run", "--json");
        Assert.Equal(0, dry.ExitCode);
        Assert.All(dry.Events("plugin_file"), e => Assert.True(e.GetProperty("dry_run").GetBoolean()));
        Assert.Equal(before, Everything());

        var installed = await cli.RunAsync("plugins", "install", "blender", "--json");
        Assert.True(installed.ExitCode == 0, installed.ToString());
        Assert.Equal(dry.Events("plugin_file").Select(e => e.GetProperty("path").GetString()), installed.Events("plugin_file").Select(e => e.GetProperty("path").GetString()));
        string[] places = [".config/blender/3.6/scripts/addons", ".config/blender/4.1/scripts/addons", ".config/blender/4.3/extensions/user_default", ".config/blender/5.0/extensions/user_default"];
        var source = Path.Combine(Root(), "plugin-manifests", "blender", "editorbridge");
        foreach (var place in places)
            foreach (var file in Directory.GetFiles(source)) Assert.Equal(await File.ReadAllBytesAsync(file), await File.ReadAllBytesAsync(In($"{place}/editorbridge/{Path.GetFileName(file)}")));
        Assert.True((await cli.RunAsync("plugins", "list", "--json")).Events("plugin").Single(e => e.GetProperty("name").GetString() == "blender").GetProperty("installed").GetBoolean());

        // What the editor makes of our files goes with them, what the user changed stays.
        Directory.CreateDirectory(In(places[0] + "/editorbridge/__pycache__"));
        await File.WriteAllTextAsync(In(places[0] + "/editorbridge/__pycache__/x.pyc"), "");
        await File.AppendAllTextAsync(In(places[2] + "/editorbridge/panel.py"), "# mine");
        Assert.Equal(0, (await cli.RunAsync("plugins", "uninstall", "blender", "--dry-run")).ExitCode);
        Assert.True(File.Exists(In(places[1] + "/editorbridge/panel.py")));
        var removed = await cli.RunAsync("plugins", "uninstall", "blender", "--json");
        Assert.Equal(In(places[2] + "/editorbridge/panel.py"), Assert.Single(removed.Events("plugin_file"), e => e.GetProperty("action").GetString() == "keep").GetProperty("path").GetString());
        File.Delete(In(places[2] + "/editorbridge/panel.py"));
        foreach (var left in (string[])["/editorbridge", "", "/.."]) Directory.Delete(Path.GetFullPath(In(places[2] + left)));
        Assert.Equal(before, Everything());
        var again = await cli.RunAsync("plugins", "uninstall", "blender", "--json");
        Assert.Equal((1, "NOT_INSTALLED"), (again.ExitCode, Assert.Single(again.Events("error")).GetProperty("reason").GetString()));
    }

    [Fact]
    public async Task Installing_again_replaces_our_files_but_nobody_elses()
    {
        var to = folder.File("scripts");
        Assert.Equal(0, (await cli.RunAsync("plugins", "install", "resolve", "--to", to)).ExitCode);
        var script = Path.Combine(to, "EditorBridge.lua");
        var text = await File.ReadAllTextAsync(script);
        Assert.Contains($"local PROGRAM = \"{CliProgram.Path}\"", text, StringComparison.Ordinal);
        Assert.Equal(["EditorBridge.lua"], Directory.GetFiles(to).Select(Path.GetFileName));

        // An older version of ours, as a receipt of it would say.
        Assert.Equal(0, (await cli.RunAsync("plugins", "install", "resolve", "--to", to)).ExitCode);
        await File.AppendAllTextAsync(script, "-- mine");
        var refused = await cli.RunAsync("plugins", "install", "resolve", "--to", to, "--json");
        Assert.Equal((1, "PLUGIN_IN_WAY"), (refused.ExitCode, Assert.Single(refused.Events("error")).GetProperty("reason").GetString()));
        Assert.EndsWith("-- mine", await File.ReadAllTextAsync(script), StringComparison.Ordinal);
        await File.WriteAllTextAsync(script, text);
        Assert.Equal(0, (await cli.RunAsync("plugins", "uninstall", "resolve")).ExitCode);
        Assert.False(Directory.Exists(to));
    }

    [Fact]
    public async Task An_editor_that_is_not_there_and_a_place_that_cannot_be_written_are_named()
    {
        var none = await cli.RunAsync("plugins", "install", "blender", "--json");
        Assert.Equal((1, "EDITOR_NOT_FOUND"), (none.ExitCode, Assert.Single(none.Events("error")).GetProperty("reason").GetString()));
        Assert.Contains(In(".config/blender"), none.Errors.Single(), StringComparison.Ordinal);
        var unknown = await cli.RunAsync("plugins", "install", "blendr", "--json");
        Assert.Equal(2, unknown.ExitCode);
        await File.WriteAllTextAsync(folder.File("file"), "");
        var blocked = await cli.RunAsync("plugins", "install", "resolve", "--to", folder.File("file/below"), "--json");
        Assert.Equal((1, "CANNOT_WRITE"), (blocked.ExitCode, Assert.Single(blocked.Events("error")).GetProperty("reason").GetString()));
        Assert.False(Directory.Exists(folder.File("d/plugins")));
        // A bundle without a binary is none.
        var bare = await cli.With("EDITORBRIDGE_PLUGINS", Path.Combine(Root(), "plugin-manifests", "openfx")).RunAsync("plugins", "install", "openfx", "--to", folder.File("ofx"), "--json");
        Assert.Equal("PACKAGE_MISSING", Assert.Single(bare.Events("error")).GetProperty("reason").GetString());
    }

    [Fact]
    public async Task The_openfx_bundle_is_told_where_its_host_program_is()
    {
        var built = folder.File("built/EditorBridge.ofx.bundle/Contents/Linux-x86-64");
        Directory.CreateDirectory(built);
        await File.WriteAllTextAsync(Path.Combine(built, "EditorBridge.ofx"), "binary");
        await File.WriteAllTextAsync(folder.File("host"), "");
        cli.With("EDITORBRIDGE_PLUGINS", folder.File("built")).With("OFX_PLUGIN_PATH", folder.File("ofx") + ":/elsewhere").With("EDITORBRIDGE_HOST", folder.File("host"));
        Assert.Equal(0, (await cli.RunAsync("plugins", "install", "openfx")).ExitCode);
        Assert.Equal(folder.File("host"), (await File.ReadAllTextAsync(folder.File("ofx/EditorBridge.ofx.bundle/Contents/Resources/host.txt"))).Trim());
        Assert.Equal("binary", await File.ReadAllTextAsync(folder.File("ofx/EditorBridge.ofx.bundle/Contents/Linux-x86-64/EditorBridge.ofx")));
        Assert.Equal(0, (await cli.RunAsync("plugins", "uninstall", "openfx")).ExitCode);
        Assert.False(Directory.Exists(folder.File("ofx")));
    }

    [Fact]
    public async Task Premieres_panel_becomes_one_package_that_creative_cloud_opens()
    {
        var panel = folder.File("packages/premiere/panel");
        Directory.CreateDirectory(panel);
        var source = Path.Combine(Root(), "plugin-manifests", "premiere", "panel");
        foreach (var file in (string[])["manifest.json", "index.html", "panel.css", "icons/panel.png"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(panel, file))!);
            File.Copy(Path.Combine(source, file), Path.Combine(panel, file));
        }

        cli.With("EDITORBRIDGE_PLUGINS", folder.File("packages"));
        var to = folder.File("ccx");
        var unbuilt = await cli.RunAsync("plugins", "install", "premiere", "--to", to, "--json");
        Assert.Equal("PACKAGE_MISSING", Assert.Single(unbuilt.Events("error")).GetProperty("reason").GetString());
        Assert.Contains("npm run build", unbuilt.Errors.Single(), StringComparison.Ordinal);

        await File.WriteAllTextAsync(Path.Combine(panel, "panel.js"), "built");
        Assert.Equal(0, (await cli.RunAsync("plugins", "install", "premiere", "--to", to, "--dry-run")).ExitCode);
        Assert.False(Directory.Exists(to));
        var installed = await cli.RunAsync("plugins", "install", "premiere", "--to", to, "--json");
        Assert.True(installed.ExitCode == 0, installed.ToString());
        Assert.Contains("EditorBridge.ccx", Assert.Single(installed.Events("notice")).GetProperty("message").GetString()!, StringComparison.Ordinal);
        var package = Path.Combine(to, "EditorBridge.ccx");
        Assert.Equal([package], Directory.GetFiles(to));
        using (var zip = ZipFile.OpenRead(package))
        {
            // Creative Cloud wants the manifest at the root.
            Assert.Equal(["icons/panel.png", "index.html", "manifest.json", "panel.css", "panel.js"], zip.Entries.Select(entry => entry.FullName).Order(StringComparer.Ordinal));
            using var manifest = zip.GetEntry("manifest.json")!.Open();
            Assert.Equal("premierepro", (await JsonDocument.ParseAsync(manifest)).RootElement.GetProperty("host").GetProperty("app").GetString());
        }

        var first = await File.ReadAllBytesAsync(package);
        Assert.Equal(0, (await cli.RunAsync("plugins", "install", "premiere", "--to", to)).ExitCode);
        Assert.Equal(first, await File.ReadAllBytesAsync(package));
        var removed = await cli.RunAsync("plugins", "uninstall", "premiere", "--json");
        Assert.Equal(0, removed.ExitCode);
        Assert.Contains("Creative Cloud", Assert.Single(removed.Events("notice")).GetProperty("message").GetString()!, StringComparison.Ordinal);
        Assert.False(Directory.Exists(to));
    }

    [Fact]
    public void Only_a_premiere_that_can_load_the_panel_counts()
    {
        foreach (var name in (string[])["Adobe Premiere Pro 2024", "Adobe Premiere Pro 2025", "Adobe Premiere 2026", "Adobe Premiere Elements 2025 Editor", "Adobe Photoshop 2026"])
            Directory.CreateDirectory(folder.File("applications/" + name));
        Assert.Equal(["Adobe Premiere 2026", "Adobe Premiere Pro 2025"], PremiereEditor.Versions(folder.File("applications")));
        Assert.Empty(PremiereEditor.Versions(folder.File("nowhere")));
        Assert.Empty(PremiereEditor.Versions(""));
    }

    [Fact]
    public async Task Vegas_gets_its_script_where_it_reads_scripts_and_with_the_program_named()
    {
        Directory.CreateDirectory(In("Documents/Vegas Script Menu"));
        await File.WriteAllTextAsync(In("Documents/Vegas Script Menu/Other.cs"), "theirs");
        var installed = await cli.RunAsync("plugins", "install", "vegas", "--json");
        Assert.True(installed.ExitCode == 0, installed.ToString());
        var script = In("Documents/Vegas Script Menu/EditorBridge.cs");
        Assert.Equal(script, Assert.Single(installed.Events("plugin_file")).GetProperty("path").GetString());
        Assert.Contains($"const string Program = @\"{CliProgram.Path}\";", await File.ReadAllTextAsync(script), StringComparison.Ordinal);
        Assert.Equal(0, (await cli.RunAsync("plugins", "uninstall", "vegas")).ExitCode);
        Assert.Equal([In("Documents/Vegas Script Menu/Other.cs")], Directory.GetFiles(In("Documents/Vegas Script Menu")));
    }

    private string In(string path) => Path.Combine(Home, path);

    private List<string> Everything() => [.. Directory.EnumerateFileSystemEntries(Home, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    private static string Root([CallerFilePath] string source = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "..", ".."));
}
