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
    [Trait("Speed", "slow")]
    public void SoDoesEveryFileOfAFolderGiven()
    {
        if (More is null)
            return;
        var failed = ParityRun.Cases(More).Where(ParityRun.IsKnown).Select(name => ParityRun.Run(More, name)).Where(result => !result.Pass).ToList();
        Assert.True(failed.Count == 0, string.Join('\n', failed.Select(result => $"{result.Case}: {result.Problem}")));
    }
}
