using System.Diagnostics;

namespace EditorBridge.Client;

/// <summary>Finds EditorBridge's other programs and says how to start them.</summary>
internal static class ProgramFile
{
    /// <summary>A program: the named one, the one an environment variable names, one beside this program, or the build's own output.</summary>
    /// <exception cref="EditorBridgeException">There is none.</exception>
    public static string Find(string? named, string variable, string name, string folder, string reason, string title)
    {
        var candidates = Candidates(named, variable, name, folder).ToList();
        if (candidates.Find(File.Exists) is { } found) return Path.GetFullPath(found);
        throw new EditorBridgeException(reason, candidates.Count == 1
            ? $"{title} {candidates[0]} does not exist; set {variable} to the right path."
            : $"{title} {name} was not found at {candidates[0]} nor in the build's output; set {variable} to its path.");
    }

    /// <summary>How to start a program, whichever way it was built.</summary>
    public static ProcessStartInfo Command(string program)
    {
        var info = new ProcessStartInfo { UseShellExecute = false };
        if (program.EndsWith(".dll", StringComparison.OrdinalIgnoreCase))
        {
            info.FileName = DotnetProgram() ?? "dotnet";
            info.ArgumentList.Add(program);
        }
        else
        {
            info.FileName = program;
            // The program looks for the runtime in the usual places only; ours may lie where PATH says.
            if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("DOTNET_ROOT")) && DotnetProgram() is { } dotnet)
                info.Environment["DOTNET_ROOT"] = Path.GetDirectoryName(dotnet);
        }

        return info;
    }

    private static IEnumerable<string> Candidates(string? named, string variable, string name, string folder)
    {
        if (!string.IsNullOrWhiteSpace(named))
        {
            yield return named;
            yield break;
        }

        if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } set)
        {
            yield return set;
            yield break;
        }

        string[] files = OperatingSystem.IsWindows() ? [name + ".exe", name + ".dll"] : [name, name + ".dll"];
        var here = AppContext.BaseDirectory;
        foreach (var file in files)
        {
            yield return Path.Combine(here, folder, file);
            yield return Path.Combine(here, "host", folder, file); // the worker lies beside the host, or in it
        }

        // artifacts/bin/<project>/<configuration>/ and artifacts/publish/<project>/<configuration>/: the others are neighbours.
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(here));
        var artifacts = Path.GetFullPath(Path.Combine(here, "..", "..", ".."));
        foreach (var kind in (string[])["bin", "publish"])
            foreach (var choice in new[] { configuration, "release", "debug" }.Distinct())
                foreach (var file in files) yield return Path.Combine(artifacts, kind, name, choice, file);
    }

    private static string? DotnetProgram()
    {
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        foreach (var folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            var file = new FileInfo(Path.Combine(folder, name));
            if (file.Exists) return file.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? file.FullName;
        }

        return null;
    }
}
