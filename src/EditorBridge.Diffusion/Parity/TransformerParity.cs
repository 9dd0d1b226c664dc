using EditorBridge.Diffusion.Wan;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Networks;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace EditorBridge.Diffusion.Parity;

/// <summary>Cases of <c>dit_*</c>: one forward pass of a transformer, with intermediates.</summary>
internal sealed class TransformerParity
{
    public const double Tolerance = 2e-5;

    private readonly GoldenFile golden;
    private readonly GoldenComparison comparison;
    private readonly WanTransformer network;
    private readonly Dictionary<string, Tensor> seen = new(StringComparer.Ordinal);

    private TransformerParity(GoldenFile golden, GoldenComparison comparison, WanTransformer network)
    {
        (this.golden, this.comparison, this.network) = (golden, comparison, network);
        Listen();
    }

    /// <summary>The network of a folder in one naming.</summary>
    public static WanTransformer Network(GoldenWeights weights, string path)
    {
        var config = ConfigFile.Transformer(weights.Converted, weights.Source).OrThrow();
        if (weights.Original.TryGetProperty("text_len", out var length))
            config = config with { TextLen = length.GetInt32() };
        return weights.Make(() => new WanTransformer(config), path, key => [WanTransformerKeys.FromOriginal(key)]);
    }

    public static bool Run(GoldenFile golden, GoldenComparison comparison)
    {
        if (!golden.Has("in.x.0"))
            return false;
        // 'high_noise.*.safetensors' where a folder holds two networks.
        var name = golden.Metadata.GetValueOrDefault("weights", "weights").Split(".*")[0];
        var weights = new GoldenWeights(Path.GetDirectoryName(golden.Path)!, name, golden.Placement);
        foreach (var (naming, path) in weights.Files)
        {
            comparison.Subject = naming;
            using var scope = NewDisposeScope();
            using var network = Network(weights, path);
            new TransformerParity(golden, comparison, network).Run();
        }

        return true;
    }

    private void Run()
    {
        var samples = golden.Names.Count(key => key.StartsWith("in.x.", StringComparison.Ordinal));
        for (var n = 0; n < samples; n++)
        {
            seen.Clear();
            var x = golden[$"in.x.{n}"].unsqueeze(0);
            var latent = golden.Has($"in.y.{n}") ? cat([x, golden[$"in.y.{n}"].unsqueeze(0)], 1) : x;
            var context = Padded(golden[$"in.context.{n}"], network.Config.TextLen);
            // The features of two pictures are one run of tokens.
            var image = golden.Has("in.clip_fea") ? Image(n, samples) : null;
            var vace = golden.Has($"in.vace_context.{n}")
                ? new VaceContext(golden[$"in.vace_context.{n}"].unsqueeze(0), golden.Has("in.vace_context_scale") ? golden["in.vace_context_scale"].to(float64).item<double>() : 1)
                : null;

            var frames = latent.shape[2];
            var tokens = frames * (latent.shape[3] / network.Config.PatchSize[1]) * (latent.shape[4] / network.Config.PatchSize[2]);
            var t = golden["in.t"];
            Tensor result;
            Tensor times;
            if (t.dim() == 1)
            {
                times = t[n].expand(1, tokens);
                double[] positions = [.. Enumerable.Range(0, (int)frames)];
                result = network.Forward([new LatentSegment(latent, t[n].expand(1, frames), positions)], context, image, vace)[0];
            }
            else
            {
                times = t[n].narrow(0, 0, tokens).unsqueeze(0);
                result = network.ForwardTokens(latent, times, context);
            }

            comparison.Relative($"out.{n}", result[0], Tolerance);
            CompareIntermediates(n, times, vace?.Scale ?? 1);
        }
    }

    /// <summary>[rows, D] to [1, length, D] with rows of zero behind.</summary>
    public static Tensor Padded(Tensor rows, long length) => functional.pad(rows, [0, 0, 0, length - rows.shape[0]]).unsqueeze(0);

    private Tensor Image(int n, int samples)
    {
        var features = golden["in.clip_fea"];
        var each = features.shape[0] / samples;
        return features.narrow(0, n * each, each).reshape(1, -1, features.shape[2]);
    }

    private void CompareIntermediates(int n, Tensor times, double scale)
    {
        var tokens = times.shape[1];
        foreach (var name in (string[])["patch_embedding", "vace_patch_embedding"])
        {
            var key = n == 0 ? $"mid.{name}" : $"mid.{name}#{n + 1}";
            if (golden.Has(key))
                comparison.Relative(key, golden[key][0].flatten(1).transpose(0, 1), seen[name][0], Tolerance);
        }

        foreach (var (name, module) in (ReadOnlySpan<(string, string)>)
            [("mid.text_embedding", "condition_embedder.text_embedder"), ("mid.img_emb", "condition_embedder.image_embedder")])
        {
            if (golden.Has(name))
                comparison.Relative(name, golden[name][n], seen[module][0], Tolerance);
        }

        CompareTimes(n, times);
        foreach (var (name, output) in Outputs(scale))
        {
            if (!golden.Has(name))
                continue;
            var reference = golden[name][n].narrow(0, 0, tokens); // rows behind are padding of the reference's own
            comparison.Relative(name, reference, output.reshape(reference.shape), Tolerance);
        }
    }

