using System.Diagnostics;

namespace EditorBridge.Benchmarks;

/// <summary>Memory as the host gives it to its worker: without huge pages a transformer's figures are not those of a job.</summary>
internal static class HugePages
{
    private const string Tunables = "GLIBC_TUNABLES";

    /// <summary>Runs this program once more with the variable that glibc reads at a process's start only; null where that changes nothing, and for commands that measure other programs.</summary>
    public static int? RunAgain(string[] arguments)
    {
        if (!OperatingSystem.IsLinux() || arguments is ["queue" or "render" or "press" or "weights", ..] || Environment.GetEnvironmentVariable(Tunables) is not null || Environment.ProcessPath is not { } self)
            return null;
        var start = new ProcessStartInfo(self) { UseShellExecute = false };
        start.Environment[Tunables] = "glibc.malloc.hugetlb=1";
        if (Path.GetFileNameWithoutExtension(self) == "dotnet")
            start.ArgumentList.Add(Environment.GetCommandLineArgs()[0]);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var again = Process.Start(start)!;
        again.WaitForExit();
        return again.ExitCode;
    }
}
