using System.CommandLine;

namespace EditorBridge.Benchmarks;

/// <summary>The commands that measure what a user of a plugin waits for.</summary>
internal static class PluginCommands
{
    public static Command Queue()
    {
        var runs = new Option<int>("--runs") { Description = "Times each job is asked for.", DefaultValueFactory = _ => 12 };
        var cli = new Option<string>("--cli") { Description = "The command line, as `dotnet publish src/EditorBridge.Cli -c Release -r linux-x64` makes it.", DefaultValueFactory = _ => Artifact("publish/EditorBridge.Cli/release_linux-x64/editorbridge") };
        var host = new Option<string>("--host") { Description = "The host.", DefaultValueFactory = _ => Artifact("bin/EditorBridge.Host/release/EditorBridge.Host") };
        var command = new Command("queue", "Measures the time from the command's start to the job being queued, with a running host, for media it has and has not seen.") { runs, cli, host };
        command.SetAction((result, cancellation) => QueueBenchmark.RunAsync(result.GetValue(cli)!, result.GetValue(host)!, result.GetValue(runs), cancellation));
        return command;
    }

    public static Command Render()
    {
        var frames = new Option<int>("--frames") { Description = "Frames of the clip that is shown.", DefaultValueFactory = _ => 24 };
        var size = new Option<string>("--size") { Description = "Its picture size.", DefaultValueFactory = _ => "1920x1080" };
        var library = new Option<string>("--library") { Description = "The library, as eng/native.sh makes it.", DefaultValueFactory = _ => Artifact("native/linux-x64/libeditorbridge.so") };
        var command = new Command("render", "Measures how long the OpenFX plugin takes to render a frame of a finished clip that lies in the page cache.") { frames, size, library };
        command.SetAction((result, cancellation) => RenderBenchmark.RunAsync(result.GetValue(library)!, result.GetValue(size)!, result.GetValue(frames), cancellation));
        return command;
    }

    public static Command Press()
    {
        var presses = new Option<int>("--presses") { Description = "Presses of each depth, half of them the first of their process.", DefaultValueFactory = _ => 8 };
        var size = new Option<string>("--size") { Description = "The clips' picture size.", DefaultValueFactory = _ => "1920x1080" };
        var library = new Option<string>("--library") { Description = "The library, as eng/native.sh makes it.", DefaultValueFactory = _ => Artifact("native/linux-x64/libeditorbridge.so") };
        var host = new Option<string>("--host") { Description = "The host.", DefaultValueFactory = _ => Artifact("bin/EditorBridge.Host/release/EditorBridge.Host") };
        var command = new Command("press", "Measures the time from a press of Generate in the OpenFX plugin to the job being queued, with a running host and nine frames handed over before the place and after it.") { presses, size, library, host };
        command.SetAction((result, cancellation) => PressBenchmark.RunAsync(result.GetValue(library)!, result.GetValue(host)!, result.GetValue(size)!, result.GetValue(presses), cancellation));
        return command;
    }

    private static string Artifact(string name) => Path.Combine("artifacts", name);
}
