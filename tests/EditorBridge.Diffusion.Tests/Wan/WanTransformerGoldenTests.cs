using EditorBridge.Diffusion.Tests.Goldens;
using EditorBridge.Diffusion.Wan;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace EditorBridge.Diffusion.Tests.Wan;

public class WanTransformerGoldenTests
{
    private const double Tolerance = 2e-5;

    [Theory]
    [InlineData("dit_t2v", "case_basic")]
    [InlineData("dit_t2v", "case_batch2")]
    [InlineData("dit_t2v", "case_image")]
    [InlineData("dit_t2v", "case_oddpad")]
    [InlineData("dit_ti2v", "case_i2v_tokens")]
    [InlineData("dit_ti2v", "case_batch2_tokens")]
    [InlineData("dit_ti2v", "case_random_tokens_pad")]
    [InlineData("dit_ti2v", "case_scalar_t")]
    public void GivesTheNumbersOfTheReference(string model, string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var network = WanGoldens.Network(model);
        using var golden = GoldenCase.Open($"{model}/{name}");
        var seen = Listen(network);

        var samples = golden.Names.Count(key => key.StartsWith("in.x.", StringComparison.Ordinal));
        for (var n = 0; n < samples; n++)
        {
            var latent = golden[$"in.x.{n}"].unsqueeze(0);
            var context = WanGoldens.Padded(golden[$"in.context.{n}"], network.Config.TextLen);
            var (frames, tokens) = (latent.shape[2], latent.shape[2] * (latent.shape[3] / 2) * (latent.shape[4] / 2));
            var t = golden["in.t"];

            Tensor result;
            Tensor tokenTimes;
            if (t.dim() == 1)
            {
                tokenTimes = t[n].expand(1, tokens);
                result = network.Forward([new LatentSegment(latent, t[n].expand(1, frames), Counting(frames))], context)[0];
            }
            else
            {
                tokenTimes = t[n].narrow(0, 0, tokens).unsqueeze(0);
                result = network.ForwardTokens(latent, tokenTimes, context);
            }

            AssertClose("out", golden[$"out.{n}"], result[0]);
            AssertIntermediates(golden, n, seen, tokenTimes);
        }
    }

