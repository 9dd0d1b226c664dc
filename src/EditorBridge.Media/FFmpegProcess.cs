using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace EditorBridge.Media;

/// <summary>How an ffmpeg ended.</summary>
/// <param name="Code">The exit code; 128 + n when signal n ended it.</param>
/// <param name="Stalled">It was ended because nothing moved for longer than the limit.</param>
/// <param name="LastLine">The last error line it wrote, or null.</param>
internal sealed record FFmpegExit(int Code, bool Stalled, string? LastLine)
{
    /// <summary>What went wrong, to be put into a sentence.</summary>
    public string Explanation =>
        Stalled ? "it stopped making progress and was ended"
        : LastLine is not null ? LastLine
        : Code > 128 ? $"it was ended by signal {Code - 128}"
        : $"exit code {Code}";
}

/// <summary>
/// One ffmpeg or ffprobe: arguments as a list and never a shell, the last 50 lines of stderr kept, ended when cancelled
/// (politely first, then with its children) or when a read or a write makes no progress.
/// </summary>
internal sealed class FFmpegProcess : IAsyncDisposable, IDisposable
{
    public static readonly TimeSpan DefaultStallLimit = TimeSpan.FromSeconds(60);
    private const int KeptLines = 50;
    private const int Sigterm = 15;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly Process process;
    private readonly TimeSpan stallLimit;
    private readonly ITimer stallTimer;
    private readonly ITimer killTimer;
    private readonly CancellationTokenRegistration registration;
    private readonly CancellationToken cancellation;
    private readonly Queue<string> lines = new();
    private readonly Task stderrDrained;
    private readonly Func<string, bool>? lineTaker;
    private volatile bool stalled;
    private int stopping;
    private int disposed;

    private FFmpegProcess(
        Process process, string subject, TimeSpan stallLimit, TimeProvider time, Func<string, bool>? lineTaker, CancellationToken cancellation)
    {
        this.process = process;
        this.stallLimit = stallLimit;
        this.lineTaker = lineTaker;
        this.cancellation = cancellation;
        Subject = subject;
        stallTimer = time.CreateTimer(_ => OnStall(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        killTimer = TimeProvider.System.CreateTimer(_ => Kill(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        stderrDrained = DrainErrorsAsync();
        registration = cancellation.UnsafeRegister(static state => ((FFmpegProcess)state!).Stop(), this);
    }

    /// <summary>What the process works on, for messages.</summary>
    public string Subject { get; }

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    public Stream StandardInput => process.StandardInput.BaseStream;

    public Stream StandardOutput => process.StandardOutput.BaseStream;

    /// <summary>Starts a program.</summary>
    /// <param name="program">Full path.</param>
    /// <param name="arguments">Each one argument, passed as it is.</param>
    /// <param name="subject">What it works on, for messages.</param>
    /// <param name="stallLimit">How long a single read or write may take.</param>
    /// <param name="time">The clock of the stall watch.</param>
    /// <param name="cancellation">Ends the program.</param>
    /// <param name="lineTaker">Sees every stderr line first; true keeps the line out of the ring.</param>
    /// <param name="folder">The folder it runs in; the service's when null.</param>
    /// <param name="report">Where and how it writes a report, as its FFREPORT has it; null for none.</param>
    /// <exception cref="System.ComponentModel.Win32Exception">The program cannot be started.</exception>
    public static FFmpegProcess Start(
        string program, IEnumerable<string> arguments, string subject, TimeSpan stallLimit, TimeProvider time,
        CancellationToken cancellation, Func<string, bool>? lineTaker = null, string? folder = null, string? report = null)
    {
        cancellation.ThrowIfCancellationRequested();
        var start = new ProcessStartInfo(program)
        {
            UseShellExecute = false,
            CreateNoWindow = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardErrorEncoding = Encoding.UTF8,
            StandardOutputEncoding = Encoding.UTF8,
        };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        // ffmpeg writes a report file where this is set, into the folder the service runs in.
        start.Environment.Remove("FFREPORT");
        if (report is not null) start.Environment["FFREPORT"] = report;
        if (folder is not null) start.WorkingDirectory = folder;
        var process = new Process { StartInfo = start };
        try
        {
            process.Start();
        }
        catch
        {
            process.Dispose();
            throw;
        }

        return new FFmpegProcess(process, subject, stallLimit, time, lineTaker, cancellation);
    }

    /// <summary>Reads until the buffer is full or the output ends; the stall watch runs meanwhile.</summary>
    /// <returns>The number of bytes read.</returns>
    public async ValueTask<int> ReadFullyAsync(Memory<byte> target)
    {
        var done = 0;
        while (done < target.Length)
        {
            Watch();
            int read;
            try
            {
                // No token: a cancel ends the process, which ends the read, so that nobody writes into the buffer afterwards.
                read = await StandardOutput.ReadAsync(target[done..], CancellationToken.None).ConfigureAwait(false);
            }
            finally
            {
                Unwatch();
            }

            cancellation.ThrowIfCancellationRequested();
            if (read == 0) break;
            done += read;
        }

        return done;
    }

    /// <summary>All of the output, as text.</summary>
    public async Task<string> ReadTextAsync()
    {
        var text = new StringBuilder();
        await foreach (var line in ReadLinesAsync().ConfigureAwait(false)) text.Append(line).Append('\n');
        return text.ToString();
    }

    /// <summary>The output line by line; the stall watch runs meanwhile.</summary>
    public async IAsyncEnumerable<string> ReadLinesAsync()
    {
        while (true)
        {
            Watch();
            string? line;
            try
            {
                line = await process.StandardOutput.ReadLineAsync(CancellationToken.None).ConfigureAwait(false);
            }
            finally
            {
                Unwatch();
            }

            cancellation.ThrowIfCancellationRequested();
            if (line is null) yield break;
            yield return line;
        }
    }

    /// <summary>Writes all of it; the stall watch runs meanwhile.</summary>
    /// <exception cref="IOException">ffmpeg has gone: <see cref="WaitAsync"/> says why.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        Watch();
        try
        {
            StandardInput.Write(bytes);
        }
        catch (IOException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw;
        }
        finally
        {
            Unwatch();
        }
    }

    /// <summary>Writes all of it; the stall watch runs meanwhile.</summary>
    /// <exception cref="IOException">ffmpeg has gone: <see cref="WaitAsync"/> says why.</exception>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        Watch();
        try
        {
            await StandardInput.WriteAsync(bytes, CancellationToken.None).ConfigureAwait(false);
        }
        catch (IOException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw;
        }
        finally
        {
            Unwatch();
        }
    }

    /// <summary>Waits for the end; the stall watch runs meanwhile.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled; the process has ended.</exception>
    public async Task<FFmpegExit> WaitAsync()
    {
        Watch();
        try
        {
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            Unwatch();
        }

        await stderrDrained.ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        lock (lines) return new FFmpegExit(process.ExitCode, stalled, LastTellingLine());
    }

    /// <summary>Something moved: the stall watch starts again.</summary>
    public void Touch() => Watch();

    /// <summary>Asks the process to end, and ends it with its children a second later.</summary>
    public void Stop()
    {
        if (Interlocked.Exchange(ref stopping, 1) != 0) return;
        try
        {
            if (process.HasExited) return;
            if (OperatingSystem.IsWindows())
            {
                Kill();
                return;
            }

            _ = SendSignal(process.Id, Sigterm);
            killTimer.Change(Grace, Timeout.InfiniteTimeSpan);
        }
        catch (Exception error) when (error is InvalidOperationException or ObjectDisposedException)
        {
            // It ended by itself in between.
        }
    }

    /// <summary>Ends the process if it still runs, and waits until it is gone.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0) return;
        await registration.DisposeAsync().ConfigureAwait(false);
        await stallTimer.DisposeAsync().ConfigureAwait(false);
        if (!process.HasExited)
        {
            Stop();
            CloseStreams();
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        }

        await killTimer.DisposeAsync().ConfigureAwait(false);
        await stderrDrained.ConfigureAwait(false);
        process.Dispose();
    }

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0) return;
        registration.Dispose();
        stallTimer.Dispose();
        if (!process.HasExited)
        {
            Stop();
            CloseStreams();
            process.WaitForExit();
        }

