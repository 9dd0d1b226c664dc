using System.Security.Cryptography;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Networks;
using EditorBridge.Models.Safetensors;
using EditorBridge.Models.Store;
using EditorBridge.Models.Store.Pull;
using EditorBridge.Models.Variants;
using EditorBridge.Tests.Models;

namespace EditorBridge.Models.Tests.Store;

public sealed class ModelPlaceTests : IDisposable
{
    private static readonly IReadOnlyDictionary<string, WantedTensor> Blank = NetworkTensors.Transformer(new WanTransformerConfig
    {
        NumAttentionHeads = 1, AttentionHeadDim = 128, InChannels = 16, OutChannels = 16, TextDim = 8, FreqDim = 8, FfnDim = 8, NumLayers = 1,
    });

    private static readonly IReadOnlyDictionary<string, WantedTensor> Vae = NetworkTensors.Vae(WanVaeConfig.Wan21 with { BaseDim = 2 });

    private static readonly IReadOnlyDictionary<string, WantedTensor> Text =
        NetworkTensors.TextEncoder(new UMT5Config { VocabSize = 4, DModel = 8, DKv = 4, DFf = 8, NumHeads = 2, NumLayers = 1 });

    private readonly string _folder = Directory.CreateTempSubdirectory("places-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void ADiffusersFolderIsDescribedByItsTensors()
    {
        var model = Diffusers(Path.Combine(_folder, "My Model (2)"));
        var place = Assert.Single(ModelPlace.Find(model).OrThrow());
        Assert.Equal((model, "my-model-2", ModelOrigin.Folder), (place.Location, place.Name, place.Origin));
        var found = InspectedModel.Of(place);
        Assert.Null(found.Problem);
        Assert.Equal((ModelLayout.Diffusers, WanLine.TextToVideo), (found.Layout, found.Variant!.Line));
        Assert.Equal([NetworkKind.Transformer, NetworkKind.Vae, NetworkKind.TextEncoder], found.Networks.Select(network => network.Kind!.Value));
        Assert.Equal(Directory.GetFiles(model, "*.safetensors", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length), found.Bytes);
    }

    [Fact]
    public void WhatIsMissingIsSaidAndTheRestDescribed()
    {
        var model = Diffusers(Path.Combine(_folder, "model"));
        Directory.Delete(Path.Combine(model, "vae"), recursive: true);
        var found = InspectedModel.Of(Assert.Single(ModelPlace.Find(model).OrThrow()));
        Assert.Contains("There is no 'vae'", found.Problem, StringComparison.Ordinal);
        Assert.NotNull(found.Variant);
    }

    [Fact]
    public async Task AFileWithoutATensorOfItsNetworkIsNotSound()
    {
        var model = Diffusers(Path.Combine(_folder, "model"));
        var file = Path.Combine(model, "transformer", "diffusion_pytorch_model.safetensors");
        Transformer(file, without: "blocks.0.ffn.net.2.bias");
        var place = Assert.Single(ModelPlace.Find(model).OrThrow());
        var found = InspectedModel.Of(place);
        Assert.Equal($"'{file}' does not hold the whole transformer it should: 'blocks.0.ffn.net.2.bias' is missing; download it again.", found.Problem);
        Assert.Equal(WanLine.TextToVideo, found.Variant!.Line);
        Assert.Equal([found.Problem, null, null], found.Networks.Select(network => network.Problem));
        Assert.Equal([found.Problem!], (await VerifiedModel.OfAsync(place, _ => { }, CancellationToken.None)).Problems);
    }

    [Fact]
    public void AFolderOfModelsHasThemAll()
    {
        Diffusers(Path.Combine(_folder, "b"));
        Diffusers(Path.Combine(_folder, "a"));
        Assert.Equal(["a", "b"], ModelPlace.Find(_folder).OrThrow().Select(place => place.Name));
    }

    [Fact]
    public void AFolderOfNothingSaysWhatWouldDo()
    {
        Assert.Contains("name a Diffusers folder", ModelPlace.Find(_folder).Problem, StringComparison.Ordinal);
        Assert.Contains("There is no file or folder", ModelPlace.Find(Path.Combine(_folder, "none")).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheCacheOfHuggingFaceIsUsedWhereItLies()
    {
        if (OperatingSystem.IsWindows()) return; // Making links takes a privilege there; the cache has copies then, which are folders like others.
        var repository = Path.Combine(_folder, "hub", "models--Wan-AI--Wan2.1-T2V-1.3B-Diffusers");
        const string commit = "0123456789abcdef0123456789abcdef01234567";
        var snapshot = Path.Combine(repository, "snapshots", commit);
        Diffusers(snapshot);
        Directory.CreateDirectory(Path.Combine(repository, "refs"));
        await File.WriteAllTextAsync(Path.Combine(repository, "refs", "main"), commit);
        Diffusers(Path.Combine(repository, "snapshots", "ffffffffffffffffffffffffffffffffffffffff"));
        var blobs = Directory.CreateDirectory(Path.Combine(repository, "blobs")).FullName;
        foreach (var file in Directory.GetFiles(snapshot, "*.safetensors", SearchOption.AllDirectories))
        {
            var blob = Path.Combine(blobs, Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(file))));
            File.Move(file, blob, overwrite: true);
            File.CreateSymbolicLink(file, Path.GetRelativePath(Path.GetDirectoryName(file)!, blob));
        }

        foreach (var named in new[] { _folder, Path.Combine(_folder, "hub"), repository, snapshot })
        {
            var place = Assert.Single(ModelPlace.Find(named).OrThrow());
            Assert.Equal((snapshot, "wan2.1-t2v-1.3b"), (place.Location, place.Name));
        }

        var cached = Assert.Single(ModelPlace.Find(repository).OrThrow());
        Assert.Equal(ModelOrigin.HuggingFaceCache, cached.Origin);
        var found = InspectedModel.Of(cached);
        Assert.Null(found.Problem);
        Assert.True(found.Bytes > 300);
        var verified = await VerifiedModel.OfAsync(cached, _ => { }, CancellationToken.None);
        Assert.Equal((3, 0), (verified.Hashed, verified.Problems.Count));
        var damaged = Directory.GetFiles(blobs)[0];
        var bytes = await File.ReadAllBytesAsync(damaged);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(damaged, bytes);
        verified = await VerifiedModel.OfAsync(cached, _ => { }, CancellationToken.None);
        Assert.Contains("is damaged", Assert.Single(verified.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void ComfyUisFoldersHoldAModelForEachTransformer()
    {
        var models = Path.Combine(_folder, "ComfyUI", "models");
        Transformer(Path.Combine(models, "diffusion_models", "wan2.1_t2v_1.3B_fp16.safetensors"));
        Transformer(Path.Combine(models, "diffusion_models", "wan2.2_t2v_high_noise_14B_fp16.safetensors"));
        Transformer(Path.Combine(models, "diffusion_models", "wan2.2_t2v_low_noise_14B_fp16.safetensors"));
        Write(Path.Combine(models, "diffusion_models", "flux.safetensors"), ("double_blocks.0.img_attn.qkv.weight", [2, 2]));
        File.WriteAllText(Path.Combine(models, "diffusion_models", "broken.safetensors"), "no");
        BlankNetworks.Write(Path.Combine(models, "vae", "wan_2.1_vae.safetensors"), Vae);
        BlankNetworks.Write(Path.Combine(models, "text_encoders", "umt5.safetensors"), Text);
        foreach (var named in new[] { Path.Combine(_folder, "ComfyUI"), models })
        {
            var places = ModelPlace.Find(named).OrThrow();
            Assert.Equal(["wan2.1_t2v_1.3b_fp16", "wan2.2_t2v_high_noise_14b_fp16"], places.Select(place => place.Name));
            Assert.All(places, place => Assert.Equal(ModelOrigin.ComfyUI, place.Origin));
        }

        var found = ModelPlace.Find(models).OrThrow().Select(InspectedModel.Of).ToList();
        Assert.All(found, model => Assert.Null(model.Problem));
        Assert.Equal([3, 4], found.Select(model => model.Networks.Count));
        Assert.All(found, model => Assert.Equal(ModelLayout.ComfyUI, model.Layout));
    }

    [Theory]
    [InlineData("wan2.1-t2v-1.3b", true)]
    [InlineData("a", true)]
    [InlineData("../x", false)]
    [InlineData(".pulling", false)]
    [InlineData("a b", false)]
    [InlineData("A", false)]
    [InlineData("x-", false)]
    [InlineData("", false)]
    public void NamesAreFoldersAndResources(string name, bool valid) => Assert.Equal(valid, ModelName.IsValid(name));

    [Fact]
    public void NamesOfTheCatalogueAreValidAndFoundByRepositoryToo()
    {
        Assert.All(CatalogueEntry.All, entry =>
        {
            Assert.True(ModelName.IsValid(entry.Name));
            Assert.Same(entry, CatalogueEntry.Find(entry.Repository.ToUpperInvariant()));
        });
        Assert.Distinct(CatalogueEntry.All.Select(entry => entry.Name));
    }

    private static string Diffusers(string folder)
    {
        Transformer(Path.Combine(folder, "transformer", "diffusion_pytorch_model.safetensors"));
        BlankNetworks.Write(Path.Combine(folder, "vae", "diffusion_pytorch_model.safetensors"), Vae);
        BlankNetworks.Write(Path.Combine(folder, "text_encoder", "model.safetensors"), Text);
        Directory.CreateDirectory(Path.Combine(folder, "tokenizer"));
        File.WriteAllText(Path.Combine(folder, "tokenizer", "spiece.model"), "pieces");
        return folder;
    }

    private static void Transformer(string path, string? without = null) =>
        BlankNetworks.Write(path, Blank, name => name == without ? null : WanTransformerKeys.ToOriginal(name));

    private static void Write(string path, params (string Name, long[] Shape)[] tensors)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        SafetensorsWriter.Write(path, [.. tensors.Select(tensor =>
        {
            var count = tensor.Shape.Aggregate(1L, (product, size) => product * size);
            return new SafetensorsSource(tensor.Name, TensorType.U8, tensor.Shape, stream => stream.Write(new byte[count]));
        })]);
    }
}
