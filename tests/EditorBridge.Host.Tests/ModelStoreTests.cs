using EditorBridge.Client;
using EditorBridge.Host.Tests.Support;
using EditorBridge.Models.Tests.Store;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Host.Tests;

/// <summary>Models are added, inspected, pulled, verified and removed through the contract.</summary>
public sealed class ModelStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MisbehavingHub _hub = new();

    public void Dispose()
    {
        _hub.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_model_is_added_where_it_lies_and_forgotten_again()
    {
        await using var host = await StartAsync();
        var path = SmallModel.Make(_folder.Path);
        using (var client = await host.ConnectAsync())
        {
            var inspected = Assert.Single(await client.InspectModelsAsync(path));
            Assert.Equal((true, "small", 3), (inspected.Ready, inspected.ModelId, inspected.Networks.Count));
            await RefusedAsync("MODEL_EXISTS", "--name", () => client.AddModelsAsync(path));
            await RefusedAsync("INVALID_ARGUMENT", "lower-case", () => client.AddModelsAsync(path, "../mine"));
            await RefusedAsync("MODEL_UNKNOWN", "There is no file or folder", () => client.AddModelsAsync(path + "-not"));
            await RefusedAsync("INVALID_ARGUMENT", "full path", () => client.InspectModelsAsync("small"));
            var added = Assert.Single(await client.AddModelsAsync(path, "mine"));
            Assert.Equal(("models/mine", Model.Types.State.Ready, path), (added.Name, added.State, added.LocalPath));
            var planned = RunningHost.Job();
            planned.Spec.Model = "models/mine";
            Assert.Empty((await client.PlanAsync(planned.Spec)).Refusals);
        }

        await host.TerminateAsync();
        await host.StartAsync();
        using var later = await host.ConnectAsync();
        Assert.Contains(await later.ListModelsAsync(), model => model.Name == "models/mine");
        Assert.False((await later.RemoveModelAsync("models/mine")).FilesDeleted);
        Assert.DoesNotContain(await later.ListModelsAsync(), model => model.Name == "models/mine");
        Assert.True(File.Exists(Path.Combine(path, "model_index.json")));
        await RefusedAsync("MODEL_NOT_REMOVABLE", "EDITORBRIDGE_MODELS", () => later.RemoveModelAsync("models/small"));
        await RefusedAsync("MODEL_NOT_FOUND", "no model", () => later.RemoveModelAsync("models/mine"));
        await RefusedAsync("MODEL_NOT_FOUND", "no model", () => later.RemoveModelAsync("models/../x"));
    }

    [Fact]
    public async Task A_model_is_pulled_verified_mended_and_removed()
    {
        var source = SmallModel.Make(_folder.Path);
        foreach (var file in Directory.GetFiles(source, "*", SearchOption.AllDirectories))
            _hub.Files[Path.GetRelativePath(source, file).Replace('\\', '/')] = await File.ReadAllBytesAsync(file);
        const string weights = "transformer/diffusion_pytorch_model.safetensors";
        _hub.At(weights, new Mischief { CutAfter = 10 });
        await using var host = await StartAsync();
        using var client = await host.ConnectAsync();
        var model = await client.PullModelAsync(MisbehavingHub.Repository);
        Assert.Equal(("models/film", Model.Types.State.Ready, MisbehavingHub.Repository, "apache-2.0"), (model.Name, model.State, model.Repository, model.License));
        Assert.Equal(Path.Combine(host.Data, "models", "film"), model.LocalPath);
        var verified = await client.VerifyModelAsync("models/film");
        Assert.Equal((_hub.Files.Count, 0), (verified.HashedFiles, verified.Problems.Count));

        var damaged = Path.Combine(model.LocalPath, weights);
        var bytes = await File.ReadAllBytesAsync(damaged);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(damaged, bytes);
        Assert.Contains("pull it again", Assert.Single((await client.VerifyModelAsync("models/film")).Problems), StringComparison.Ordinal);
        _hub.Requests.Clear();
        await client.PullModelAsync(MisbehavingHub.Repository);
        Assert.Equal(2, _hub.Requests.Count);
        Assert.Empty((await client.VerifyModelAsync("models/film")).Problems);

        Assert.True((await client.RemoveModelAsync("models/film")).FilesDeleted);
        Assert.False(Directory.Exists(model.LocalPath));
        Assert.DoesNotContain(await client.ListModelsAsync(), other => other.Name == "models/film");
    }

    [Fact]
    public async Task A_pull_that_fails_says_why_and_leaves_no_model()
    {
        _hub.Files["model_index.json"] = [1, 2, 3];
        _hub.At("model_index.json", new Mischief { Damage = true }, new Mischief { Damage = true });
        _hub.At("list", new Mischief(), new Mischief { Status = 403 });
        await using var host = await StartAsync();
        using var client = await host.ConnectAsync();
        await RefusedAsync("FILE_DAMAGED", "'model_index.json' of acme/film", () => client.PullModelAsync(MisbehavingHub.Repository));
        await RefusedAsync("HUB_REFUSED", "HF_TOKEN", () => client.PullModelAsync(MisbehavingHub.Repository));
        await RefusedAsync("MODEL_UNKNOWN", "wan2.2-ti2v-5b", () => client.PullModelAsync("wan9"));
        Assert.DoesNotContain(await client.ListModelsAsync(), other => other.Name == "models/film");
        Assert.True((await client.RemoveModelAsync("models/film")).FilesDeleted);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(host.Data, "models", ".pulling")));
    }

    [Fact]
    public async Task The_catalogue_names_licences_and_what_can_be_run()
    {
        await using var host = await StartAsync();
        using var client = await host.ConnectAsync();
        var catalogue = await client.ListCatalogueAsync();
        Assert.All(catalogue, entry => Assert.Equal("Apache-2.0", entry.License));
        Assert.All(catalogue, entry => Assert.True(entry.Supported));
        Assert.All(catalogue, entry => Assert.False(entry.Installed));
    }

    private Task<RunningHost> StartAsync() => RunningHost.StartAsync(("Hub", _hub.Address.ToString()), ("MeasureSpeed", "false"));

    private static async Task RefusedAsync(string reason, string says, Func<Task> call)
    {
        var error = await Assert.ThrowsAsync<EditorBridgeException>(call);
        Assert.Equal(reason, error.Reason);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }
}
