using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using EditorBridge.Client;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Native.OpenFx;

/// <summary>
/// A file of frames that the host reads where it lies, which is far quicker than sending them. It goes when the job has taken what it needs out of
/// it; what an editor that was closed meanwhile left behind goes later. Frames are written by a thread of their own while the next ones are fetched.
/// </summary>
internal sealed class Handover : IDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(7);

    // Beside these one is filled, one written, and the first of all is kept to compare the others with.
    private const int WaitingFrames = 2;

    private readonly RawMovie _layout;
    private readonly FileStream _file;
    private readonly BlockingCollection<byte[]> _waiting = new(WaitingFrames);
    private readonly ConcurrentBag<byte[]> _spare = [];
    private readonly Thread _writing;
    private ExceptionDispatchInfo? _failure;
    private byte[]? _first;
    private bool _isComplete;

    /// <summary>Begins a file, which only the user can read.</summary>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="bits">Of a value, 8 or 16.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public Handover(int width, int height, int bits)
    {
        var folder = System.IO.Path.Combine(DataFolder.Default(), "handover");
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var limit = TimeProvider.System.GetUtcNow().UtcDateTime - LongestWait;
        foreach (var old in new DirectoryInfo(folder).EnumerateFiles("*.mov").Where(file => file.LastWriteTimeUtc < limit)) Remove(old.FullName);
        _layout = new RawMovie { Width = width, Height = height, Bits = bits, Frames = 1, RateNumerator = 1, RateDenominator = 1 };
        Path = System.IO.Path.Combine(folder, $"{Guid.NewGuid():N}.mov");
        _file = new FileStream(Path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0);
        _writing = new Thread(Write) { IsBackground = true, Name = "Frames" };
        _writing.Start();
    }

    /// <summary>Full path of the file.</summary>
    public string Path { get; }

    public int Bits => _layout.Bits;

    /// <summary>Frames added so far.</summary>
    public int Count { get; private set; }

    /// <summary>Whether all frames so far are the same.</summary>
    public bool IsOneFrameOnly { get; private set; } = true;

    /// <summary>Room for a frame: rows from the top, R, G, B; of two bytes the higher one first.</summary>
    public byte[] NextFrame() => _spare.TryTake(out var used) ? used : GC.AllocateUninitializedArray<byte>(_layout.FrameBytes);

    /// <summary>Adds a frame, whose bytes must not be touched afterwards. Waits while the writing is behind.</summary>
    /// <param name="frame">From <see cref="NextFrame"/>.</param>
    /// <returns>False when writing has failed, so that more frames are of no use; <see cref="Complete"/> says why.</returns>
    public bool Add(byte[] frame)
    {
        if (_first is null) _first = frame;
        else IsOneFrameOnly = IsOneFrameOnly && frame.AsSpan().SequenceEqual(_first);
        Count++;
        try
        {
            _waiting.Add(frame);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Ends the file, which stays from then on.</summary>
    /// <param name="count">The first so many frames, in the order they were added, belong to it.</param>
    /// <param name="rate">Of the frames.</param>
    /// <param name="isBackwards">Whether the frame that was added last is the first in time.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Complete(int count, FrameRate rate, bool isBackwards)
    {
        ArgumentNullException.ThrowIfNull(rate);
        _waiting.CompleteAdding();
        _writing.Join();
        _failure?.Throw();
        var layout = _layout with { Frames = count, RateNumerator = (int)rate.Numerator, RateDenominator = (int)rate.Denominator, IsBackwards = isBackwards };
        _file.SetLength(RawMovie.HeaderBytes + (long)layout.FrameBytes * count);
        _file.Position = _file.Length;
        _file.Write(layout.Trailer());
        _file.Position = 0;
        _file.Write(layout.Header());
        _file.Dispose();
        _isComplete = true;
    }

    /// <summary>Takes a file that was not completed away.</summary>
    public void Dispose()
    {
        if (!_waiting.IsAddingCompleted) _waiting.CompleteAdding();
        _writing.Join();
        _file.Dispose();
        _waiting.Dispose();
        if (!_isComplete) Remove(Path);
    }

    /// <summary>Deletes a file that was handed over.</summary>
    public static void Remove(string path)
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

    private void Write()
    {
        try
        {
            _file.Position = RawMovie.HeaderBytes;
            foreach (var frame in _waiting.GetConsumingEnumerable())
            {
                _file.Write(frame);
                if (frame != _first) _spare.Add(frame);
            }
        }
        catch (Exception error)
        {
            // Nobody waits for room that will not come.
            _failure = ExceptionDispatchInfo.Capture(error);
            _waiting.CompleteAdding();
        }
    }
}
