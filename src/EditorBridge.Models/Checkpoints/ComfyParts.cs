using System.Text.RegularExpressions;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Variants;

namespace EditorBridge.Models.Checkpoints;

/// <summary>
/// The parts of a model in ComfyUI's folders, starting from a transformer file: kinds of networks lie in folders of their own, many models side by
/// side, so that what goes with the transformer is told from the tensors.
/// </summary>
internal static partial class ComfyParts
{
    private static readonly string[] Extensions = [".safetensors", ".gguf", ".pth", ".pt"];

    public static ReadResult<ModelParts> Around(string transformer)
    {
        var models = Path.GetDirectoryName(Path.GetDirectoryName(Path.GetFullPath(transformer)));
        var (high, low) = Experts(transformer);
        if (high is null)
            return Failed($"'{transformer}' is one expert of two; '{low}' is not beside it.");
        var opened = Checkpoint.Open(high);
        if (!opened.Ok)
            return Failed(opened.Problem);
        using var weights = opened.Value;
        var shapes = new TensorShapes(weights);
        if (models is null || NetworkKinds.Of(weights) != NetworkKind.Transformer || shapes.Find(2, "head.head.weight", "proj_out.weight") is not [var head, _])
            return Failed($"'{transformer}' does not hold a Wan transformer; name the file in ComfyUI's 'diffusion_models' folder.");

        var latents = head / 4;
        var vae = First(models, ["vae"], NetworkKind.Vae, vae => vae.Find(5, "conv2.weight", "post_quant_conv.weight") is [var channels, ..] && channels == latents);
        if (vae is null)
            return Failed($"There is no Wan VAE of {latents} latent channels in '{Path.Combine(models, "vae")}', which '{Path.GetFileName(transformer)}' needs.");
        var text = First(models, ["text_encoders", "clip"], NetworkKind.TextEncoder, encoder => encoder.Blocks("encoder.block.", "blocks.", "enc.blk.") is not null);
        if (text is null)
            return Failed($"There is no UMT5 text encoder in '{Path.Combine(models, "text_encoders")}', which '{Path.GetFileName(transformer)}' needs.");
        var takesImages = shapes.Find(2, "img_emb.proj.1.weight", "condition_embedder.image_embedder.ff.net.0.proj.weight") is not null;
        var image = takesImages ? First(models, ["clip_vision"], NetworkKind.ImageEncoder, _ => true) : null;
        if (takesImages && image is null)
            return Failed($"There is no CLIP vision tower in '{Path.Combine(models, "clip_vision")}', which '{Path.GetFileName(transformer)}' needs.");
        return ReadResult<ModelParts>.Of(new ModelParts
        {
            Layout = ModelLayout.ComfyUI,
            Transformer = high,
            LowNoiseTransformer = low,
            Vae = vae,
            TextEncoder = text,
            ImageEncoder = image,
            Tokenizer = null,
        });
    }

    // Low is null for a model with one transformer; high is null when the other expert is not there.
    private static (string? High, string? Low) Experts(string transformer)
    {
        var (folder, name) = (Path.GetDirectoryName(transformer) ?? "", Path.GetFileName(transformer));
        if (!Expert().IsMatch(name))
            return (transformer, null);
        var other = Path.Combine(folder, Expert().Replace(name, match => match.Value switch
        {
            "high" => "low",
            "High" => "Low",
            "HIGH" => "LOW",
            "low" => "high",
            "Low" => "High",
            _ => "HIGH",
        }));
        return !File.Exists(other) ? (null, other)
            : Expert().Match(name).Value.StartsWith("h", StringComparison.OrdinalIgnoreCase) ? (transformer, other)
            : (other, transformer);
    }

    // Of several the largest: the least packed.
    private static string? First(string models, string[] folders, NetworkKind kind, Func<TensorShapes, bool> fits) => folders
        .Select(folder => Path.Combine(models, folder)).Where(Directory.Exists)
        .SelectMany(folder => Directory.EnumerateFiles(folder)).Where(path => Extensions.Contains(Path.GetExtension(path)))
        .OrderByDescending(path => new FileInfo(path).Length).ThenBy(path => path, StringComparer.Ordinal)
        .FirstOrDefault(path =>
        {
            // Other models' files lie there too, whole or not.
            using var weights = Checkpoint.Open(path) is { Ok: true } open ? open.Value : null;
            return weights is not null && NetworkKinds.Of(weights) == kind && fits(new TensorShapes(weights));
        });

    private static ReadResult<ModelParts> Failed(string problem) => ReadResult<ModelParts>.Failed(problem);

    [GeneratedRegex("(high|High|HIGH|low|Low|LOW)(?=[_-]?(?i:noise))")]
    private static partial Regex Expert();
}
