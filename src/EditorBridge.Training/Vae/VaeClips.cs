using System.Collections.Concurrent;
using EditorBridge.Training.Scenes;

namespace EditorBridge.Training.Vae;

/// <summary>A batch of clips [B, 3, F, H, W] in [-1, 1].</summary>
internal sealed record ClipBatch(float[] Values, int Count, int Frames, int Height, int Width);

/// <summary>Renders crops for the video autoencoder on a thread of its own, a few batches ahead.</summary>
internal sealed class VaeClips : IDisposable
{
    private readonly BlockingCollection<ClipBatch> _ready = new(3);
    private readonly CancellationTokenSource _end = new();
    private readonly Thread _thread;

    public VaeClips(ulong seed)
    {
        var random = SeededRandom.For(seed, 11);
        _thread = new Thread(() =>
        {
            try
            {
                while (true)
                {
                    _ready.Add(Next(random), _end.Token);
                }
            }
            catch (OperationCanceledException)
            {
                // Disposed: nobody reads on.
            }
        })
        { IsBackground = true, Name = "Clips" };
        _thread.Start();
    }

    public ClipBatch Take() => _ready.Take();

    /// <summary>One clip: 60 % scenes, 40 % textures.</summary>
    public static float[] Clip(SeededRandom random, int frames, int height, int width)
    {
        if (random.Chance(0.4))
        {
            return TextureClip.Render(random, width, height, frames);
        }

        // The picture the crop is taken from has one of the sizes the model works at.
        var scene = Scene.Sample(random);
        int scale = random.Chance(0.7) ? 160 : random.Chance(0.5) ? 96 : 208;
        int shape = random.Next(4);
        (int fullWidth, int fullHeight) = shape switch { 0 => (scale, scale * 9 / 5), 1 => (scale * 5 / 4, scale * 5 / 4), _ => (scale * 9 / 5, scale) };
        (fullWidth, fullHeight) = (Math.Max(fullWidth, width), Math.Max(fullHeight, height));
        int left = random.Next(fullWidth - width + 1), top = random.Next(fullHeight - height + 1);
        double start = random.Between(-1.8, 1.8);
        int plane = width * height;
        var clip = new float[3 * frames * plane];
        for (int f = 0; f < frames; f++)
        {
            SceneRenderer.Render(scene, fullWidth, fullHeight, start + f / 24.0, left, top, width, height).CopyTo(clip.AsSpan(f * plane), frames * plane);
        }

        return clip;
    }

    public void Dispose()
    {
        _end.Cancel();
        _thread.Join();
        _ready.Dispose();
        _end.Dispose();
    }

    // More than half of the batches have 13 frames or more: shorter ones never reach the cache's later states.
    private static ClipBatch Next(SeededRandom random)
    {
        double choice = random.NextDouble();
        (int count, int frames, int height, int width) = choice switch
        {
            < 0.08 => (8, 1, 144, 144),
            < 0.40 => (4, 5, 96, 96),
            < 0.70 => (4, 13, 64, 64),
            < 0.90 => (2, 13, 96, 96),
            _ => (2, 17, 80, 80),
        };
        int size = 3 * frames * height * width;
        var values = new float[count * size];
        for (int i = 0; i < count; i++)
        {
            Clip(random, frames, height, width).CopyTo(values, i * size);
        }

        return new ClipBatch(values, count, frames, height, width);
    }
}
