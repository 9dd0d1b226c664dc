using System.Collections.Concurrent;
using EditorBridge.Client;
using EditorBridge.Protocol.V1;
using Microsoft.Win32.SafeHandles;

namespace EditorBridge.Native.OpenFx;

/// <summary>
/// A file of frames that the host reads where it lies, which is far quicker than sending them. It goes when the job has taken what it needs out of it; what an editor that was closed
/// meanwhile left behind goes later. Nothing here waits for the disk: a thread of its own makes and writes the file, whose first bytes, without which it is no movie, come last.
/// </summary>
internal sealed class Handover
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(7);

    private readonly string _folder = System.IO.Path.Combine(DataFolder.Default(), "handover");
    private readonly RowBuffers _buffers;
    private readonly BlockingCollection<Piece> _waiting = [];
    private readonly CancellationTokenSource _withdrawn = new();
    private readonly TaskCompletionSource _written = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RawMovie _layout;

    /// <summary>Begins a file, which only the user can read.</summary>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="bits">Of a value, 8 or 16.</param>
    /// <param name="buffers">Take back what was written.</param>
    public Handover(int width, int height, int bits, RowBuffers buffers)
    {
        _buffers = buffers;
        _layout = new RawMovie { Width = width, Height = height, Bits = bits, Frames = 1, RateNumerator = 1, RateDenominator = 1 };
        FrameBytes = _layout.FrameBytes;
        Path = System.IO.Path.Combine(_folder, $"{Guid.NewGuid():N}.mov");
        new Thread(Write) { IsBackground = true, Name = "Frames" }.Start();
    }

    /// <summary>Full path of the file.</summary>
    public string Path { get; }

    /// <summary>Bytes of a frame.</summary>
    public int FrameBytes { get; }

    /// <summary>Ends well when the whole file is there; with what went wrong when it will not be.</summary>
    public Task Written => _written.Task;

    /// <summary>Adds rows, which must not be touched afterwards.</summary>
    /// <param name="frame">Number of their frame in the file.</param>
    /// <param name="offset">Bytes of that frame that come before them.</param>
    /// <param name="rows">A piece of the buffers, to which it goes back: R, G, B; of two bytes the higher one first.</param>
    /// <param name="length">Bytes of it.</param>
    /// <param name="isKept">Whether the piece stays with the caller.</param>
    public void Add(int frame, int offset, byte[] rows, int length, bool isKept) =>
        _waiting.Add(new Piece(rows, length, RawMovie.HeaderBytes + (long)FrameBytes * frame + offset, isKept));

    /// <summary>Says what the file is; nothing is added afterwards.</summary>
    /// <param name="count">The first so many frames, in the order they were added, belong to it.</param>
    /// <param name="rate">Of the frames.</param>
    /// <param name="isBackwards">Whether the frame that was added last is the first in time.</param>
    public void Complete(int count, FrameRate rate, bool isBackwards)
    {
        ArgumentNullException.ThrowIfNull(rate);
        _layout = _layout with { Frames = count, RateNumerator = (int)rate.Numerator, RateDenominator = (int)rate.Denominator, IsBackwards = isBackwards };
        _waiting.CompleteAdding();
    }

    /// <summary>Takes the file away, also one that is still being written.</summary>
    /// <returns>Ends, always well, when it is gone, or will go another time.</returns>
    public Task WithdrawAsync()
    {
        _withdrawn.Cancel();
        _waiting.CompleteAdding();
        return Written.ContinueWith(static (_, path) => Remove((string)path!), Path, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    private void Write()
    {
        try
        {
            using (var file = Create())
            {
                foreach (var piece in _waiting.GetConsumingEnumerable(_withdrawn.Token))
                {
                    try
                    {
                        RandomAccess.Write(file, piece.Rows.AsSpan(0, piece.Length), piece.Offset);
                    }
                    finally
                    {
                        GiveBack(piece);
                    }
                }

                _withdrawn.Token.ThrowIfCancellationRequested();
                var end = RawMovie.HeaderBytes + (long)FrameBytes * _layout.Frames;
                RandomAccess.SetLength(file, end);
                RandomAccess.Write(file, _layout.Trailer(), end);
                RandomAccess.Write(file, _layout.Header(), 0);
            }

            _written.SetResult();
        }
        catch (Exception error)
        {
            Remove(Path);
            _written.SetException(error);
            // Nobody waits for room that will not come.
            foreach (var piece in _waiting.GetConsumingEnumerable()) GiveBack(piece);
        }
    }

    private SafeFileHandle Create()
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(_folder);
        else Directory.CreateDirectory(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var limit = TimeProvider.System.GetUtcNow().UtcDateTime - LongestWait;
        foreach (var old in new DirectoryInfo(_folder).EnumerateFiles("*.mov").Where(file => file.LastWriteTimeUtc < limit)) Remove(old.FullName);
        return File.OpenHandle(Path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
    }

    private void GiveBack(Piece piece)
    {
        if (piece.IsKept) _buffers.Replace();
        else _buffers.Return(piece.Rows);
    }

    private static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The host still reads it; it goes another time.
        }
    }

    private readonly record struct Piece(byte[] Rows, int Length, long Offset, bool IsKept);
}
