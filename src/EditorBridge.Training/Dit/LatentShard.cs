using System.Globalization;
using System.Text.Json;
using EditorBridge.Diffusion.Native;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Safetensors;
using EditorBridge.Training.Scenes;
using static TorchSharp.torch;

namespace EditorBridge.Training.Dit;

/// <summary>
/// Encoded clips of one size and length. Of each: the main sequence M, the context before as a codec left it, and the context
/// after, encoded alone with an empty cache. The VAE is causal, so prefixes of the contexts are shorter contexts, and the clean context
/// before is a prefix of M.
/// </summary>
public sealed class LatentShard
{
    private LatentShard(Tensor main, Tensor before, Tensor after, IReadOnlyList<Scene> scenes, int frames, int width, int height) =>
        (Main, Before, After, Scenes, Frames, Width, Height) = (main, before, after, scenes, frames, width, height);

    /// <summary>[n, 48, 1+⌈(P−1)/4⌉, h, w], fp16.</summary>
    public Tensor Main { get; }

    /// <summary>First 9 frames after H.264, encoded alone: [n, 48, 3, h, w], fp16.</summary>
    public Tensor Before { get; }

    /// <summary>The 9 frames from P on, half of the clips after H.264, encoded alone: [n, 48, 3, h, w], fp16.</summary>
    public Tensor After { get; }

    /// <summary>What the clips show.</summary>
    public IReadOnlyList<Scene> Scenes { get; }

    /// <summary>P: frames in front of the context after.</summary>
    public int Frames { get; }

    /// <summary>Pixels across.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Latents of the main sequence for P frames.</summary>
    public static int MainLatents(int frames) => (frames + 2) / 4 + 1;

    /// <summary>The first frames of clips of one size, each a clip of its own: the first latent holds one frame.</summary>
    public static LatentShard Pictures(IReadOnlyList<LatentShard> clips)
    {
        using var scope = NewDisposeScope();
        Tensor Joined(Func<LatentShard, Tensor> part) => cat(clips.Select(part).ToList()).MoveToOuterDisposeScope().DetachFromDisposeScope();
        return new LatentShard(
            Joined(c => c.Main.narrow(2, 0, 1)), Joined(c => c.Before.narrow(2, 0, 0)), Joined(c => c.After.narrow(2, 0, 0)), [.. clips.SelectMany(c => c.Scenes)], 1, clips[0].Width, clips[0].Height);
    }

    /// <summary>Renders and encodes a shard and writes it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="encode">Clips [B, 3, 4n+1, H, W] to latents [B, 48, n+1, h, w].</param>
    /// <param name="encodeContext">The same for the contexts.</param>
    /// <param name="random">Decides the scenes.</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Rows.</param>
    /// <param name="frames">Frames in front of the context after.</param>
    /// <param name="count">Clips.</param>
    public static void Make(string path, Func<Tensor, Tensor> encode, Func<Tensor, Tensor> encodeContext, SeededRandom random, int width, int height, int frames, int count)
    {
        using var scope = NewDisposeScope();
        const int Context = SketchSizes.ContextFrames;
        int mainFrames = 4 * (MainLatents(frames) - 1) + 1, rendered = Math.Max(mainFrames, frames + Context), plane = width * height;
        List<Scene> scenes = [];
        List<float[]> heads = [], tails = [];
        List<float[]> mains = [];
        for (int i = 0; i < count; i++)
        {
            var scene = Scene.Sample(random);
            double length = rendered / 24.0;
            double start = -length / 2 + random.Between(-0.7, 0.7);
            var clip = SceneRenderer.RenderClip(scene, width, height, rendered, start);
            scenes.Add(scene);
            heads.Add(Cut(clip, rendered, plane, 0, Context));
            tails.Add(Cut(clip, rendered, plane, frames, Context));
            mains.Add(Cut(clip, rendered, plane, 0, mainFrames));
        }

        heads = [.. ContextCodec.Pass(heads, Context, height, width, 16 + random.Next(14))];
        var coded = ContextCodec.Pass(tails, Context, height, width, 16 + random.Next(14));
        tails = [.. tails.Select((tail, i) => i % 2 == 0 ? coded[i] : tail)];
        new LatentShard(
            Encode(encode, mains, mainFrames, height, width), Encode(encodeContext, heads, Context, height, width), Encode(encodeContext, tails, Context, height, width),
            scenes, frames, width, height).Write(path);
    }

