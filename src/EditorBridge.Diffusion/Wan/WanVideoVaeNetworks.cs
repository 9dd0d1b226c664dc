using EditorBridge.Models.Configs;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace EditorBridge.Diffusion.Wan;

/// <summary>One level of the 2.2 encoder: residual blocks and a downsampler, beside an average of the input.</summary>
internal sealed class DownBlock : Module<Tensor, WanVideoVaeCache, Tensor>
{
    private readonly ModuleList<ResidualBlock> resnets = new();
    private readonly Downsampler? downsampler;
    private readonly long outputs, ft, fs;

    public DownBlock(string name, long channels, long outputs, int depth, bool spatial, bool temporal, VaeLayers layers)
        : base(name)
    {
        (this.outputs, ft, fs) = (outputs, temporal ? 2 : 1, spatial ? 2 : 1);
        for (var i = 0; i < depth; i++)
            resnets.Add(new ResidualBlock($"{i}", i == 0 ? channels : outputs, outputs, layers));
        if (spatial)
            downsampler = new Downsampler(nameof(downsampler), outputs, temporal, layers);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, WanVideoVaeCache cache) // [B, T, H, W, C] -> [B, T/ft, H/fs, W/fs, O]
    {
        using var scope = NewDisposeScope();
        var y = x;
        foreach (var resnet in resnets)
            y = resnet.call(y, cache);
        if (downsampler is not null)
            y = downsampler.call(y, cache);
        return (y + Averaged(x)).MoveToOuterDisposeScope();
    }

    public void Initialize(double branch)
    {
        foreach (var resnet in resnets)
            resnet.Initialize(branch);
        downsampler?.Initialize();
    }

    /// <summary>Folds (ft, fs, fs) neighbours into channels, channel first, and averages groups of them.</summary>
    private Tensor Averaged(Tensor x)
    {
        if (x.size(1) % ft != 0) // Only a clip's first chunk is odd: a frame of zeros goes in front.
            x = cat([x.new_zeros([x.size(0), 1, x.size(2), x.size(3), x.size(4)]), x], 1);
        return x.unflatten(3, [-1, fs]).unflatten(2, [-1, fs]).unflatten(1, [-1, ft]) // [B, T', ft, H', fs, W', fs, C]
            .permute(0, 1, 3, 5, 7, 2, 4, 6).flatten(4) // [B, T', H', W', C*ft*fs*fs]
            .unflatten(4, [outputs, -1]).mean([-1]);
    }
}

/// <summary>One level of the 2.2 decoder: residual blocks and an upsampler, beside a repetition of the input.</summary>
internal sealed class UpBlock : Module<Tensor, WanVideoVaeCache, Tensor>
{
    private readonly ModuleList<ResidualBlock> resnets = new();
    private readonly Upsampler? upsampler;
    private readonly long outputs, ft;

    public UpBlock(string name, long channels, long outputs, int depth, bool spatial, bool temporal, VaeLayers layers)
        : base(name)
    {
        (this.outputs, ft) = (outputs, temporal ? 2 : 1);
        for (var i = 0; i < depth; i++)
            resnets.Add(new ResidualBlock($"{i}", i == 0 ? channels : outputs, outputs, layers));
        if (spatial)
            upsampler = new Upsampler(nameof(upsampler), outputs, outputs, temporal, layers);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, WanVideoVaeCache cache) // [B, T, H, W, C] -> [B, T*ft, 2H, 2W, O]
    {
        using var scope = NewDisposeScope();
        var y = x;
        foreach (var resnet in resnets)
            y = resnet.call(y, cache);
        if (upsampler is not null)
            y = upsampler.call(y, cache) + Repeated(x, cache.First);
        return y.MoveToOuterDisposeScope();
    }

    public void Initialize(double branch)
    {
        foreach (var resnet in resnets)
            resnet.Initialize(branch);
        upsampler?.Initialize();
    }

