using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace EditorBridge.Media;

/// <summary>
/// ffprobes that are started before it is known what they will be asked about. Where ffprobe is linked to hundreds of libraries, as Linux distributions build it, it
/// takes a tenth of a second to link and hardly any time to look into a file. Each of these has that behind it and waits at a full pipe, into which it writes the first
/// line of its report before it opens anything; it goes on when the pipe is emptied, with a link in place of its input. It ends with whoever started it, even if that one
/// is killed: a pipe that nobody can read ends its writer. Linux only.
/// </summary>
public sealed class ReadyProbes : IAsyncDisposable
{
    // What a new one costs is not to be in the way of those who asked.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    // Such files are told by what is in them, whatever they are called.
    private static readonly string[] Extensions = [".mp4", ".mov", ".m4v", ".mkv", ".webm", ".mxf"];

    private readonly FFmpegTools tools;
    private readonly string folder;
    private readonly int count;
    private readonly ConcurrentQueue<WaitingProbe> waiting = new();
    private readonly CancellationTokenSource over = new();
    private readonly SemaphoreSlim gate = new(1, 1);
    private volatile bool useless;

    /// <summary>None is started yet.</summary>
    /// <param name="tools">The programs.</param>
    /// <param name="folder">A folder for their pipes, for nobody else; what is in it is removed.</param>
    /// <param name="count">How many wait.</param>
    /// <exception cref="IOException">What is in the folder cannot be removed.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public ReadyProbes(FFmpegTools tools, string folder, int count)
    {
        (this.tools, this.folder, this.count) = (tools ?? throw new ArgumentNullException(nameof(tools)), folder, count);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        if (!Directory.Exists(folder)) return;
        WaitingProbe.Free(folder);
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>How many wait at present.</summary>
    public int Waiting => waiting.Count;

    /// <summary>How long ffprobe takes to start and end, asked for nothing but its version.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static async Task<TimeSpan> StartTimeAsync(FFmpegTools tools, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(tools);
        var begun = Stopwatch.GetTimestamp();
        await using var process = FFmpegProcess.Start(tools.FFprobePath, ["-version"], "its version", FFmpegProcess.DefaultStallLimit, TimeProvider.System, cancellation);
        await process.ReadTextAsync().ConfigureAwait(false);
        await process.WaitAsync().ConfigureAwait(false);
        return Stopwatch.GetElapsedTime(begun);
    }

    /// <summary>Starts as many as are missing.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task FillAsync(CancellationToken cancellation = default)
    {
        if (!OperatingSystem.IsLinux()) return;
        await gate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            while (!useless && !over.IsCancellationRequested && waiting.Count < count)
            {
                if (WaitingProbe.Start(tools, Path.Combine(folder, Guid.NewGuid().ToString("N"))) is { } probe) waiting.Enqueue(probe);
                else useless = true;
            }
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>What ffprobe says of the file; null where none waits, the file is not of a kind they are asked about, or anything goes wrong: ffprobe is then asked anew.</summary>
    /// <param name="path">The file's full path.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="OperationCanceledException">Cancelled; that ffprobe has ended.</exception>
    internal async Task<string?> TryAskAsync(string path, CancellationToken cancellation)
    {
        if (!Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase) || !waiting.TryDequeue(out var probe)) return null;
        _ = RefillAsync();
        await using (probe)
        {
            // One that has ended by itself will not wait a second time either.
            if (!probe.HasEnded) return await probe.AskAsync(path, cancellation).ConfigureAwait(false);
            useless = true;
            return null;
        }
    }

    /// <summary>Ends those that wait.</summary>
    public async ValueTask DisposeAsync()
    {
        await over.CancelAsync().ConfigureAwait(false);
        await gate.WaitAsync().ConfigureAwait(false);
        while (waiting.TryDequeue(out var probe)) await probe.DisposeAsync().ConfigureAwait(false);
        gate.Release();
    }

