using System.Text.Json;
using EditorBridge.Diffusion.Conditioning;
using EditorBridge.Diffusion.Samplers;
using EditorBridge.Diffusion.Tests.Goldens;
using EditorBridge.Diffusion.Text;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Safetensors;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Samplers;

public class EndToEndGoldenTests
{
    private const double Tolerance = 2e-4;

    [Theory]
    [InlineData("ti2v_t2v_unipc")]
    [InlineData("ti2v_i2v_unipc")]
    public void FromAPromptToTheVideoOfTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = GoldenCase.Open($"e2e/{name}");
        using var network = WanGoldens.Network("dit_ti2v");
        using var vae = WanGoldens.Vae();
        using var settings = JsonDocument.Parse(golden.Metadata["kwargs"]);
        var (steps, seed, guidance, shift) = (Int("sampling_steps"), Int("seed"), Number("guide_scale"), Number("shift"));

        var context = Encode(Text("input_prompt"), golden["in.prompt_context"], network.Config.TextLen);
        var negative = Encode(Text("n_prompt"), golden["in.neg_context"], network.Config.TextLen);

        var latents = golden["in.noise"].shape;
        var noise = FlowSampling.Noise([1, .. latents], seed);
        AssertClose(golden["in.noise"], noise[0], 1e-6);

        Tensor? first = null;
        if (golden.Has("mid.vae_encode0.in"))
        {
            first = vae.Encode(golden["mid.vae_encode0.in"].unsqueeze(0));
            AssertClose(golden["mid.vae_encode0.out"], first[0], Tolerance);
        }

        var conditioning = new ConditionedLatents(ConditioningLayout.Alone((int)latents[1], head: first is null ? 0 : 1), first);
        using var sampler = Sampler.Create(SamplerKind.UniPC, steps, shift);
        using var sampling = new FlowSampling(network, sampler, conditioning, noise, context, negative, guidance);
        while (sampling.StepsTaken < steps)
        {
            AssertClose(golden["mid.model_input_per_step"][sampling.StepsTaken], sampling.Latents[0], Tolerance);
            sampling.Step();
        }

        AssertClose(golden["out.final_latent"], sampling.Latents[0], Tolerance);
        AssertClose(golden["out.video"], vae.Decode(sampling.Latents)[0], Tolerance);

        string Text(string key) => settings.RootElement.GetProperty(key).GetString()!;
        int Int(string key) => settings.RootElement.GetProperty(key).GetInt32();
        double Number(string key) => settings.RootElement.GetProperty(key).GetDouble();
    }

    private static Tensor Encode(string prompt, Tensor golden, int length)
    {
        var tokenizer = SentencePieceTokenizer.Load(GoldenCase.PathOf("tokenizer/spm_bytefallback.model"));
        using var encoder = new UMT5Encoder(new UMT5Config { VocabSize = 1024, DModel = 64, DKv = 16, DFf = 128, NumHeads = 4, NumLayers = 3 });
        using var file = SafetensorsFile.Open(GoldenCase.PathOf("umt5/weights.hf.safetensors")).OrThrow();
        WeightLoader.Load(encoder, file, UMT5Encoder.RenameKey);
        var context = encoder.EncodeContext([tokenizer.EncodePrompt(prompt, length)], length);
        AssertClose(WanGoldens.Padded(golden, length), context, Tolerance);
        return context;
    }

    private static void AssertClose(Tensor golden, Tensor actual, double tolerance)
    {
        Assert.Equal(golden.shape, actual.shape);
        var error = (golden - actual).abs().max().item<float>();
        Assert.True(error <= tolerance, $"off by {error:g3}");
    }
}