    /// <summary>Repeats channels and unfolds them to (ft, 2, 2) neighbours, channel first; a clip begins with one frame.</summary>
    private Tensor Repeated(Tensor x, bool first)
    {
        var repeats = outputs * ft * 4 / x.size(-1);
        var y = x.unsqueeze(-1).expand([.. x.shape, repeats]).flatten(4) // [B, T, H, W, O*ft*2*2]
            .unflatten(4, [outputs, ft, 2, 2]).permute(0, 1, 5, 2, 6, 3, 7, 4) // [B, T, ft, H, 2, W, 2, O]
            .flatten(5, 6).flatten(3, 4).flatten(1, 2);
        return first && ft > 1 ? y.narrow(1, ft - 1, y.size(1) - ft + 1) : y;
    }
}

/// <summary>One level of the 2.1 decoder: residual blocks and an upsampler that halves the channels.</summary>
internal sealed class PlainUpBlock : Module<Tensor, WanVideoVaeCache, Tensor>
{
    private readonly ModuleList<ResidualBlock> resnets = new();
    private readonly ModuleList<Upsampler> upsamplers = new();

    public PlainUpBlock(string name, long channels, long outputs, int depth, bool spatial, bool temporal, VaeLayers layers)
        : base(name)
    {
        for (var i = 0; i < depth; i++)
            resnets.Add(new ResidualBlock($"{i}", i == 0 ? channels : outputs, outputs, layers));
        if (spatial)
            upsamplers.Add(new Upsampler("0", outputs, outputs / 2, temporal, layers));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, WanVideoVaeCache cache) // [B, T, H, W, C] -> [B, T*ft, 2H, 2W, O/2], at the last level [B, T, H, W, O]
    {
        using var scope = NewDisposeScope();
        foreach (var resnet in resnets)
            x = resnet.call(x, cache);
        foreach (var upsampler in upsamplers)
            x = upsampler.call(x, cache);
        return x.MoveToOuterDisposeScope();
    }

    public void Initialize(double branch)
    {
        foreach (var resnet in resnets)
            resnet.Initialize(branch);
        foreach (var upsampler in upsamplers)
            upsampler.Initialize();
    }
}

/// <summary>The deepest level: residual block, attention, residual block.</summary>
internal sealed class MidBlock : Module<Tensor, WanVideoVaeCache, Tensor>
{
    private readonly ModuleList<ResidualBlock> resnets = new();
    private readonly ModuleList<FrameAttention> attentions = new();

    public MidBlock(string name, long channels, VaeLayers layers)
        : base(name)
    {
        resnets.Add(new ResidualBlock("0", channels, channels, layers));
        attentions.Add(new FrameAttention("0", channels));
        resnets.Add(new ResidualBlock("1", channels, channels, layers));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, WanVideoVaeCache cache) // [B, T, H, W, C]
    {
        using var scope = NewDisposeScope();
        x = resnets[0].call(x, cache);
        x = attentions[0].call(x);
        return resnets[1].call(x, cache).MoveToOuterDisposeScope();
    }

    public void Initialize(double branch)
    {
        foreach (var resnet in resnets)
            resnet.Initialize(branch);
        attentions[0].Initialize();
    }
}

/// <summary>Folded pixels to means and log variances.</summary>
internal sealed class VaeEncoder : Module<Tensor, WanVideoVaeCache, Tensor>
{
    private readonly CausalConv3d conv_in, conv_out;
    private readonly ModuleList<Module<Tensor, WanVideoVaeCache, Tensor>> down_blocks = new(); // levels in 2.2; in 2.1 their blocks one after another
    private readonly MidBlock mid_block;
    private readonly ChannelNorm norm_out;

