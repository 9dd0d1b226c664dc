using System.Globalization;
using EditorBridge.Media;
using EditorBridge.Planning;
using EditorBridge.Timeline;

namespace EditorBridge.Generation.Tests;

/// <summary>A job folder in temp, with moving gradients as frozen inputs.</summary>
internal sealed class TestJob : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("editorbridge-job-").FullName;

    public TestJob(JobRequest request, ModelCapabilities model)
    {
        Plan = Planner.Plan(request, model, SpeedFigures.Unknown);
        Assert.Empty(Plan.Refusals);
        Folder = new JobFolder(Path.Combine(root, "job"));
        Folder.WritePlan(Plan);
        Freeze(JobFolder.Before, Plan.Before, 40);
        Freeze(JobFolder.After, Plan.After, 160);
        foreach (var input in Plan.Inputs) Freeze(input.Name, input.Read, input.Read.Path == "bright.mov" ? 180 : 90);
    }

    public Plan Plan { get; }

    public JobFolder Folder { get; }

    public static JobRequest Request(JobKind kind, int frames, FrameRate? rate = null, int k = 5) => new()
    {
        Kind = kind,
        Prompt = "snow falls on a quiet city at night",
        Delivery = new Delivery { Width = 96, Height = 48, Rate = rate ?? FrameRate.F24, Frames = frames },
        Before = kind is JobKind.ExtendTail or JobKind.Fill ? new ContextSource { Path = "a.mov", Rate = rate ?? FrameRate.F24, Frames = new FrameRange(0, 50) } : null,
        After = kind is JobKind.ExtendHead or JobKind.Fill ? new ContextSource { Path = "b.mov", Rate = rate ?? FrameRate.F24, Frames = new FrameRange(0, 50) } : null,
        ContextFrames = k,
        Seed = 5,
    };

    public TakeResult Run(LoadedModel model, IClipWriter writer, ITakeObserver? observer = null, TakeOptions? options = null, CancellationToken cancellation = default) =>
        TakeRun.Run(Folder, Folder.ReadPlan(), 1, model, _ => writer, observer ?? new SilentObserver(), options ?? new TakeOptions { Threads = 1 }, cancellation);

    /// <summary>A frozen frame.</summary>
    public ushort[] Real(string name, Index index)
    {
        Assert.True(FrozenFrames.Open(Folder.Inputs, name).TryGet(out var reader, out var refusal), refusal?.Message);
        using (reader)
        using (var frame = reader.Read(index.GetOffset(reader.Info.Count)))
            return frame.Pixels.ToArray();
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    private void Freeze(string name, ContextRead? read, int shade)
    {
        if (read is null) return;
        var info = new FrozenFramesInfo { Width = 0, Height = 0, Count = 0, Rate = FrameRate.F24, ReadAs = ColourTags.Bt709 };
        var outcome = FrozenFrames.WriteAsync(Folder.Inputs, name, info, Frames(read, shade)).GetAwaiter().GetResult();
        Assert.True(outcome.TryGet(out _, out var refusal), refusal?.Message);
    }

    // A path such as "96x48" tells the size; a mask is white in its right half.
    private static async IAsyncEnumerable<VideoFrame> Frames(ContextRead read, int shade)
    {
        var (width, height) = read.Path == "mask" ? (96, 48) : read.Path.Split('x') is [var w, var h] && int.TryParse(w, CultureInfo.InvariantCulture, out var wide) && int.TryParse(h, CultureInfo.InvariantCulture, out var high) ? (wide, high) : (192, 96);
        for (var i = 0; i < read.Frames.Count; i++)
        {
            await Task.Yield();
            var frame = VideoFrame.Rent(width, height);
            var pixels = frame.Pixels;
            for (var y = 0; y < height; y++)
                for (var x = 0; x < width; x++)
                    for (var c = 0; c < 3; c++)
                        pixels[(y * width + x) * 3 + c] = read.Path == "mask" ? x < width / 2 ? (ushort)0 : ushort.MaxValue : (ushort)(257 * (shade + (x + 3 * i + y * (c + 1)) % 64));
            yield return frame;
        }
    }
}

/// <summary>Keeps the delivered pictures.</summary>
internal sealed class KeptFrames : IClipWriter
{
    public List<ushort[]> Frames { get; } = [];

    public (int Width, int Height) Size { get; private set; }

    public string Write(IEnumerable<VideoFrame> frames, IReadOnlyList<SeamReport> seams)
    {
        Frames.Clear();
        foreach (var frame in frames)
        {
            using (frame)
            {
                Size = (frame.Width, frame.Height);
                Frames.Add(frame.Pixels.ToArray());
            }
        }

        return Frames.Count.ToString(CultureInfo.InvariantCulture);
    }
}

/// <summary>Remembers what it hears, and may stop a take the hard way.</summary>
internal sealed class Listener : ITakeObserver
{
    public List<TakeProgress> Heard { get; } = [];

    public List<TakePreview> Previews { get; } = [];

    public Func<TakeProgress, bool>? StopAt { get; init; }

    public Action<TakeProgress>? On { get; init; }

    public void Progress(TakeProgress progress)
    {
        Heard.Add(progress);
        On?.Invoke(progress);
        if (StopAt?.Invoke(progress) == true) throw new KilledException();
    }

    public void Preview(TakePreview preview) => Previews.Add(preview);
}

internal sealed class KilledException : Exception;