    // The reference repeats the time embedding of a token's timestep; ours has one row per distinct timestep.
    private void CompareTimes(int n, Tensor times)
    {
        var values = times.to(float64).contiguous().data<double>().ToArray();
        var distinct = values.Distinct().ToList();
        var rows = tensor(values.Select(time => (long)distinct.IndexOf(time)).ToArray());
        var samples = golden["in.t"].shape[0];
        foreach (var (name, module) in (ReadOnlySpan<(string, string)>)
            [("mid.time_sinusoid", "time_sinusoid"), ("mid.time_embedding", "condition_embedder.time_embedder"), ("mid.time_projection", "condition_embedder.time_proj")])
        {
            if (!golden.Has(name))
                continue;
            var reference = golden[name];
            reference = reference.reshape(samples, -1, reference.shape[^1])[n]; // one row, or one a token
            reference = reference.shape[0] == 1 ? reference.expand(values.Length, -1) : reference.narrow(0, 0, values.Length);
            comparison.Relative(name, reference, seen[module].index_select(0, rows), Tolerance);
        }
    }

    private IEnumerable<(string Name, Tensor Output)> Outputs(double scale)
    {
        var layers = network.Config.VaceLayers ?? [];
        for (var i = 0; i < network.Config.NumLayers; i++)
        {
            // The reference adds the hint inside the block.
            var hint = layers.ToList().IndexOf(i);
            var output = seen[$"blocks.{i}"];
            yield return ($"mid.block{i}", hint < 0 ? output : output + seen[$"vace_blocks.{hint}.proj_out"].view(output.shape) * scale);
        }

        for (var i = 0; i < layers.Count; i++)
        {
            yield return ($"mid.vace_block{i}", seen[$"vace_blocks.{i}"]);
            yield return ($"mid.vace_hint{i}", seen[$"vace_blocks.{i}.proj_out"]);
        }

        yield return ("mid.block0.self_attn", seen["blocks.0.attn1"]);
        yield return ("mid.block0.cross_attn", seen["blocks.0.attn2"]);
        yield return ("mid.block0.ffn", seen["blocks.0.ffn"]);
        yield return ("mid.head", seen["proj_out"]);
        yield return ("mid.rope_q_first", seen["rope_q"]);
        yield return ("mid.rope_k_first", seen["rope_k"]);
    }

    private void Listen()
    {
        var modules = network.named_modules().ToDictionary(pair => pair.name, pair => pair.module, StringComparer.Ordinal);
        foreach (var (name, module) in modules)
        {
            if (name == "condition_embedder.time_embedder")
            {
                ((Module<Tensor, Tensor>)module).register_forward_hook((_, input, output) =>
                {
                    Keep("time_sinusoid", input);
                    return Keep(name, output);
                });
            }
            else if (name is "patch_embedding" or "vace_patch_embedding" or "condition_embedder.text_embedder" or "condition_embedder.image_embedder"
                or "condition_embedder.time_proj" or "blocks.0.ffn" or "proj_out" || (name.StartsWith("vace_blocks.", StringComparison.Ordinal) && name.Split('.') is [_, _, "proj_out"]))
            {
                ((Module<Tensor, Tensor>)module).register_forward_hook((_, _, output) => Keep(name, output));
            }
            else if (module is Module<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor> block)
                block.register_forward_hook((_, _, _, _, _, _, output) => Keep(name, output));
            else if (name == "blocks.0.attn2")
                ((Module<Tensor, Tensor, Tensor, Tensor>)module).register_forward_hook((_, _, _, _, output) => Keep(name, output));
            else if (name == "blocks.0.attn1")
                ((Module<Tensor, Tensor, Tensor>)module).register_forward_hook((_, _, _, output) => Keep(name, output));
        }

        // The first that the reference runs is that of the VACE blocks, where there are some.
        var first = (network.Config.VaceLayers is null ? "blocks" : "vace_blocks") + ".0.attn1";
        Tensor? rotation = null;
        ((Module<Tensor, Tensor, Tensor>)modules[first]).register_forward_pre_hook((_, x, table) =>
        {
            rotation = table;
            return (x, table);
        });
        foreach (var letter in (string[])["q", "k"])
        {
            ((Module<Tensor, Tensor>)modules[$"{first}.norm_{letter}"]).register_forward_hook((_, _, output) =>
            {
                Keep($"rope_{letter}", RotaryPositions.Rotate(output, rotation!, network.Config.NumAttentionHeads));
                return output;
            });
        }
    }

    private Tensor Keep(string name, Tensor value)
    {
        seen[name] = value.clone().DetachFromDisposeScope();
        return value;
    }
}
