using EditorBridge.Diffusion.Images;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Networks;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace EditorBridge.Diffusion.Parity;

/// <summary>Cases of <c>clip</c>: pictures of any size to features.</summary>
internal static class ClipParity
{
    public const double Tolerance = 4e-5;

    /// <summary>The network of a folder in one naming.</summary>
    public static ClipVisionTower Network(GoldenWeights weights, string path)
    {
        var config = ConfigFile.ImageEncoder(weights.Converted, weights.Source).OrThrow();
        return weights.Make(() => new ClipVisionTower(config), path, ClipVisionKeys.ToHuggingFace);
    }

    public static bool Run(GoldenFile golden, GoldenComparison comparison)
    {
        if (!golden.Has("in.videos.0"))
            return false;
        var weights = new GoldenWeights(Path.GetDirectoryName(golden.Path)!, "weights", golden.Placement);
        foreach (var (naming, path) in weights.Files)
        {
            comparison.Subject = naming;
            using var scope = NewDisposeScope();
            using var tower = Network(weights, path);
            var pixels = cat(Enumerable.Range(0, golden.Names.Count(name => name.StartsWith("in.videos.", StringComparison.Ordinal)))
                .Select(i => ClipVisionTower.Prepare(golden[$"in.videos.{i}"].transpose(0, 1), tower.Config.ImageSize)).ToArray());
            if (golden.Has("mid.pixel_values"))
                comparison.Relative("mid.pixel_values", pixels, Tolerance);
            if (golden.Has("mid.pixel_values_stride4"))
                comparison.Relative("mid.pixel_values_stride4", pixels[.., .., TensorIndex.Slice(step: 4), TensorIndex.Slice(step: 4)], Tolerance);

            foreach (var (name, module) in tower.named_modules())
            {
                var stage = name.Split('.') switch
                {
                    ["vision_model", "embeddings", "patch_embedding"] => "mid.patch_embedding",
                    ["vision_model", "pre_layrnorm"] => "mid.pre_norm",
                    ["vision_model", "encoder", "layers", var index] => $"mid.block{index}",
                    _ => "",
                };
                if (golden.Has(stage))
                {
                    ((Module<Tensor, Tensor>)module).register_forward_hook((_, _, output) =>
                    {
                        comparison.Relative(stage, output, Tolerance);
                        return output;
                    });
                }
            }

            if (golden.Has("out.all_blocks"))
                comparison.Relative("out.all_blocks", tower.Features(pixels, tower.Config.NumHiddenLayers), Tolerance);
            comparison.Relative("out.use_31_block", tower.Features(pixels, tower.Config.NumHiddenLayers - 1), Tolerance);
        }

        return true;
    }
}
