using System.Diagnostics;
using System.Globalization;

namespace EditorBridge.Host.Workers;

/// <summary>
/// Remembers which process the worker is, beyond the host's own end. A worker outlives a host that was killed by a moment; before the next one
/// starts, it must be gone, or two would write into one take.
/// </summary>
internal sealed class WorkerRecord(DataFolder folder, ILogger<WorkerRecord> log)
{
    // Start times are worked out from the time since the system started, which is not known to the millisecond.
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(2);

    private string Path => System.IO.Path.Combine(folder.Root, "worker.pid");

    /// <summary>Remembers a process.</summary>
    public void Write(int process)
    {
        try
        {
            using var started = Process.GetProcessById(process);
            File.WriteAllText(Path, string.Create(CultureInfo.InvariantCulture, $"{process} {started.StartTime.ToUniversalTime().Ticks}"));
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or IOException)
        {
            // It has ended already, or the disk is full: the next start finds nothing to end.
        }
    }

    /// <summary>Ends the worker of an earlier host, if it is still there.</summary>
    public void EndLeftover()
    {
        try
        {
            if (!File.Exists(Path)) return;
            var fields = File.ReadAllText(Path).Split(' ');
            using var process = Process.GetProcessById(int.Parse(fields[0], CultureInfo.InvariantCulture));
            var started = new DateTime(long.Parse(fields[1], CultureInfo.InvariantCulture), DateTimeKind.Utc);
            // The number may belong to somebody else by now.
            if ((process.StartTime.ToUniversalTime() - started).Duration() > Tolerance) return;
            log.LogWarning("Ending worker {Worker} of an earlier host", process.Id);
            process.Kill(entireProcessTree: true);
            process.WaitForExit(TimeSpan.FromSeconds(10));
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or IOException or FormatException or IndexOutOfRangeException
            or System.ComponentModel.Win32Exception or AggregateException)
        {
            // It is gone, which is what was wanted.
        }
    }
}