    [Fact]
    public void PerFrameTimestepsAreThoseOfTheirTokens()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var network = WanGoldens.Network("dit_ti2v");
        using var golden = GoldenCase.Open("dit_ti2v/case_i2v_tokens");
        var latent = golden["in.x.0"].unsqueeze(0);
        var frameTimes = golden["in.t"].view(1, 3, -1)[.., .., 0];
        Assert.Equal(0, frameTimes[0, 0].item<float>());
        var result = network.Forward([new LatentSegment(latent, frameTimes, [0, 1, 2])], WanGoldens.Padded(golden["in.context.0"], network.Config.TextLen));
        AssertClose("out", golden["out.0"], result[0][0]);
    }

    [Fact]
    public void ReadsBothNamings()
    {
        foreach (var model in (string[])["dit_t2v", "dit_ti2v"])
        {
            using var json = System.Text.Json.JsonDocument.Parse(File.ReadAllText(GoldenCase.PathOf($"{model}/weights.config.json")));
            var map = json.RootElement.GetProperty("key_map").EnumerateObject().ToDictionary(pair => pair.Name, pair => pair.Value.GetString()!);
            foreach (var (original, diffusers) in map)
            {
                Assert.Equal(diffusers, WanTransformerKeys.FromOriginal(original));
                Assert.Equal(diffusers, WanTransformerKeys.FromOriginal(diffusers));
            }

            using var network = new WanTransformer(WanGoldens.Config(model));
            Assert.Equal(map.Values.Order(StringComparer.Ordinal), network.state_dict().Keys.Order(StringComparer.Ordinal));
        }
    }

    private static double[] Counting(long count) => [.. Enumerable.Range(0, (int)count)];

    private static void AssertIntermediates(GoldenCase golden, int n, Dictionary<string, Tensor> seen, Tensor tokenTimes)
    {
        var tokens = tokenTimes.shape[1];
        var call = n == 0 ? "" : $"#{n + 1}";
        var patches = golden[$"mid.patch_embedding{call}"][0].flatten(1).transpose(0, 1);
        AssertClose("patch_embedding", patches, seen["patch_embedding"][0]);
        AssertClose("text_embedding", golden["mid.text_embedding"][n], seen["condition_embedder.text_embedder"][0]);

        // The reference repeats the time embedding of a token's timestep; ours has one row per distinct timestep.
        var times = tokenTimes.to(float64).contiguous().data<double>().ToArray();
        var distinct = times.Distinct().ToList();
        var rows = tensor(times.Select(time => (long)distinct.IndexOf(time)).ToArray());
        foreach (var (name, module) in (ReadOnlySpan<(string, string)>)
            [("time_sinusoid", "time_sinusoid"), ("time_embedding", "condition_embedder.time_embedder"), ("time_projection", "condition_embedder.time_proj")])
        {
            Assert.Equal(distinct.Count, seen[module].shape[0]);
            var reference = golden[$"mid.{name}"];
            if (golden["in.t"].dim() == 2 || golden.Names.Contains("in.seq_len") && reference.shape[0] != golden["in.t"].shape[0])
                reference = reference.view(-1, golden["mid.block0"].shape[1], reference.shape[^1])[n].narrow(0, 0, tokens);
            else
                reference = reference.reshape(-1, reference.shape[^1])[n].expand(tokens, -1);
            AssertClose(name, reference, seen[module].index_select(0, rows));
        }

        foreach (var block in (int[])[0, 1])
            AssertTokens($"block{block}", $"blocks.{block}");
        AssertTokens("block0.self_attn", "blocks.0.attn1");
        AssertTokens("block0.cross_attn", "blocks.0.attn2");
        AssertTokens("block0.ffn", "blocks.0.ffn");
        AssertTokens("head", "proj_out");
        AssertTokens("rope_q_first", "rope_q");
        AssertTokens("rope_k_first", "rope_k");

        void AssertTokens(string name, string module)
        {
            var reference = golden[$"mid.{name}"][n].narrow(0, 0, tokens);
            AssertClose(name, reference, seen[module].reshape(reference.shape));
        }
    }

    private static Dictionary<string, Tensor> Listen(WanTransformer network)
    {
        var seen = new Dictionary<string, Tensor>();
        var modules = network.named_modules().ToDictionary(pair => pair.name, pair => pair.module);
        foreach (var name in (string[])["patch_embedding", "condition_embedder.text_embedder", "condition_embedder.time_proj", "blocks.0.ffn", "proj_out"])
            ((Module<Tensor, Tensor>)modules[name]).register_forward_hook((_, _, output) => Keep(name, output));
        ((Module<Tensor, Tensor>)modules["condition_embedder.time_embedder"]).register_forward_hook((_, input, output) =>
        {
            Keep("time_sinusoid", input);
            return Keep("condition_embedder.time_embedder", output);
        });

        foreach (var name in (string[])["blocks.0", "blocks.1"])
            ((Module<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor>)modules[name]).register_forward_hook((_, _, _, _, _, _, output) => Keep(name, output));
        ((Module<Tensor, Tensor, Tensor, Tensor>)modules["blocks.0.attn2"]).register_forward_hook((_, _, _, _, output) => Keep("blocks.0.attn2", output));

        Tensor? rotation = null;
        var attention = (Module<Tensor, Tensor, Tensor>)modules["blocks.0.attn1"];
        attention.register_forward_pre_hook((_, x, table) =>
        {
            rotation = table;
            return (x, table);
        });
        attention.register_forward_hook((_, _, _, output) => Keep("blocks.0.attn1", output));
        foreach (var letter in (string[])["q", "k"])
        {
            ((Module<Tensor, Tensor>)modules[$"blocks.0.attn1.norm_{letter}"]).register_forward_hook((_, _, output) =>
            {
                Keep($"rope_{letter}", RotaryPositions.Rotate(output, rotation!, network.Config.NumAttentionHeads));
                return output;
            });
        }

        return seen;

        Tensor Keep(string name, Tensor value)
        {
            seen[name] = value.clone().DetachFromDisposeScope();
            return value;
        }
    }

    private static void AssertClose(string name, Tensor golden, Tensor actual)
    {
        Assert.True(golden.shape.SequenceEqual(actual.shape), $"{name}: golden [{string.Join(",", golden.shape)}], got [{string.Join(",", actual.shape)}]");
        var error = (golden - actual).abs().max().item<float>() / golden.abs().max().item<float>();
        Assert.True(error <= Tolerance, $"{name}: off by {error:g3}");
    }
}