    private async Task RefillAsync()
    {
        try
        {
            await Task.Delay(Pause, over.Token).ConfigureAwait(false);
            await FillAsync(over.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Nobody asks any more.
        }
    }

    private sealed class WaitingProbe : IAsyncDisposable
    {
        private const string Pipe = "gate";
        private const string Input = "media";

        // As every line of ordinary importance is written, the first one is.
        private const string Report = "file=" + Pipe + ":level=32";
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

        private readonly string folder;
        private readonly FileStream pipe;
        private readonly FFmpegProcess process;
        private readonly CancellationTokenSource ending;

        private WaitingProbe(string folder, FileStream pipe, FFmpegProcess process, CancellationTokenSource ending) =>
            (this.folder, this.pipe, this.process, this.ending) = (folder, pipe, process, ending);

        public bool HasEnded => process.HasExited;

        // Null where this system has no such pipes, or no such program.
        public static WaitingProbe? Start(FFmpegTools tools, string folder)
        {
            if (OperatingSystem.IsWindows()) return null;
            FileStream? pipe = null;
            var ending = new CancellationTokenSource();
            try
            {
                Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                var path = Path.Combine(folder, Pipe);
                if (MakePipe(path, 0x180) == 0) // 0600
                {
                    // For both directions, so that there is a reader and a writer from the first moment to the last.
                    pipe = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, 0);
                    var room = Control(pipe.SafeFileHandle, GetPipeSize);
                    if (room > 0)
                    {
                        pipe.Write(new byte[room]);
                        string[] arguments = ["-hide_banner", "-v", "error", .. SafeInput.Limits(Input), .. MediaProbe.Description, SafeInput.File(Input)];
                        var process = FFmpegProcess.Start(
                            tools.FFprobePath, arguments, Input, FFmpegProcess.DefaultStallLimit, TimeProvider.System, ending.Token, folder: folder, report: Report);
                        return new WaitingProbe(folder, pipe, process, ending);
                    }
                }
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException or Win32Exception)
            {
                // Without them each file is looked into by an ffprobe of its own.
            }

            pipe?.Dispose();
            ending.Dispose();
            Remove(folder);
            return null;
        }

        // Null when it did not answer well.
        public async Task<string?> AskAsync(string path, CancellationToken cancellation)
        {
            await using var registration = cancellation.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), ending);
            ending.CancelAfter(Patience);
            var hasEnded = false;
            Task? emptied = null;
            try
            {
                File.CreateSymbolicLink(Path.Combine(folder, Input), path);
                emptied = Task.Factory.StartNew(
                    () =>
                    {
                        var report = new byte[1 << 16];
                        while (pipe.Read(report) > 0 && !Volatile.Read(ref hasEnded))
                        {
                            // What it reports it says on its other outputs too.
                        }
                    },
                    CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
                var said = await process.ReadTextAsync().ConfigureAwait(false);
                return (await process.WaitAsync().ConfigureAwait(false)).Code == 0 && said.Length > 0 ? said : null;
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                return null; // It took too long.
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return null;
            }
            finally
            {
                Volatile.Write(ref hasEnded, true);
                if (emptied is not null)
                {
                    // Wakes the reader.
                    pipe.WriteByte(0);
                    await emptied.ConfigureAwait(false);
                }
            }
        }

        // Whoever started one may have been killed before it had opened its pipe, and then it waits for a reader for ever. Seeing one for a moment, it goes on to its end.
        public static void Free(string folder)
        {
            if (OperatingSystem.IsWindows()) return;
            foreach (var path in Directory.EnumerateFiles(folder, Pipe, SearchOption.AllDirectories))
                new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, 0).Dispose();
        }

        public async ValueTask DisposeAsync()
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await pipe.DisposeAsync().ConfigureAwait(false);
            await process.DisposeAsync().ConfigureAwait(false);
            ending.Dispose();
            Remove(folder);
        }

        private static void Remove(string folder)
        {
            try
            {
                if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // Whoever starts next removes it.
            }
        }

        private const int GetPipeSize = 1032;

        [DllImport("libc", EntryPoint = "mkfifo", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static extern int MakePipe([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint mode);

        [DllImport("libc", EntryPoint = "fcntl", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static extern int Control(SafeFileHandle file, int command);
    }
}
