using System.Text;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Networks;
using EditorBridge.Models.Tests.Store;
using EditorBridge.Models.Variants;
using EditorBridge.Tests.Models;
using EditorBridge.Tests.Shared;

namespace EditorBridge.EndToEnd;

/// <summary>`editorbridge models`: list, add, inspect, pull from a hub that misbehaves, verify, remove.</summary>
public sealed class ModelVerbTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly MisbehavingHub hub = new();
    private readonly CliProgram cli;

    public ModelVerbTests() => cli = new CliProgram(folder.File("d")).With("HF_ENDPOINT", hub.Address.ToString());

    public void Dispose()
    {
        Workspace.StopHost(folder.File("d"));
        hub.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task A_model_is_added_listed_inspected_and_forgotten()
    {
        var place = folder.File("mine");
        using (var checkpoint = new TinyCheckpoint(WanLine.TextToVideo, pair: false, Spiece)) checkpoint.WriteDiffusers(place);
        var inspected = Assert.Single((await RunAsync(0, "inspect", place)).Events("inspection"));
        Assert.Equal(("diffusers", "mine", true, 3), (inspected.GetProperty("layout").GetString(), inspected.GetProperty("name").GetString(), inspected.GetProperty("ready").GetBoolean(), inspected.GetProperty("networks").GetArrayLength()));
        var added = Assert.Single((await RunAsync(0, "add", place, "--name", "words")).Events("model"));
        Assert.Equal(("words", true, "wan2.1-t2v"), (added.GetProperty("name").GetString(), added.GetProperty("ready").GetBoolean(), added.GetProperty("family").GetString()));
        Assert.Equal(["broll", "still", "restyle"], added.GetProperty("kinds").EnumerateArray().Select(kind => kind.GetString()));
        Assert.Equal(["sketch", "words"], (await RunAsync(0, "list")).Events("model").Select(model => model.GetProperty("name").GetString()));
        Assert.Equal(0, Assert.Single((await RunAsync(0, "verify", "words")).Events("verification")).GetProperty("hashed_files").GetInt32());

        // A file of which a tensor is missing says so before a job meets it.
        var weights = Path.Combine(place, "transformer", "diffusion_pytorch_model.safetensors");
        var whole = await File.ReadAllBytesAsync(weights);
        BlankNetworks.Write(weights, NetworkTensors.Transformer(ConfigFile.ReadTransformer(Path.Combine(place, "transformer", "config.json")).OrThrow()), name => name == "blocks.1.ffn.net.0.proj.weight" ? null : name);
        var holed = (await RunAsync(0, "list")).Events("model")[1];
        Assert.False(holed.GetProperty("ready").GetBoolean());
        var said = $"'{weights}' does not hold the whole transformer it should: 'blocks.1.ffn.net.0.proj.weight' is missing; download it again.";
        Assert.Equal(said, holed.GetProperty("problem").GetString());
        Assert.Equal(said, Assert.Single((await RunAsync(0, "inspect", place)).Events("inspection")).GetProperty("problem").GetString());
        Assert.Equal(said, Assert.Single((await RunAsync(1, "verify", "words")).Events("error")).GetProperty("message").GetString());

        await File.WriteAllBytesAsync(weights, whole);

        // What is missing is named, and where.
        File.Delete(Path.Combine(place, "vae", "diffusion_pytorch_model.safetensors"));
        var broken = (await RunAsync(0, "list")).Events("model")[1];
        Assert.False(broken.GetProperty("ready").GetBoolean());
        Assert.Contains(Path.Combine(place, "vae"), broken.GetProperty("problem").GetString(), StringComparison.Ordinal);
        Assert.Equal("MODEL_DAMAGED", Reason(await RunAsync(1, "verify", "words")));

        Assert.False(Assert.Single((await RunAsync(0, "remove", "words")).Events("removed")).GetProperty("files_deleted").GetBoolean());
        Assert.True(Directory.Exists(place));
        Assert.Equal("MODEL_NOT_FOUND", Reason(await RunAsync(1, "remove", "words")));
        Assert.Equal("MODEL_NOT_REMOVABLE", Reason(await RunAsync(1, "remove", "sketch")));
        Assert.Equal("MODEL_UNKNOWN", Reason(await RunAsync(1, "add", folder.File("nothing"))));
        Assert.Contains((await RunAsync(0, "list", "--catalogue")).Events("catalogue"), entry => entry.GetProperty("name").GetString() == "wan2.1-vace-1.3b" && entry.GetProperty("supported").GetBoolean());
    }

    [Fact]
    public async Task A_model_is_pulled_from_a_hub_that_misbehaves_verified_mended_and_deleted()
    {
        var place = folder.File("source");
        using (var checkpoint = new TinyCheckpoint(WanLine.TextToVideo, pair: false, Spiece)) checkpoint.WriteDiffusers(place);
        foreach (var file in Directory.GetFiles(place, "*", SearchOption.AllDirectories)) hub.Files[Path.GetRelativePath(place, file).Replace('\\', '/')] = await File.ReadAllBytesAsync(file);
        const string Weights = "transformer/diffusion_pytorch_model.safetensors";
        hub.At(Weights, new Mischief { CutAfter = 1000 }, new Mischief { ShiftRange = 3 }, new Mischief { Status = 503, Headers = "Retry-After: 0\r\n" });
        hub.At("vae/config.json", new Mischief { Status = 429, Headers = "Retry-After: 0\r\n" });
        var pulled = await RunAsync(0, "pull", MisbehavingHub.Repository);
        var model = Assert.Single(pulled.Events("model"));
        Assert.Equal(("film", true, MisbehavingHub.Repository), (model.GetProperty("name").GetString(), model.GetProperty("ready").GetBoolean(), model.GetProperty("repository").GetString()));
        Assert.NotEmpty(pulled.Events("transfer"));
        var lies = model.GetProperty("path").GetString()!;
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(place, Weights)), await File.ReadAllBytesAsync(Path.Combine(lies, Weights)));

        await File.AppendAllTextAsync(Path.Combine(lies, "vae", "config.json"), " ", Encoding.UTF8);
        Assert.Equal("MODEL_DAMAGED", Reason(await RunAsync(1, "verify", "film")));
        await RunAsync(0, "pull", MisbehavingHub.Repository);
        Assert.Equal(hub.Files.Count, Assert.Single((await RunAsync(0, "verify", "film")).Events("verification")).GetProperty("hashed_files").GetInt32());
        Assert.True(Assert.Single((await RunAsync(0, "remove", "film")).Events("removed")).GetProperty("files_deleted").GetBoolean());
        Assert.False(Directory.Exists(lies));

        hub.At(Weights, new Mischief { Damage = true }, new Mischief { Damage = true }, new Mischief { Damage = true }, new Mischief { Damage = true });
        Assert.Equal("FILE_DAMAGED", Reason(await RunAsync(1, "pull", MisbehavingHub.Repository)));
        Assert.DoesNotContain((await RunAsync(0, "list")).Events("model"), found => found.GetProperty("name").GetString() == "film");
    }

    private static string Spiece => Path.Combine(AppContext.BaseDirectory, "spiece.model");

    private static string? Reason(CliResult result) => Assert.Single(result.Events("error")).GetProperty("reason").GetString();

    private async Task<CliResult> RunAsync(int exitCode, params string[] arguments)
    {
        var result = await cli.RunAsync(["models", .. arguments, "--json"]);
        Assert.True(result.ExitCode == exitCode, result.ToString());
        return result;
    }
}
