using EditorBridge.Diffusion.Conditioning;
using EditorBridge.Diffusion.Samplers;
using EditorBridge.Diffusion.Text;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Training.Scenes;
using static TorchSharp.torch;

namespace EditorBridge.Training.Dit;

/// <summary>All networks of a model folder, to sample from outside the service.</summary>
public sealed class SketchModel : IDisposable
{
    private readonly UMT5Encoder _text;
    private readonly SentencePieceTokenizer _tokenizer;

    /// <summary>Reads a Diffusers folder.</summary>
    public SketchModel(string folder)
    {
        Transformer = SketchFolder.LoadTransformer(folder);
        _text = SketchFolder.LoadText(folder);
        Vae = WanVideoVae.Load(Path.Combine(folder, "vae"));
        _tokenizer = SentencePieceTokenizer.Load(Path.Combine(folder, "tokenizer", "spiece.model"));
    }

    /// <summary>The transformer.</summary>
    public WanTransformer Transformer { get; }

    /// <summary>The video autoencoder.</summary>
    public WanVideoVae Vae { get; }

    /// <summary>Solver steps.</summary>
    public int Steps { get; init; } = 20;

    /// <summary>Guidance scale.</summary>
    public double Guidance { get; init; } = 2;

    /// <summary>Shift of the schedule.</summary>
    public double Shift { get; init; } = 5;

    /// <summary>Samples latents of a layout.</summary>
    /// <returns>The main sequence [1, 48, T, h, w], in the caller's dispose scope.</returns>
    public Tensor Sample(string prompt, ConditionedLatents conditioning, int width, int height, long seed)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var context = _text.EncodeContext([_tokenizer.EncodePrompt(prompt, 64)], 64);
        var negative = _text.EncodeContext([_tokenizer.EncodePrompt("", 64)], 64);
        var noise = FlowSampling.Noise([1, 48, conditioning.Layout.MainLatents, height / 16, width / 16], seed);
        using var sampler = new UniPCSampler(FlowSchedule.WanUniPC(Steps, Shift));
        using var run = new FlowSampling(Transformer, sampler, conditioning, noise, context, negative, Guidance);
        return run.Run().clone().MoveToOuterDisposeScope();
    }

    /// <summary>Encodes a clip [3, F, H, W] with an empty cache.</summary>
    public Tensor Encode(float[] clip, int frames, int width, int height)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        return Vae.Encode(tensor(clip, [1, 3, frames, height, width])).MoveToOuterDisposeScope();
    }

    /// <summary>Decodes latents to frames [3, F, H, W].</summary>
    public float[] Decode(Tensor latents)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        return Vae.Decode(latents).contiguous().data<float>().ToArray();
    }

    /// <summary>One frame of a decoded clip as a picture.</summary>
    public static Picture Frame(float[] clip, int frame, int width, int height)
    {
        int plane = width * height, frames = clip.Length / (3 * plane);
        var picture = new Picture(width, height);
        for (int i = 0; i < plane; i++)
        {
            picture.Pixels[i] = (new System.Numerics.Vector3(clip[frame * plane + i], clip[(frames + frame) * plane + i], clip[(2 * frames + frame) * plane + i]) + System.Numerics.Vector3.One) / 2;
        }

        return picture;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Transformer.Dispose();
        _text.Dispose();
        Vae.Dispose();
    }
}
