namespace EditorBridge.EndToEnd;

/// <summary>The machine's ffmpeg and ffprobe in a folder of their own (for EDITORBRIDGE_FFMPEG), where ffprobe writes down which files it is asked about.</summary>
internal sealed class CountedProbe
{
    private readonly string list;

    /// <param name="folder">The folder to make.</param>
    public CountedProbe(string folder)
    {
        Folder = Directory.CreateDirectory(folder).FullName;
        list = Path.Combine(folder, "asked");
        File.WriteAllText(list, "");
        File.CreateSymbolicLink(Path.Combine(folder, "ffmpeg"), Tool.Find("ffmpeg")!);
        var probe = Path.Combine(folder, "ffprobe");
        File.WriteAllText(probe, $"""
            #!/bin/sh
            for word; do case "$word" in file:*) echo "$word" >> '{list}';; esac; done
            exec '{Tool.Find("ffprobe")}' "$@"
            """);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(probe, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public string Folder { get; }

    /// <summary>Names of the files it was asked about so far, once for each time.</summary>
    public IReadOnlyList<string> Asked => [.. File.ReadAllLines(list).Select(line => Path.GetFileName(line["file:".Length..]))];
}