        killTimer.Dispose();
        process.Dispose();
    }

    // A process that blocks in a write to us wakes when our end is closed.
    private void CloseStreams()
    {
        try
        {
            StandardOutput.Dispose();
            StandardInput.Dispose();
        }
        catch (IOException)
        {
            // Closing flushes; there is nobody left to read it.
        }
    }

    private void Watch() => stallTimer.Change(stallLimit, Timeout.InfiniteTimeSpan);

    private void Unwatch() => stallTimer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    private void OnStall()
    {
        stalled = true;
        // It did not move, so it would not answer a polite signal either.
        Kill();
    }

    private void Kill()
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception error) when (error is InvalidOperationException or System.ComponentModel.Win32Exception or ObjectDisposedException or AggregateException)
        {
            // It has gone already.
        }
    }

    private async Task DrainErrorsAsync()
    {
        try
        {
            while (await process.StandardError.ReadLineAsync(CancellationToken.None).ConfigureAwait(false) is { } line)
            {
                if (lineTaker?.Invoke(line) == true) continue;
                lock (lines)
                {
                    lines.Enqueue(line);
                    if (lines.Count > KeptLines) lines.Dequeue();
                }
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The pipe went with the process.
        }
    }

    // The general complaint at the end says less than the line before it.
    private string? LastTellingLine()
    {
        var telling = lines.Select(Strip).Where(line => line.Length > 0).ToArray();
        // What it says after that, "Invalid argument", tells nobody that the file is a sound or a playlist.
        if (Array.Exists(telling, line => line.StartsWith("Format not on whitelist", StringComparison.Ordinal))) return "it is no movie or picture of a kind that is read here";
        return telling.LastOrDefault(line => !line.StartsWith("Conversion failed", StringComparison.Ordinal)
            && !line.StartsWith("Error while ", StringComparison.Ordinal)) ?? telling.LastOrDefault();
    }

    // "[mov,mp4 @ 0x55…] [error] moov atom not found" → "moov atom not found".
    private static string Strip(string line)
    {
        var text = line.Trim();
        while (text.StartsWith('[') && text.IndexOf(']', StringComparison.Ordinal) is > 0 and var end) text = text[(end + 1)..].TrimStart();
        return text;
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int process, int signal);
}
