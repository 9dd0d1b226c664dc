using System.Globalization;
using EditorBridge.Diffusion.Text;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Networks;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace EditorBridge.Diffusion.Parity;

/// <summary>Cases of <c>umt5</c>: pieces to features, and the table of relative positions.</summary>
internal static class TextEncoderParity
{
    public const double Tolerance = 1e-5;

    /// <summary>The network of a folder in one naming.</summary>
    public static UMT5Encoder Network(GoldenWeights weights, string path)
    {
        var config = ConfigFile.TextEncoder(weights.Converted, weights.Source).OrThrow();
        return weights.Make(() => new UMT5Encoder(config), path, UMT5Keys.ToHuggingFace);
    }

    public static bool Run(GoldenFile golden, GoldenComparison comparison)
    {
        var weights = new GoldenWeights(Path.GetDirectoryName(golden.Path)!, "weights", golden.Placement);
        if (golden.Has("in.relative_position"))
        {
            var config = ConfigFile.TextEncoder(weights.Converted, weights.Source).OrThrow();
            var positions = golden["in.relative_position"];
            var buckets = positions.to(int64).data<long>()
                .Select(position => (long)UMT5Encoder.Bucket((int)position, config.RelativeAttentionNumBuckets, config.RelativeAttentionMaxDistance)).ToArray();
            comparison.Absolute("out.bucket", tensor(buckets).view(positions.shape), 0);
            return true;
        }

        if (!golden.Has("in.ids"))
            return false;
        foreach (var (naming, path) in weights.Files)
        {
            comparison.Subject = naming;
            using var scope = NewDisposeScope();
            using var encoder = Network(weights, path);
            Run(golden, comparison, encoder);
        }

        return true;
    }

    private static void Run(GoldenFile golden, GoldenComparison comparison, UMT5Encoder encoder)
    {
        var ids = golden["in.ids"];
        var mask = golden.Has("in.mask") ? golden["in.mask"] : null;
        Listen(golden, comparison, encoder, ids.shape[1]);
        var hidden = encoder.call(ids, mask); // [B, L, D]
        if (golden.Has("out.hidden"))
            comparison.Relative("out.hidden", hidden, Tolerance);
        if (golden.Has("out.hidden_first_rows"))
            comparison.Relative("out.hidden_first_rows", hidden.narrow(1, 0, golden["out.hidden_first_rows"].shape[1]), Tolerance);

        // As the pipelines use it: without the rows of padding, which ours does not compute either.
        var lengths = Enumerable.Range(0, (int)ids.shape[0]).Select(row => (int)(mask is null ? ids.shape[1] : mask[row].to(int64).sum().item<long>())).ToArray();
        var prompts = lengths.Select((length, row) => (IReadOnlyList<int>)[.. ids[row].narrow(0, 0, length).to(int64).clone().data<long>().Select(id => (int)id)]).ToArray();
        var context = encoder.EncodeContext(prompts, (int)ids.shape[1]);
        for (var row = 0; row < prompts.Length; row++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"out.context.{row}");
            if (golden.Has(name))
                comparison.Relative(name, context[row].narrow(0, 0, lengths[row]), Tolerance);
        }
    }

    private static void Listen(GoldenFile golden, GoldenComparison comparison, UMT5Encoder encoder, long length)
    {
        foreach (var (name, module) in encoder.named_modules())
        {
            var stage = name.Split('.') switch
            {
                ["shared"] => "mid.token_embedding",
                ["encoder", "block", var index] => $"mid.block{index}",
                ["encoder", "block", var index, "layer", "0", "SelfAttention"] => $"mid.block{index}.attn",
                ["encoder", "block", var index, "layer", "1", "DenseReluDense"] => $"mid.block{index}.ffn",
                _ => "",
            };
            var bias = stage.Replace(".attn", ".pos_bias", StringComparison.Ordinal);
            if (module is UMT5Encoder.SelfAttention attention && golden.Has(bias))
                comparison.Relative(bias, attention.PositionBias(length, encoder.Device), Tolerance);
            if (!golden.Has(stage))
                continue;

            // Later calls are of the other run, without padding.
            var once = false;
            void Compare(Tensor output)
            {
                if (!once) comparison.Relative(stage, output, Tolerance);
                once = true;
            }

            if (module is Module<Tensor, Tensor> one)
                one.register_forward_hook((_, _, output) => { Compare(output); return output; });
            else if (module is Module<Tensor, Tensor?, Tensor> two)
                two.register_forward_hook((_, _, _, output) => { Compare(output); return output; });
        }
    }
}
