using System.Diagnostics;
using System.Globalization;

namespace EditorBridge.Benchmarks;

/// <summary>Watches the process's own (anonymous) memory from another thread and keeps the highest figure; mapped files are not in it.</summary>
internal sealed class ProcessMemory : IDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly Thread thread;
    private long peak;

    private ProcessMemory()
    {
        Start = peak = Anonymous();
        thread = new Thread(() =>
        {
            while (!stop.Token.WaitHandle.WaitOne(10))
                peak = Math.Max(peak, Anonymous());
        }) { IsBackground = true };
        thread.Start();
    }

    /// <summary>Bytes when watching began.</summary>
    public long Start { get; }

    public static ProcessMemory Watch() => new();

    /// <summary>Stops and gives the highest figure, in bytes.</summary>
    public long Stop()
    {
        stop.Cancel();
        thread.Join();
        return Math.Max(peak, Anonymous());
    }

    public void Dispose()
    {
        Stop();
        stop.Dispose();
    }

    /// <summary>Anonymous resident bytes; on systems without /proc the private bytes.</summary>
    public static long Anonymous()
    {
        const string Status = "/proc/self/status";
        if (!File.Exists(Status))
        {
            using var self = Process.GetCurrentProcess();
            return self.PrivateMemorySize64;
        }

        foreach (var line in File.ReadLines(Status))
            if (line.StartsWith("RssAnon:", StringComparison.Ordinal))
                return long.Parse(line.AsSpan(8, line.Length - 11).Trim(), CultureInfo.InvariantCulture) * 1024;
        return 0;
    }
}
