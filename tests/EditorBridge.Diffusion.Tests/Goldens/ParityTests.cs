using EditorBridge.Diffusion.Parity;
using EditorBridge.Diffusion.Samplers;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Tests.Shared;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Goldens;

/// <summary>Every golden file in the checkout; with EDITORBRIDGE_GOLDENS, every one in that folder too.</summary>
public class ParityTests
{
    private static readonly string Data = GoldenCase.PathOf("");

    private static readonly string? More = Environment.GetEnvironmentVariable("EDITORBRIDGE_GOLDENS");

    public static TheoryData<string> Cases() => [.. ParityRun.Cases(Data).Where(ParityRun.IsKnown)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void GivesTheNumbersOfTheReference(string name)
    {
        var result = ParityRun.Run(Data, name);
        Assert.True(result.Pass, result.Problem);
        Assert.InRange(result.Worst, 0, result.Tolerance);
    }

    [Fact]
    public void EveryKindIsThere() =>
        Assert.Equal(["clip", "dit_i2v", "dit_t2v", "dit_ti2v", "dit_vace", "e2e", "schedulers", "tokenizer", "umt5", "vae21", "vae22"],
            ParityRun.Cases(Data).Where(ParityRun.IsKnown).Select(name => name.Split('/')[0]).Distinct());

    [Fact]
    public void NoiseIsThatOfTheReferencesGenerator()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFile.Open(GoldenCase.PathOf("e2e/ti2v_i2v_unipc.safetensors"));
        var noise = golden["in.noise"];
        Assert.True(FlowSampling.Noise([1, .. noise.shape], golden.Json("kwargs").GetProperty("seed").GetInt64())[0].allclose(noise, 0, 1e-6));
    }

    [Fact]
    public void WhatDiffersIsSaidAndFails()
    {
        using var folder = new TemporaryFolder();
        var kind = Directory.CreateDirectory(folder.File("vae22")).FullName;
        foreach (var file in (string[])["weights.config.json", "weights.diffusers.safetensors", "decode_f1.safetensors"])
            File.Copy(GoldenCase.PathOf($"vae22/{file}"), Path.Combine(kind, file));
        Assert.Equal(["vae22/decode_f1.safetensors"], ParityRun.Cases(folder.Path));
        Assert.True(ParityRun.Run(folder.Path, "vae22/decode_f1.safetensors").Pass);

        // The last tensor's last number: a part of the video.
        var path = Path.Combine(kind, "decode_f1.safetensors");
        var bytes = File.ReadAllBytes(path);
        BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 4), BitConverter.ToSingle(bytes, bytes.Length - 4) + 0.01f);
        File.WriteAllBytes(path, bytes);
        var result = ParityRun.Run(folder.Path, "vae22/decode_f1.safetensors");
        Assert.False(result.Pass);
        Assert.InRange(result.Worst, 0.005, 0.1);
        Assert.Equal(2e-5, result.Tolerance);
        Assert.Contains("out.video", result.Problem);

        // Known by its folder, but nothing that is known there.
        WeightSaver.Save(new Dictionary<string, Tensor> { ["out.strange"] = zeros(2) }, Path.Combine(kind, "strange.safetensors"));
        Assert.Contains("not run", ParityRun.Run(folder.Path, "vae22/strange.safetensors").Problem);
        File.Delete(Path.Combine(kind, "weights.config.json"));
        Assert.Contains("weights.config.json", ParityRun.Run(folder.Path, "vae22/decode_f1.safetensors").Problem);
    }

    [Fact]
    public void AFileThatHoldsNonsenseDoesNotEndTheRun()
    {
        using var folder = new TemporaryFolder();
        var kind = Directory.CreateDirectory(folder.File("dit_t2v")).FullName;
        foreach (var file in (string[])["weights.config.json", "weights.original.safetensors"])
            File.Copy(GoldenCase.PathOf($"dit_t2v/{file}"), Path.Combine(kind, file));
        // Weights are told by their config, whatever they say of themselves.
        File.WriteAllText(Path.Combine(kind, "other.config.json"), "{}");
        WeightSaver.Save(new Dictionary<string, Tensor> { ["w"] = zeros(2) }, Path.Combine(kind, "other.original.safetensors"));
        using var scope = NewDisposeScope();
        // A latent without a time axis; a timestep that is a single number; one that is missing.
        var whole = new Dictionary<string, Tensor> { ["in.x.0"] = zeros(16, 2, 4, 4), ["in.context.0"] = zeros(3, 64), ["in.t"] = zeros(1), ["out.0"] = zeros(16, 2, 4, 4) };
        WeightSaver.Save(new Dictionary<string, Tensor>(whole) { ["in.x.0"] = zeros(32, 4, 4) }, Path.Combine(kind, "flat.safetensors"));
        WeightSaver.Save(new Dictionary<string, Tensor>(whole) { ["in.t"] = tensor(5f) }, Path.Combine(kind, "single.safetensors"));
        WeightSaver.Save(whole.Where(pair => pair.Key != "in.t").ToDictionary(), Path.Combine(kind, "timeless.safetensors"));
        var names = ParityRun.Cases(folder.Path);
        Assert.Equal(["dit_t2v/flat.safetensors", "dit_t2v/single.safetensors", "dit_t2v/timeless.safetensors"], names);
        Assert.All(names, name => Assert.Contains("not run", ParityRun.Run(folder.Path, name).Problem));
    }

    [Fact]
    public void TheShiftInANameMayHaveAFraction()
    {
        using var folder = new TemporaryFolder();
        var kind = Directory.CreateDirectory(folder.File("schedulers")).FullName;
        var schedule = FlowSchedule.WanUniPC(3, 2.5);
        using var scope = NewDisposeScope();
        var zero = zeros(1, 4);
        var steps = stack([zero, zero, zero]);
        foreach (var name in (string[])["unipc_shift2.5_steps3", "unipc_shift2p5_steps3"])
        {
            WeightSaver.Save(new Dictionary<string, Tensor>
            {
                ["in.A"] = zero, ["in.B"] = zero, ["in.C"] = zero, ["in.x_init"] = zero, ["out.timesteps"] = tensor(schedule.Timesteps.ToArray()),
                ["out.sigmas"] = tensor(schedule.Sigmas.ToArray()), ["out.samples"] = steps,
            }, Path.Combine(kind, name + ".safetensors"));
            Assert.Null(ParityRun.Run(folder.Path, $"schedulers/{name}.safetensors").Problem);
        }
    }

    [Fact]
    [Trait("Speed", "slow")]
    public void SoDoesEveryFileOfAFolderGiven()
    {
        if (More is null)
            return;
        var failed = ParityRun.Cases(More).Where(ParityRun.IsKnown).Select(name => ParityRun.Run(More, name)).Where(result => !result.Pass).ToList();
        Assert.True(failed.Count == 0, string.Join('\n', failed.Select(result => $"{result.Case}: {result.Problem}")));
    }
}
