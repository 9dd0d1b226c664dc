using EditorBridge.Diffusion.Weights;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using F = TorchSharp.torch.nn.functional;

namespace EditorBridge.Diffusion.Wan;

/// <summary>Norm, SiLU, convolution, twice, beside a shortcut.</summary>
internal sealed class ResidualBlock : Module<Tensor, WanVideoVaeCache, Tensor>
{
    private readonly ChannelNorm norm1, norm2;
    private readonly CausalConv3d conv1, conv2;
    private readonly CausalConv3d? conv_shortcut;

    public ResidualBlock(string name, long channels, long outputs, VaeLayers layers)
        : base(name)
    {
        norm1 = new ChannelNorm(nameof(norm1), channels);
        conv1 = new CausalConv3d(nameof(conv1), channels, outputs, 3, 3, layers);
        norm2 = new ChannelNorm(nameof(norm2), outputs);
        conv2 = new CausalConv3d(nameof(conv2), outputs, outputs, 3, 3, layers);
        if (channels != outputs)
            conv_shortcut = new CausalConv3d(nameof(conv_shortcut), channels, outputs, 1, 1, layers);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, WanVideoVaeCache cache) // [B, T, H, W, C] -> [B, T, H, W, O]
    {
        using var scope = NewDisposeScope();
        var y = conv1.call(norm1.ThenSilu(x), cache);
        y = conv2.call(norm2.ThenSilu(y), cache);
        return (y + (conv_shortcut?.call(x, cache) ?? x)).MoveToOuterDisposeScope();
    }

    public void Initialize(double branch)
    {
        norm1.Initialize();
        norm2.Initialize();
        conv1.Initialize(1.7); // SiLU of a unit normal has a root mean square of 0.6.
        conv2.Initialize(branch);
        conv_shortcut?.Initialize(1);
    }
}

/// <summary>Attention among the pixels of each frame: one head of full width.</summary>
internal sealed class FrameAttention : Module<Tensor, Tensor>
{
    private readonly ChannelNorm norm;
    private readonly PointConv2d to_qkv, proj;

    public FrameAttention(string name, long channels)
        : base(name)
    {
        norm = new ChannelNorm(nameof(norm), channels, perFrame: true);
        to_qkv = new PointConv2d(nameof(to_qkv), channels, 3 * channels);
        proj = new PointConv2d(nameof(proj), channels, channels);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) // [B, T, H, W, C]
    {
        using var scope = NewDisposeScope();
        var tokens = norm.call(x).flatten(2, 3).flatten(0, 1); // [B*T, H*W, C]
        var qkv = to_qkv.call(tokens).unsqueeze(1).chunk(3, -1);
        var y = F.scaled_dot_product_attention(qkv[0].contiguous(), qkv[1].contiguous(), qkv[2].contiguous()); // [B*T, 1, H*W, C]
        return (x + proj.call(y.squeeze(1)).view(x.shape)).MoveToOuterDisposeScope();
    }

    public void Initialize()
    {
        norm.Initialize();
        to_qkv.Initialize(1);
        proj.Initialize(0);
    }
}

/// <summary>A 1×1 convolution on channels-last tokens.</summary>
internal sealed class PointConv2d : Module<Tensor, Tensor>
{
    private readonly Parameter weight; // [O, C, 1, 1]
    private readonly Parameter bias;

    public PointConv2d(string name, long channels, long outputs)
        : base(name)
    {
        weight = NewWeights.Small(empty(outputs, channels, 1, 1));
        bias = NewWeights.Small(empty(outputs));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => F.linear(x, weight.flatten(1), bias); // [..., C] -> [..., O]

    public void Initialize(double gain)
    {
        init.normal_(weight, 0, gain / Math.Sqrt(weight.size(1)));
        init.zeros_(bias);
    }
}

/// <summary>Halves space; <c>time_conv</c>, where there is one, halves time.</summary>
internal sealed class Downsampler : Module<Tensor, WanVideoVaeCache, Tensor>
{
    private readonly Sequential resample; // one convolution under the key 1, where the reference has it in a sequence
    private readonly CausalConv3d? time_conv;
    private readonly int slot;

