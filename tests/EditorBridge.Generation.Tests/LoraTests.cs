using EditorBridge.Diffusion.Weights;
using EditorBridge.Media;
using EditorBridge.Models.Variants;
using EditorBridge.Planning;
using EditorBridge.Tests.Models;
using EditorBridge.Timeline;

namespace EditorBridge.Generation.Tests;

/// <summary>LoRAs are added to the transformers they are for; what has no place is listed.</summary>
[Collection(Networks.Name)]
public sealed class LoraTests(TinyModel tiny) : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("editorbridge-lora-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public async Task A_LoRA_counts_by_its_strength_and_for_the_expert_it_is_for()
    {
        using var checkpoint = new TinyCheckpoint(WanLine.TextToVideo, pair: true, Path.Combine(AppContext.BaseDirectory, "spiece.model"));
        var folder = checkpoint.WriteDiffusers(Path.Combine(root, "model"));
        var lora = await LoraAsync("diffusion_model.blocks.7.cross_attn.k");
        var plain = Frames(folder, []);
        Assert.Equal(plain, Frames(folder, [lora with { Strength = 0 }]));
        List<List<ushort[]>> all = [plain, .. new[] { lora, lora with { Strength = 0.5 }, lora with { Expert = LoraExpert.HighNoise }, lora with { Expert = LoraExpert.LowNoise } }.Select(one => Frames(folder, [one]))];
        for (var i = 0; i < all.Count; i++)
            for (var j = 0; j < i; j++)
                Assert.NotEqual(all[i], all[j]);

        using var model = LoadedModel.Load(folder, "tiny", "cpu", [lora]);
        Assert.Equal(2, model.LoraNotes.Count);
        Assert.All(model.LoraNotes, note => Assert.Contains("changed 2 weights", note, StringComparison.Ordinal));
        Assert.All(model.LoraNotes, note => Assert.Contains("no place was found for blocks.7.cross_attn.k", note, StringComparison.Ordinal));
        using var job = new TestJob(Request(), model.Capabilities);
        Assert.Equal("model_changed", Assert.Throws<GenerationException>(() => job.Run(model, new KeptFrames())).Code);
    }

    [Fact]
    public async Task A_LoRA_of_another_model_or_that_has_changed_is_refused_with_what_does_not_fit()
    {
        // The small model is narrower.
        var lora = await LoraAsync("");
        var refused = Assert.Throws<GenerationException>(() => LoadedModel.Load(tiny.Folder, "tiny", "cpu", [lora]));
        Assert.Equal("lora_unusable", refused.Code);
        Assert.Contains("'blocks.0.attn1.to_q.weight' is [48, 48]", refused.Message, StringComparison.Ordinal);
        await File.AppendAllTextAsync(lora.Path, " ");
        Assert.Equal("lora_changed", Assert.Throws<GenerationException>(() => LoadedModel.Load(tiny.Folder, "tiny", "cpu", [lora])).Code);
        Assert.Equal("lora_unsupported", Assert.Single(Planner.Plan(Request() with { Loras = [lora with { Expert = LoraExpert.LowNoise }] }, tiny.Model.Capabilities, SpeedFigures.Unknown).Refusals).Code);
    }

    [Fact]
    public async Task A_LoRA_for_the_expert_for_low_noise_alone_leaves_the_other_as_it_is()
    {
        var path = Path.Combine(root, "low.safetensors");
        using (TorchSharp.torch.NewDisposeScope())
        {
            WeightSaver.Save(new Dictionary<string, TorchSharp.torch.Tensor>
            {
                ["transformer_2.blocks.0.attn1.to_q.lora_A.weight"] = TorchSharp.torch.ones(2, 128), ["transformer_2.blocks.0.attn1.to_q.lora_B.weight"] = TorchSharp.torch.ones(128, 2),
            }, path);
        }

        var lora = new LoraRequest { Path = path, Sha256 = await FrozenFrames.HashAsync(path) };
        using var checkpoint = new TinyCheckpoint(WanLine.TextToVideo, pair: true, Path.Combine(AppContext.BaseDirectory, "spiece.model"));
        var folder = checkpoint.WriteDiffusers(Path.Combine(root, "model"));
        using (var model = LoadedModel.Load(folder, "tiny", "cpu", [lora]))
            Assert.Contains("changed 1 weights of the transformer for low noise", Assert.Single(model.LoraNotes), StringComparison.Ordinal);
        Assert.Equal(Frames(folder, [lora]), Frames(folder, [lora with { Expert = LoraExpert.LowNoise }]));
        Assert.NotEqual(Frames(folder, []), Frames(folder, [lora]));
        Assert.Contains("leave @high out", Assert.Throws<GenerationException>(() => LoadedModel.Load(folder, "tiny", "cpu", [lora with { Expert = LoraExpert.HighNoise }])).Message, StringComparison.Ordinal);
        Assert.Contains("a model of two experts", Assert.Throws<GenerationException>(() => LoadedModel.Load(tiny.Folder, "tiny", "cpu", [lora])).Message, StringComparison.Ordinal);
    }

    private async Task<LoraRequest> LoraAsync(string stray)
    {
        var path = Path.Combine(root, "lora.safetensors");
        TinyCheckpoint.WriteLora(path, stray);
        return new LoraRequest { Path = path, Sha256 = await FrozenFrames.HashAsync(path) };
    }

    private static JobRequest Request() => TestJob.Request(JobKind.BRoll, 5, new FrameRate(16)) with { Shift = 1 };

    private static List<ushort[]> Frames(string folder, IReadOnlyList<LoraRequest> loras)
    {
        using var model = LoadedModel.Load(folder, "tiny", "cpu", loras);
        using var job = new TestJob(Request() with { Loras = loras }, model.Capabilities);
        var clip = new KeptFrames();
        job.Run(model, clip);
        return clip.Frames;
    }
}
