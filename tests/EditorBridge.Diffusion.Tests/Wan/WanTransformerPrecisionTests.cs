using EditorBridge.Diffusion.Tests.Goldens;
using EditorBridge.Diffusion.Wan;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace EditorBridge.Diffusion.Tests.Wan;

/// <summary>
/// In bfloat16 every number has the type that the reference's autocast gives it. There are no golden numbers for that, so a second, plain
/// writing of those rules is held against the network.
/// </summary>
public class WanTransformerPrecisionTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void RoundsWhereTheReferenceRounds(bool storedSo)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var network = WanGoldens.Network("dit_ti2v");
        using var golden = GoldenCase.Open("dit_ti2v/case_i2v_tokens");
        var latent = golden["in.x.0"].unsqueeze(0);
        var context = WanGoldens.Padded(golden["in.context.0"], network.Config.TextLen);
        var times = full([1, 3], 700.0);
        if (storedSo)
            network.to(bfloat16);
        else
            network.ComputeType = ScalarType.BFloat16;
        var types = Listen(network);
        var actual = network.Forward([new LatentSegment(latent, times, [0, 1, 2])], context)[0];

        var weights = network.state_dict();
        var expected = ByTheRules(weights, network.Config.NumLayers, network.Config.NumAttentionHeads, latent, 700, context, residual: float32);
        var rounded = ByTheRules(weights, network.Config.NumLayers, network.Config.NumAttentionHeads, latent, 700, context, residual: bfloat16);
        Assert.InRange(Difference(actual, expected), 0, 1e-3);
        Assert.True(Difference(rounded, expected) > 3e-3, "A stream in bfloat16 would not be noticed.");

        Assert.All(types.Where(pair => pair.Key.StartsWith("block", StringComparison.Ordinal)), pair => Assert.Equal(ScalarType.Float32, pair.Value));
        Assert.Equal(ScalarType.Float32, types["time_proj"]);
        Assert.Equal(ScalarType.Float32, types["head"]);
        Assert.Equal(ScalarType.BFloat16, types["ffn"]);
        Assert.Equal(ScalarType.Float32, actual.dtype);
    }

    private static double Difference(Tensor a, Tensor b) => ((a - b).norm() / b.norm()).item<float>();

    private static Dictionary<string, ScalarType> Listen(WanTransformer network)
    {
        var types = new Dictionary<string, ScalarType>();
        foreach (var (name, module) in network.named_modules())
        {
            if (module is Module<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor> block)
                block.register_forward_hook((_, _, _, _, _, _, output) => Note("block" + name, output));
            else if (name is "proj_out" or "condition_embedder.time_proj" or "blocks.0.ffn")
                ((Module<Tensor, Tensor>)module).register_forward_hook((_, _, output) => Note(name switch { "proj_out" => "head", "blocks.0.ffn" => "ffn", _ => "time_proj" }, output));
        }

        return types;

        Tensor Note(string name, Tensor output)
        {
            types[name] = output.dtype;
            return output;
        }
    }

    private static Tensor ByTheRules(
        IReadOnlyDictionary<string, Tensor> w, int layers, int heads, Tensor latent, double time, Tensor context, ScalarType residual)
    {
        Tensor Linear(string name, Tensor x, ScalarType type) => functional.linear(x.to(type), w[name + ".weight"].flatten(1).to(type), w[name + ".bias"].to(type));
        Tensor Half(string name, Tensor x) => Linear(name, x, bfloat16);
        Tensor Norm(Tensor x) => functional.layer_norm(x.to(float32), [x.shape[^1]], null, null, 1e-6).to(x.dtype);
        Tensor Rms(string name, Tensor x)
        {
            var wide = x.to(float32);
            return (wide * (wide.square().mean([-1], keepdim: true) + 1e-6).rsqrt()).to(x.dtype) * w[name + ".weight"];
        }

        Tensor Gelu(Tensor x) => functional.gelu(x, TorchSharp.Modules.GELU.Approximate.tanh);
        Tensor Heads(Tensor x) => x.to(bfloat16).unflatten(2, [heads, -1]).transpose(1, 2);
        var (c, f, h, v) = (latent.shape[1], latent.shape[2], latent.shape[3] / 2, latent.shape[4] / 2);
        var patches = latent.reshape(1, c, f, h, 2, v, 2).permute(0, 2, 3, 5, 1, 4, 6).reshape(1, f * h * v, c * 4);
        var x = Half("patch_embedding", patches); // bfloat16 until the first gated sum

        var half = 128;
        var angles = time * (arange(half, dtype: float64) * (-Math.Log(10000) / half)).exp();
        var sinusoid = cat([angles.cos(), angles.sin()]).to(float32).unsqueeze(0);
        var e = Linear("condition_embedder.time_embedder.linear_2", functional.silu(Linear("condition_embedder.time_embedder.linear_1", sinusoid, float32)), float32);
        var e0 = Linear("condition_embedder.time_proj", functional.silu(e), float32).view(1, 6, -1);
        var text = Half("condition_embedder.text_embedder.linear_2", Gelu(Half("condition_embedder.text_embedder.linear_1", context)));
        var table = RotaryPositions.Table([([.. Enumerable.Range(0, (int)f).Select(i => (double)i)], h, v)], (int)(x.shape[2] / heads), CPU);

        for (var i = 0; i < layers; i++)
        {
            var block = $"blocks.{i}.";
            var m = (w[block + "scale_shift_table"].to(float32) + e0).chunk(6, 1);
            var y = Norm(x).to(float32) * (1 + m[1]) + m[0];
            var a = block + "attn1.";
            Tensor Turned(string name) => RotaryPositions.Rotate(Rms(a + "norm_" + name, Half(a + "to_" + name, y)).to(float32), table, heads).flatten(2);
            y = functional.scaled_dot_product_attention(Heads(Turned("q")), Heads(Turned("k")), Heads(Half(a + "to_v", y)));
            x = (x.to(float32) + Half(a + "to_out.0", y.transpose(1, 2).flatten(2)).to(float32) * m[2]).to(residual);

            y = functional.layer_norm(x.to(float32), [x.shape[^1]], w[block + "norm2.weight"].to(float32), w[block + "norm2.bias"].to(float32), 1e-6).to(x.dtype);
            a = block + "attn2.";
            y = functional.scaled_dot_product_attention(
                Heads(Rms(a + "norm_q", Half(a + "to_q", y))), Heads(Rms(a + "norm_k", Half(a + "to_k", text))), Heads(Half(a + "to_v", text)));
            x = (x.to(float32) + Half(a + "to_out.0", y.transpose(1, 2).flatten(2)).to(float32)).to(residual);

            y = Norm(x).to(float32) * (1 + m[4]) + m[3];
            x = (x.to(float32) + Half(block + "ffn.net.2", Gelu(Half(block + "ffn.net.0.proj", y))).to(float32) * m[5]).to(residual);
        }

        var head = (w["scale_shift_table"].to(float32) + e.unsqueeze(1)).chunk(2, 1);
        var tokens = Linear("proj_out", Norm(x.to(float32)) * (1 + head[1]) + head[0], float32);
        return tokens.view(1, f, h, v, 1, 2, 2, -1).permute(0, 7, 1, 4, 2, 5, 3, 6).reshape(1, -1, f, h * 2, v * 2);
    }
}
