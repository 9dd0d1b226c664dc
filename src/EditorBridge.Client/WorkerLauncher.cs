using System.Diagnostics;

namespace EditorBridge.Client;

/// <summary>Finds the worker program, for what is run in it without a host.</summary>
public static class WorkerLauncher
{
    /// <summary>The environment variable that names the worker program.</summary>
    public const string Variable = "EDITORBRIDGE_WORKER";

    /// <summary>How to hold the networks against golden files; the worker says a line of JSON on standard output for each and ends with 0 or 1.</summary>
    /// <param name="folder">The folder of golden files.</param>
    /// <exception cref="EditorBridgeException">The worker program was not found.</exception>
    public static ProcessStartInfo Parity(string folder)
    {
        var info = ProgramFile.Command(ProgramFile.Find(null, Variable, "EditorBridge.Worker", "worker", "WORKER_NOT_FOUND", "The worker program"));
        info.ArgumentList.Add("--parity");
        info.ArgumentList.Add(Path.GetFullPath(folder));
        return info;
    }
}
