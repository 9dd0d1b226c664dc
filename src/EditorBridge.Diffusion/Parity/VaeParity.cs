using EditorBridge.Diffusion.Wan;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Networks;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace EditorBridge.Diffusion.Parity;

/// <summary>Cases of <c>vae21</c> and <c>vae22</c>: <c>encode_*</c> and <c>decode_*</c>.</summary>
internal static class VaeParity
{
    public const double Tolerance = 2e-5;

    /// <summary>The network of a folder in one naming.</summary>
    public static WanVideoVae Network(GoldenWeights weights, string path)
    {
        var config = ConfigFile.Vae(weights.Converted, weights.Source).OrThrow();
        return weights.Make(() => new WanVideoVae(config), path, key => [WanVideoVaeKeys.ToDiffusers(key, config.NumResBlocks)]);
    }

    public static bool Run(GoldenFile golden, GoldenComparison comparison)
    {
        var encode = golden.Has("in.video");
        if (!encode && !golden.Has("in.latent"))
            return false;
        var weights = new GoldenWeights(Path.GetDirectoryName(golden.Path)!, "weights", golden.Placement);
        foreach (var (naming, path) in weights.Files)
        {
            comparison.Subject = naming;
            using var scope = NewDisposeScope();
            using var vae = Network(weights, path);
            var seen = Listen(vae);
            if (encode)
            {
                var video = golden["in.video"].unsqueeze(0);
                comparison.Relative("out.latent", vae.Encode(video)[0], Tolerance);
                Compare(golden, comparison, seen);
                var (mean, logVariance) = vae.EncodeMoments(video);
                if (golden.Has("mid.mu_logvar"))
                    comparison.Relative("mid.mu_logvar", cat([mean, logVariance], 1), Tolerance);
            }
            else
            {
                var latent = golden["in.latent"].unsqueeze(0);
                comparison.Relative("out.video", vae.Decode(latent)[0], Tolerance);
                Compare(golden, comparison, seen);
                comparison.Relative("out.video_unclamped", vae.Decode(latent, clamp: false)[0], Tolerance);
            }
        }

        return true;
    }

    // Every chunk's output of every layer that has a name in the file; the second chunk's carries #2, and so on.
    private static void Compare(GoldenFile golden, GoldenComparison comparison, Dictionary<string, List<Tensor>> seen)
    {
        foreach (var (name, outputs) in seen)
        {
            if (name == "mid.conv2")
            {
                // The reference applies it to all latents at once.
                if (golden.Has(name) && outputs.Count > 0)
                    comparison.Relative(name, cat(outputs, 2), Tolerance);
            }
            else
            {
                for (var i = 0; i < outputs.Count; i++)
                {
                    var key = i == 0 ? name : $"{name}#{i + 1}";
                    if (golden.Has(key))
                        comparison.Relative(key, outputs[i], Tolerance);
                }
            }

            outputs.ForEach(output => output.Dispose());
            outputs.Clear();
        }
    }

    private static Dictionary<string, List<Tensor>> Listen(WanVideoVae vae)
    {
        var seen = new Dictionary<string, List<Tensor>>(StringComparer.Ordinal);
        foreach (var (name, module) in vae.named_modules())
        {
            if (GoldenName(name, vae.Config) is not { } golden)
                continue;
            var outputs = seen[golden] = [];
            if (module is Module<Tensor, WanVideoVaeCache, Tensor> causal)
            {
                causal.register_forward_hook((_, _, _, output) =>
                {
                    outputs.Add(output.permute(0, 4, 1, 2, 3).clone().DetachFromDisposeScope());
                    return output;
                });
            }
            else if (module is Module<Tensor, Tensor> frames)
            {
                frames.register_forward_hook((_, _, output) =>
                {
                    outputs.Add(output.permute(0, 4, 1, 2, 3).clone().DetachFromDisposeScope());
                    return output;
                });
            }
        }

        return seen;
    }

    private static string? GoldenName(string module, WanVaeConfig config)
    {
        var parts = module.Split('.');
        if (module == "post_quant_conv")
            return "mid.conv2";
        if (parts[0] is not ("encoder" or "decoder"))
            return null;
        var side = parts[0] == "encoder" ? "mid.enc" : "mid.dec";
        var group = config.NumResBlocks + 2; // of the decoder of 2.1: its residual blocks and its upsampler
        return parts[1..] switch
        {
            [] => $"{side}_chunk",
            ["conv_in"] => $"{side}_conv1",
            ["mid_block", "resnets", "0"] => $"{side}_middle0",
            ["mid_block", "attentions", "0"] => $"{side}_middle1",
            ["mid_block", "resnets", "1"] => $"{side}_middle2",
            ["down_blocks", var level] => $"{side}_down{level}",
            ["up_blocks", var level] when config.IsResidual => $"{side}_up{level}",
            ["up_blocks", var level, "resnets", var block] when !config.IsResidual => $"{side}_up{Number(level) * group + Number(block)}",
            ["up_blocks", var level, "upsamplers", "0"] when !config.IsResidual => $"{side}_up{Number(level) * group + group - 1}",
            _ => null,
        };
    }

    private static int Number(string text) => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
