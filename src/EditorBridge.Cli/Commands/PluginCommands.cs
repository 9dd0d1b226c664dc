using System.CommandLine;
using EditorBridge.Cli.Plugins;
using EditorBridge.Cli.Reports;

namespace EditorBridge.Cli.Commands;

/// <summary>plugins: which editors are on this machine, and our plugin into them and out again. No host is needed.</summary>
internal static class PluginCommands
{
    private static readonly Argument<string> Editor = new("EDITOR") { Description = "The editor, as `plugins list` names it." };
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Only say what would be written or removed." };
    private static readonly Option<string> To = new("--to") { Description = "The folder to install into, where the editor is not found or keeps plugins elsewhere.", HelpName = "DIR" };

    static PluginCommands() => Editor.AcceptOnlyFromAmong([.. KnownEditors.All.Select(plugin => plugin.Name)]);

    public static Command Plugins()
    {
        var plugins = new Command("plugins", "Plugins for the video editors on this machine.");
        var list = new Command("list", "List editors, where their plugin goes and whether it is installed.");
        Session.Run(list, (_, report, _) =>
        {
            foreach (var plugin in KnownEditors.All) report.Say(Describe(plugin));
            return Task.FromResult(ExitCode.Done);
        });
        var install = new Command("install", "Copy the plugin to where the editor looks for it.");
        install.Arguments.Add(Editor);
        install.Options.Add(To);
        install.Options.Add(DryRun);
        Session.Run(install, (parsed, report, _) =>
        {
            var plugin = Find(parsed);
            Say(report, plugin, PluginInstall.Install(plugin, Targets(plugin, parsed.GetValue(To)), parsed.GetValue(DryRun)), parsed.GetValue(DryRun));
            if (!parsed.GetValue(DryRun)) report.Say(new NoticeEvent(plugin.Afterwards));
            return Task.FromResult(ExitCode.Done);
        });
        var uninstall = new Command("uninstall", "Remove what install copied.");
        uninstall.Arguments.Add(Editor);
        uninstall.Options.Add(DryRun);
        Session.Run(uninstall, (parsed, report, _) =>
        {
            var plugin = Find(parsed);
            Say(report, plugin, PluginInstall.Uninstall(plugin, parsed.GetValue(DryRun)), parsed.GetValue(DryRun));
            if (!parsed.GetValue(DryRun) && plugin.AfterRemoval is { } left) report.Say(new NoticeEvent(left));
            return Task.FromResult(ExitCode.Done);
        });
        plugins.Subcommands.Add(list);
        plugins.Subcommands.Add(install);
        plugins.Subcommands.Add(uninstall);
        return plugins;
    }

    private static EditorPlugin Find(ParseResult parsed) => KnownEditors.All.First(plugin => plugin.Name == parsed.GetValue(Editor));

    private static IReadOnlyList<PluginTarget> Targets(EditorPlugin plugin, string? to)
    {
        if (to is not null) return [new PluginTarget(plugin.Title, Path.GetFullPath(to))];
        var found = plugin.FindTargets();
        return found.Count > 0 ? found : throw new Refused("EDITOR_NOT_FOUND", $"{plugin.Title} was not found; looked in {plugin.LooksIn}. Name the folder of its plugins with --to.");
    }

    private static PluginEvent Describe(EditorPlugin plugin)
    {
        var targets = plugin.FindTargets();
        return new PluginEvent(plugin.Name, plugin.Title, [.. targets.Select(target => new PluginTargetFigure(target.Editor, target.Folder))], PluginReceipt.Read(plugin.Name) is not null);
    }

    private static void Say(IReport report, EditorPlugin plugin, IReadOnlyList<FileStep> steps, bool dryRun)
    {
        foreach (var step in steps) report.Say(new PluginFileEvent(plugin.Name, step.Path, step.Action, dryRun) { Message = step.Why });
    }
}