    /// <summary>Renders and encodes single frames, without contexts, and writes them: a scene for a tenth of what a clip takes.</summary>
    /// <param name="path">The file.</param>
    /// <param name="encode">Frames [B, 3, 1, H, W] to latents [B, 48, 1, h, w].</param>
    /// <param name="random">Decides the scenes.</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Rows.</param>
    /// <param name="count">Frames.</param>
    public static void MakePictures(string path, Func<Tensor, Tensor> encode, SeededRandom random, int width, int height, int count)
    {
        using var scope = NewDisposeScope();
        Scene[] scenes = [.. Enumerable.Range(0, count).Select(_ => Scene.Sample(random))];
        var frames = scenes.Select(scene => SceneRenderer.RenderClip(scene, width, height, 1, random.Between(-1.5, 1.5))).ToList();
        var none = zeros([count, SketchSizes.Transformer.InChannels, 0, height / 16, width / 16], float16);
        new LatentShard(Encode(encode, frames, 1, height, width), none, none, scenes, 1, width, height).Write(path);
    }

    /// <summary>Whether the shard has single frames without contexts.</summary>
    public bool HasPicturesAlone => Before.size(2) == 0;

    /// <summary>Writes the shard.</summary>
    public void Write(string path) => WeightSaver.Save(
        new Dictionary<string, Tensor> { ["main"] = Main, ["before"] = Before, ["after"] = After }, path, null,
        new Dictionary<string, string>
        {
            ["scenes"] = JsonSerializer.Serialize(Scenes), ["frames"] = $"{Frames}", ["width"] = $"{Width}", ["height"] = $"{Height}",
        });

    /// <summary>Reads a shard into memory.</summary>
    public static LatentShard Read(string path)
    {
        using var file = SafetensorsFile.Open(path).OrThrow();
        Tensor Get(string name) => MappedTensors.View(file.Tensors[name]).clone().DetachFromDisposeScope();
        int Number(string name) => int.Parse(file.Header.Metadata[name], CultureInfo.InvariantCulture);
        return new LatentShard(Get("main"), Get("before"), Get("after"), JsonSerializer.Deserialize<List<Scene>>(file.Header.Metadata["scenes"])!,
            Number("frames"), Number("width"), Number("height"));
    }

    // Several clips at a time, which is faster.
    private static Tensor Encode(Func<Tensor, Tensor> encode, List<float[]> clips, int frames, int height, int width)
    {
        int together = Math.Max(1, 600_000 / (frames * height * width));
        List<Tensor> latents = [];
        foreach (float[][] group in clips.Chunk(together))
        {
            using var noGrad = no_grad();
            using var inner = NewDisposeScope();
            var video = stack(group.Select(clip => tensor(clip, [3, frames, height, width])).ToArray());
            using var pause = CollectorPause.Begin();
            latents.Add(encode(video).to(float16).MoveToOuterDisposeScope());
        }

        return cat(latents);
    }

    // [3, F, H, W] to [3, count, H, W].
    private static float[] Cut(float[] clip, int frames, int plane, int first, int count)
    {
        if (first == 0 && count == frames)
        {
            return clip;
        }

        var part = new float[3 * count * plane];
        for (int c = 0; c < 3; c++)
        {
            Array.Copy(clip, (c * frames + first) * plane, part, c * count * plane, count * plane);
        }

        return part;
    }
}
