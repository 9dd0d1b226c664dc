using System.Diagnostics;
using System.Globalization;
using EditorBridge.Diffusion.Native;

namespace EditorBridge.Generation;

/// <summary>Watches the process's own memory from another thread and keeps the highest figure. Mapped files are not in it where the system tells them apart (Linux).</summary>
public sealed class MemoryWatch : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    private readonly ManualResetEvent stop = new(false);
    private readonly Thread thread;
    private readonly ComputeDevice? device;
    private long peak;

    private MemoryWatch(ComputeDevice? device)
    {
        this.device = device;
        LookAtDevice();
        Start = peak = Now();
        thread = new Thread(() =>
        {
            while (!stop.WaitOne(Interval)) Look();
        }) { IsBackground = true, Name = "memory watch" };
        thread.Start();
    }

    /// <summary>Bytes when watching began.</summary>
    public long Start { get; }

    /// <summary>Most bytes so far.</summary>
    public long Peak
    {
        get
        {
            Look();
            return Interlocked.Read(ref peak);
        }
    }

    /// <summary>Most bytes of the GPU that were in use, as far as was looked, beyond those before this process put anything there; null without a GPU that says.</summary>
    public long? PeakOnDevice { get; private set; }

    /// <summary>Begins to watch.</summary>
    /// <param name="device">Where the work is done; null to look at main memory alone.</param>
    public static MemoryWatch Begin(ComputeDevice? device = null) => new(device);

    /// <summary>Looks at the GPU's memory, on the thread that works with it. Torch keeps what it once had, so that a look after the work still sees the most it took.</summary>
    public void LookAtDevice()
    {
        if (device is not null && FreeMemory.TakenOn(device) is { } taken) PeakOnDevice = Math.Max(PeakOnDevice ?? 0, taken);
    }

    /// <summary>The process's own resident bytes; where the system does not tell them from mapped files, its private bytes.</summary>
    public static long Now()
    {
        const string Status = "/proc/self/status", Own = "RssAnon:";
        if (OperatingSystem.IsLinux())
            foreach (var line in File.ReadLines(Status))
                if (line.StartsWith(Own, StringComparison.Ordinal))
                    return long.Parse(line.AsSpan(Own.Length).Trim().TrimEnd("kB "), CultureInfo.InvariantCulture) * 1024;
        using var self = Process.GetCurrentProcess();
        return self.PrivateMemorySize64;
    }

    /// <summary>Ends it; <see cref="Peak"/> keeps what it was.</summary>
    public void Dispose()
    {
        stop.Set();
        thread.Join();
        stop.Dispose();
    }

    private void Look()
    {
        var now = Now();
        for (var known = Interlocked.Read(ref peak); now > known;)
        {
            var before = Interlocked.CompareExchange(ref peak, now, known);
            if (before == known) return;
            known = before;
        }
    }
}
