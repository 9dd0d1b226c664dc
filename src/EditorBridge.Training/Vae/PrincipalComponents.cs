using System.Globalization;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Safetensors;
using static TorchSharp.torch;

namespace EditorBridge.Training.Vae;

/// <summary>
/// What a latent holds: the principal components of its own block of pixels (4 frames, or the first frame four times; 16x16; RGB) over
/// the training data. The best linear code there is; encoder and decoder are trained towards it and may only gain on it. Left to
/// itself an encoder this small ends 4 dB below, with most of its variance in brightness and a third of its channels idle.
/// Component i has variance λ^power, all together unit variance: power 0 makes them alike, 1 is as in pixels.
/// </summary>
internal sealed class PrincipalComponents : IDisposable
{
    private const int Time = 4, Side = 16, Block = 3 * Time * Side * Side;

    private readonly Tensor _kernel; // [z, 3, 4, 16, 16]
    private readonly Tensor _bias; // [z]

    private PrincipalComponents(Tensor kernel, Tensor bias, Tensor weight) => (_kernel, _bias, Weight) = (kernel, bias, weight);

    /// <summary>
    /// The file of the components in the shipped model's latents. Measured anew they would be others: signs are free, and components
    /// of nearly equal variance turn with the last bits.
    /// </summary>
    public static string Shipped { get; } = Path.Combine(AppContext.BaseDirectory, "components.safetensors");

    /// <summary>What an error of one in a component costs in squared pixels, its mean over the components 1: [1, z, 1, 1, 1].</summary>
    public Tensor Weight { get; }

    /// <summary>Reads a file, or measures training clips and writes it when it is not there.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <param name="channels">z.</param>
    /// <param name="log">Told how much the components keep.</param>
    /// <param name="clips">Clips to measure.</param>
    public static PrincipalComponents At(string path, int channels, Action<string> log, int clips = 800)
    {
        if (!File.Exists(path))
        {
            Measure(path, channels, clips, log);
        }

        using var file = SafetensorsFile.Open(path).OrThrow();
        Tensor Get(string name) => MappedTensors.View(file.Tensors[name]).clone().DetachFromDisposeScope();
        return new PrincipalComponents(Get("kernel"), Get("bias"), Get("weight"));
    }

    /// <summary>The components of a clip [B, 3, 4n+1, H, W] in [-1, 1]: [B, z, n+1, H/16, W/16].</summary>
    public Tensor Of(Tensor video)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var first = video.narrow(2, 0, 1).expand(-1, -1, Time - 1, -1, -1);
        var blocks = Blocks(cat([first, video], 2).to(float32)); // [B*n*h*w, 3072]
        var values = nn.functional.linear(blocks, _kernel.to(video.device).flatten(1), _bias.to(video.device)); // [B*n*h*w, z]
        return values.view(video.size(0), (video.size(2) + 3) / Time, video.size(3) / Side, video.size(4) / Side, -1).permute(0, 4, 1, 2, 3).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>What the components keep of blocks of four frames [B, 3, 4, H, W] in [-1, 1], or of single frames [B, 3, 1, H, W] that each stand for a first one: the same shape.</summary>
    public Tensor Kept(Tensor frames)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        long b = frames.size(0), h = frames.size(3) / Side, w = frames.size(4) / Side;
        var kernel = _kernel.flatten(1); // [z, 3072]
        var back = kernel / (kernel * kernel).sum(1, keepdim: true);
        var kept = Blocks(frames.expand(-1, -1, Time, -1, -1)).mm(kernel.t()).mm(back) // [B*h*w, 3072]
            .view(b, h, w, 3, Time, Side, Side).permute(0, 3, 4, 1, 5, 2, 6).reshape(b, 3, Time, Side * h, Side * w);
        return (frames.size(2) == 1 ? kept.mean([2], keepdim: true) : kept).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _kernel.Dispose();
        _bias.Dispose();
        Weight.Dispose();
    }

    private static void Measure(string path, int channels, int clips, Action<string> log)
    {
        const int Frames = 5, Height = 96, Width = 160;
        const double Power = 0.4;
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var random = SeededRandom.For(1, 22);
        Tensor products = zeros(Block, Block), sum = zeros(Block);
        long count = 0;
        for (int i = 0; i < clips; i++)
        {
            using var inner = NewDisposeScope();
            var clip = tensor(VaeClips.Clip(random, Frames, Height, Width), [1, 3, Frames, Height, Width]);
            // A quarter of the blocks are first frames, which have no motion.
            var blocks = Blocks(i % 4 == 0 ? clip.narrow(2, 0, 1).expand(-1, -1, Time, -1, -1) : clip.narrow(2, 1, Time));
            products.add_(blocks.t().mm(blocks));
            sum.add_(blocks.sum([0]));
            count += blocks.size(0);
        }

        var mean = (sum / (double)count).to(float64);
        var (variances, axes) = linalg.eigh(products.to(float64) / (double)count - outer(mean, mean)); // ascending; axes in columns
        var kept = variances.narrow(0, Block - channels, channels).flip(0); // [z]
        var kernel = axes.narrow(1, Block - channels, channels).flip(1).t(); // [z, 3072]
        double lost = (variances.sum() - kept.sum()).item<double>() / Block;
        log(string.Create(CultureInfo.InvariantCulture, $"{channels} components of {Block}: {10 * Math.Log10(4 / lost):F2} dB over {count} blocks"));
        var spread = kept.pow(Power / 2);
        var gain = spread / spread.square().mean().sqrt() / kept.sqrt(); // [z]
        kernel = kernel * gain.unsqueeze(1);
        var weight = gain.pow(-2);
        WeightSaver.Save(
            new Dictionary<string, Tensor>
            {
                ["kernel"] = kernel.view(channels, 3, Time, Side, Side), ["bias"] = -kernel.mv(mean), ["weight"] = (weight / weight.mean()).view(1, channels, 1, 1, 1),
            },
            path, float32);
    }

    // [B, 3, 4n, H, W] to [B*n*h*w, 3072].
    private static Tensor Blocks(Tensor video)
    {
        long b = video.size(0), n = video.size(2) / Time, h = video.size(3) / Side, w = video.size(4) / Side;
        return video.reshape(b, 3, n, Time, h, Side, w, Side).permute(0, 2, 4, 6, 1, 3, 5, 7).reshape(b * n * h * w, Block);
    }
}
