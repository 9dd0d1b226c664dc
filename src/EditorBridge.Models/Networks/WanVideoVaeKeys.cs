using System.Globalization;
using System.Text.RegularExpressions;

namespace EditorBridge.Models.Networks;

/// <summary>Key names of Wan VAE checkpoints, 2.1 and 2.2.</summary>
public static partial class WanVideoVaeKeys
{
    private static readonly (string From, string To)[] Parts =
    [
        ("residual.0.", "norm1."), ("residual.2.", "conv1."), ("residual.3.", "norm2."), ("residual.6.", "conv2."), ("shortcut.", "conv_shortcut."),
        ("middle.0.", "mid_block.resnets.0."), ("middle.1.", "mid_block.attentions.0."), ("middle.2.", "mid_block.resnets.1."),
        ("head.0.", "norm_out."), ("head.2.", "conv_out."),
    ];

    /// <summary>The Diffusers name of a key in either naming.</summary>
    /// <param name="key">A key of a checkpoint, original or Diffusers.</param>
    public static string ToDiffusers(string key) => ToDiffusers(key, numResBlocks: 2);

    /// <summary>The Diffusers name of a key in either naming.</summary>
    /// <param name="key">A key of a checkpoint, original or Diffusers.</param>
    /// <param name="numResBlocks">Residual blocks of an encoder level: the original 2.1 decoder counts through its levels without a mark between them.</param>
    public static string ToDiffusers(string key, int numResBlocks)
    {
        if (key.StartsWith("conv1.", StringComparison.Ordinal))
            return "quant_" + key.Replace("conv1.", "conv.", StringComparison.Ordinal);
        if (key.StartsWith("conv2.", StringComparison.Ordinal))
            return "post_quant_" + key.Replace("conv2.", "conv.", StringComparison.Ordinal);
        if (!Original().IsMatch(key))
            return key;
        key = ConvIn().Replace(key, "$1.conv_in.");
        key = Nested().Replace(key, match =>
        {
            var (side, level, index, rest) = (match.Groups["side"].Value, match.Groups["level"].Value, match.Groups["index"].Value, match.Groups["rest"].Value);
            var block = $"{side}_blocks.{level}.";
            var residual = rest.StartsWith("residual", StringComparison.Ordinal) || rest.StartsWith("shortcut", StringComparison.Ordinal);
            return block + (residual ? $"resnets.{index}." : $"{side}sampler.") + rest;
        });
        key = Flat().Replace(key, match =>
        {
            var index = int.Parse(match.Groups["index"].Value, CultureInfo.InvariantCulture);
            if (match.Groups["side"].Value == "down")
                return $"down_blocks.{index}.";
            var (level, place) = (index / (numResBlocks + 2), index % (numResBlocks + 2));
            return $"up_blocks.{level}." + (place <= numResBlocks ? $"resnets.{place}." : "upsamplers.0.");
        });
        foreach (var (from, to) in Parts)
            key = key.Replace("." + from, "." + to, StringComparison.Ordinal);
        return key;
    }

    [GeneratedRegex(@"^(encoder|decoder)\.(conv1|middle|head|downsamples|upsamples)\.")]
    private static partial Regex Original();

    [GeneratedRegex(@"^(encoder|decoder)\.conv1\.")]
    private static partial Regex ConvIn();

    [GeneratedRegex(@"(?:down|up)samples\.(?<level>\d+)\.(?<side>down|up)samples\.(?<index>\d+)\.(?<rest>.*)$")]
    private static partial Regex Nested();

    [GeneratedRegex(@"(?<=\.)(?<side>down|up)samples\.(?<index>\d+)\.")]
    private static partial Regex Flat();
}
