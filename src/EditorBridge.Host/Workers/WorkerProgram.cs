using System.Diagnostics;

namespace EditorBridge.Host.Workers;

/// <summary>Finds the worker program.</summary>
internal static class WorkerProgram
{
    private const string Name = "EditorBridge.Worker";

    /// <summary>The program: the named one, "worker" beside the host, or the build's own output.</summary>
    /// <returns>Its path, or a sentence that says where it was looked for.</returns>
    public static (string? Path, string Problem) Find(string? named)
    {
        var candidates = (named is { Length: > 0 } ? [named] : Candidates()).ToList();
        var found = candidates.FirstOrDefault(File.Exists);
        return (found is null ? null : Path.GetFullPath(found),
            found is null ? $"The worker program {Name} was not found at {candidates[0]} nor in the build's output; set EDITORBRIDGE_WORKER to its path." : "");
    }

    /// <summary>How to start <paramref name="program"/>.</summary>
    public static ProcessStartInfo StartInfo(string program)
    {
        var info = new ProcessStartInfo(program)
        {
            UseShellExecute = false,
            CreateNoWindow = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetDirectoryName(program)!,
        };
        // Whatever runs the host can run the worker, also where it is not in the usual places.
        var dotnet = Environment.ProcessPath is { } self && Path.GetFileNameWithoutExtension(self) == "dotnet" ? self : null;
        if (program.EndsWith(".dll", StringComparison.OrdinalIgnoreCase))
        {
            info.FileName = dotnet ?? "dotnet";
            info.ArgumentList.Add(program);
        }
        else if (dotnet is not null && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("DOTNET_ROOT")))
        {
            info.Environment["DOTNET_ROOT"] = Path.GetDirectoryName(dotnet);
        }

        // The large tensors of large networks have pages of their own and give them back (LargePieces of Diffusion). Huge pages spare most of what it costs to get them anew: 8 % of a transformer's
        // pass. glibc reads this only when a process starts; other systems do not.
        const string Tunables = "GLIBC_TUNABLES";
        if (OperatingSystem.IsLinux() && Environment.GetEnvironmentVariable(Tunables) is null)
            info.Environment[Tunables] = "glibc.malloc.hugetlb=1";
        return info;
    }

    private static IEnumerable<string> Candidates()
    {
        string[] files = OperatingSystem.IsWindows() ? [Name + ".exe", Name + ".dll"] : [Name, Name + ".dll"];
        var here = AppContext.BaseDirectory;
        foreach (var file in files)
        {
            yield return Path.Combine(here, "worker", file);
            yield return Path.GetFullPath(Path.Combine(here, "..", "worker", file));
        }

        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(here));
        var artifacts = Path.GetFullPath(Path.Combine(here, "..", "..", ".."));
        foreach (var kind in (string[])["bin", "publish"])
            foreach (var choice in new[] { configuration, "release", "debug" }.Distinct())
                foreach (var file in files) yield return Path.Combine(artifacts, kind, Name, choice, file);
    }
}
