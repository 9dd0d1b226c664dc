using System.Globalization;
using EditorBridge.Tests.Shared;

namespace EditorBridge.EndToEnd.Companion;

/// <summary>The companion's windows, with a stand-in for zenity: while it asks, the real host looks into what the job will need.</summary>
public sealed class AskingTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose()
    {
        Workspace.StopHost(folder.File("d"));
        folder.Dispose();
    }

    [LinuxFact]
    public async Task The_media_are_known_when_the_prompt_is_written()
    {
        foreach (var (name, seed) in new[] { ("red.mov", 0), ("green.mov", 2), ("blue.mov", 4) })
        {
            await Tool.MakeMovieAsync(folder.File(name), 100, "25", "320x180", seed);
            File.SetLastWriteTimeUtc(folder.File(name), new DateTime(2024, 1, 2, 3, 4, 5, DateTimeKind.Utc));
        }

        await File.WriteAllTextAsync(folder.File("cut.mlt"), EditorDesktop.Golden("shotcut.mlt"));
        foreach (var (words, files, windows) in new (string[], string[], int)[]
                 {
                     (["broll", "--in", "150", "--out-point", "+20"], ["blue.mov"], 1),
                     (["extend", "--track", "1", "--in", "10"], ["red.mov"], 2),
                     (["fill"], ["green.mov", "red.mov"], 1),
                 })
        {
            // A host of its own, which has seen none of them.
            Workspace.StopHost(folder.File("d"));
            var probe = new CountedProbe(folder.File(words[0]));
            await MakeZenityAsync(probe, files.Length);
            var cli = new CliProgram(folder.File("d")).With("EDITORBRIDGE_FFMPEG", probe.Folder).With("EDITORBRIDGE_HOST__ReadyProbes", "0").With("DISPLAY", ":none").With("XDG_CURRENT_DESKTOP", "")
                .With("PATH", probe.Folder + ":" + Environment.GetEnvironmentVariable("PATH"));
            var result = await cli.RunAsync(["companion", "shotcut", .. words, "--closed", "--project", folder.File("cut.mlt"), "--ask", "--plan", "--json"]);
            Assert.True(result.ExitCode == 0, result.ToString());
            Assert.NotEmpty(result.Events("plan"));
            var known = File.ReadAllLines(Path.Combine(probe.Folder, "asked when answered")).Select(Path.GetFileName);
            Assert.Equal(files, known.Distinct().Order());
            // The job itself looked into nothing any more.
            Assert.Equal(known, probe.Asked);
            Assert.Equal(windows, File.ReadAllLines(Path.Combine(probe.Folder, "windows")).Length);
        }
    }

    // Answers the prompt when so many files were looked into, and closes the window when they are not in time.
    private async Task MakeZenityAsync(CountedProbe probe, int files)
    {
        var zenity = Path.Combine(probe.Folder, "zenity");
        await File.WriteAllTextAsync(zenity, string.Create(CultureInfo.InvariantCulture, $$"""
            #!/bin/sh
            cd '{{probe.Folder}}'
            case "$1" in
              --progress) cat > /dev/null ;;
              --entry)
                echo "$*" >> windows
                case "$*" in *frames*) echo 60; exit ;; esac
                for i in $(seq 600); do
                  if [ $(sort -u asked | wc -l) -ge {{files}} ]; then
                    # The answer of the last ffprobe has yet to come.
                    sleep 2
                    cp asked 'asked when answered'
                    echo 'rain on a window'
                    exit
                  fi
                  sleep 0.1
                done
                exit 1 ;;
            esac
            """));
        await Tool.RunAsync("chmod", "+x", zenity);
    }
}