    public VaeEncoder(string name, WanVaeConfig config, VaeLayers layers)
        : base(name)
    {
        var widths = config.DimMult.Select(mult => (long)mult * config.BaseDim).ToArray();
        var last = widths.Length - 1;
        conv_in = new CausalConv3d(nameof(conv_in), config.InChannels, config.BaseDim, 3, 3, layers);
        for (var i = 0; i <= last; i++)
        {
            var channels = i == 0 ? config.BaseDim : widths[i - 1];
            var temporal = i < last && config.TemporalDownsample[i];
            if (config.IsResidual)
            {
                down_blocks.Add(new DownBlock($"{i}", channels, widths[i], config.NumResBlocks, spatial: i < last, temporal, layers));
                continue;
            }
            for (var j = 0; j < config.NumResBlocks; j++)
                down_blocks.Add(new ResidualBlock($"{down_blocks.Count}", j == 0 ? channels : widths[i], widths[i], layers));
            if (i < last)
                down_blocks.Add(new Downsampler($"{down_blocks.Count}", widths[i], temporal, layers));
        }
        mid_block = new MidBlock(nameof(mid_block), widths[^1], layers);
        norm_out = new ChannelNorm(nameof(norm_out), widths[^1]);
        conv_out = new CausalConv3d(nameof(conv_out), widths[^1], 2 * config.ZDim, 3, 3, layers);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, WanVideoVaeCache cache) // [B, F, H/p, W/p, 3*p*p] -> [B, f, h, w, 2*z]
    {
        using var scope = NewDisposeScope();
        x = conv_in.call(x, cache);
        foreach (var block in down_blocks)
            x = block.call(x, cache);
        x = mid_block.call(x, cache);
        return conv_out.call(norm_out.ThenSilu(x), cache).MoveToOuterDisposeScope();
    }

    public void Initialize(double branch)
    {
        conv_in.Initialize(1);
        foreach (var block in down_blocks)
        {
            (block as DownBlock)?.Initialize(branch);
            (block as ResidualBlock)?.Initialize(branch);
            (block as Downsampler)?.Initialize();
        }
        mid_block.Initialize(branch);
        norm_out.Initialize();
        conv_out.Initialize(1.7);
    }
}

/// <summary>Latents to folded pixels.</summary>
internal sealed class VaeDecoder : Module<Tensor, WanVideoVaeCache, Tensor>
{
    private readonly CausalConv3d conv_in, conv_out;
    private readonly MidBlock mid_block;
    private readonly ModuleList<Module<Tensor, WanVideoVaeCache, Tensor>> up_blocks = new();
    private readonly ChannelNorm norm_out;

    public VaeDecoder(string name, WanVaeConfig config, VaeLayers layers)
        : base(name)
    {
        var widths = config.DimMult.Reverse().Select(mult => (long)mult * config.DecoderDim).ToArray();
        var temporal = config.TemporalDownsample.Reverse().ToArray();
        var last = widths.Length - 1;
        conv_in = new CausalConv3d(nameof(conv_in), config.ZDim, widths[0], 3, 3, layers);
        mid_block = new MidBlock(nameof(mid_block), widths[0], layers);
        for (var i = 0; i <= last; i++)
        {
            var (spatial, doubles) = (i < last, i < last && temporal[i]);
            if (config.IsResidual)
                up_blocks.Add(new UpBlock($"{i}", i == 0 ? widths[0] : widths[i - 1], widths[i], config.NumResBlocks + 1, spatial, doubles, layers));
            else
                up_blocks.Add(new PlainUpBlock($"{i}", i == 0 ? widths[0] : widths[i - 1] / 2, widths[i], config.NumResBlocks + 1, spatial, doubles, layers));
        }
        norm_out = new ChannelNorm(nameof(norm_out), widths[^1]);
        conv_out = new CausalConv3d(nameof(conv_out), widths[^1], config.OutChannels, 3, 3, layers);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, WanVideoVaeCache cache) // [B, f, h, w, z] -> [B, F, H/p, W/p, 3*p*p]
    {
        using var scope = NewDisposeScope();
        x = conv_in.call(x, cache);
        x = mid_block.call(x, cache);
        foreach (var block in up_blocks)
            x = block.call(x, cache);
        return conv_out.call(norm_out.ThenSilu(x), cache).MoveToOuterDisposeScope();
    }

    public void Initialize(double branch)
    {
        conv_in.Initialize(1);
        mid_block.Initialize(branch);
        foreach (var block in up_blocks)
        {
            (block as UpBlock)?.Initialize(branch);
            (block as PlainUpBlock)?.Initialize(branch);
        }
        norm_out.Initialize();
        conv_out.Initialize(0.5);
    }
}