    public Downsampler(string name, long channels, bool temporal, VaeLayers layers)
        : base(name)
    {
        resample = Sequential(("1", new FrameConv2d("1", channels, channels, stride: 2, layers)));
        if (temporal)
        {
            slot = layers.TakeSlot();
            time_conv = new CausalConv3d(nameof(time_conv), channels, channels, 3, 1, layers);
        }
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, WanVideoVaeCache cache) // [B, T, H, W, C] -> [B, T', H/2, W/2, C]
    {
        using var scope = NewDisposeScope();
        x = resample.call(F.pad(x, [0, 0, 0, 1, 0, 1])); // one more column and row, at the far ends only
        if (time_conv is null)
            return x.MoveToOuterDisposeScope();

        // The clip's first frame passes as it is; from then on frames go in pairs, each with the frame before it.
        var frames = x.size(1);
        var all = cache[slot] is { } last ? cat([last, x], 1) : x;
        if (cache.Keep)
            cache.Store(slot, x.narrow(1, frames - 1, 1));
        if (!cache.First)
            return time_conv.Strided(all, 2).MoveToOuterDisposeScope();
        var first = x.narrow(1, 0, 1);
        return (frames == 1 ? x : cat([first, time_conv.Strided(all, 2)], 1)).MoveToOuterDisposeScope();
    }

    public void Initialize()
    {
        ((FrameConv2d)resample[0]).Initialize(1);
        time_conv?.Initialize(1);
    }
}

/// <summary>Doubles space; <c>time_conv</c>, where there is one, doubles time first.</summary>
internal sealed class Upsampler : Module<Tensor, WanVideoVaeCache, Tensor>
{
    private readonly Sequential resample; // one convolution under the key 1, where the reference has it in a sequence
    private readonly CausalConv3d? time_conv;

    public Upsampler(string name, long channels, long outputs, bool temporal, VaeLayers layers)
        : base(name)
    {
        resample = Sequential(("1", new FrameConv2d("1", channels, outputs, stride: 1, layers)));
        if (temporal)
            time_conv = new CausalConv3d(nameof(time_conv), channels, 2 * channels, 3, 1, layers);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, WanVideoVaeCache cache) // [B, T, H, W, C] -> [B, T', 2H, 2W, O]
    {
        using var scope = NewDisposeScope();
        if (time_conv is not null)
            x = DoubleTime(x, cache);
        var (batch, frames) = (x.size(0), x.size(1));
        var images = x.flatten(0, 1).permute(0, 3, 1, 2); // [B*T, C, H, W], channels last
        images = F.interpolate(images, scale_factor: [2, 2], mode: InterpolationMode.Nearest);
        x = images.permute(0, 2, 3, 1).unflatten(0, [batch, frames]);
        return resample.call(x).MoveToOuterDisposeScope();
    }

    public void Initialize()
    {
        ((FrameConv2d)resample[0]).Initialize(1);
        time_conv?.Initialize(1);
    }

    // The clip's first frame stays one and is not seen by the convolution; every later one becomes two.
    private Tensor DoubleTime(Tensor x, WanVideoVaeCache cache)
    {
        if (!cache.First)
            return Doubled(x, cache);
        var later = x.size(1) - 1;
        var first = x.narrow(1, 0, 1);
        return later == 0 ? x : cat([first, Doubled(x.narrow(1, 1, later), cache)], 1);
    }

    private Tensor Doubled(Tensor x, WanVideoVaeCache cache)
        => time_conv!.call(x, cache) // [B, T, H, W, 2*C]: even frame, odd frame
            .unflatten(4, [2, x.size(-1)]).permute(0, 1, 4, 2, 3, 5).flatten(1, 2); // [B, 2*T, H, W, C]
}
