using EditorBridge.Host.Tests.Support;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Client.Tests;

/// <summary>Files come whole or not at all, either way, also over connections that break.</summary>
[Trait("Speed", "slow")]
public sealed class FetchTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_fetch_over_a_line_that_keeps_breaking_arrives_whole_or_leaves_nothing()
    {
        SmallModel.Make(_folder.File("models"));
        var data = _folder.File("data");
        // A host of its own settings is started by hand: the client gives it none.
        var start = new System.Diagnostics.ProcessStartInfo(Path.Combine(HostFolder, "EditorBridge.Host")) { UseShellExecute = false, RedirectStandardError = true };
        start.Environment["EDITORBRIDGE_DATA"] = data;
        start.Environment["EDITORBRIDGE_MODELS"] = _folder.File("models");
        start.Environment["EDITORBRIDGE_HOST__Rehearse"] = "true";
        start.Environment["EDITORBRIDGE_HOST__DefaultModel"] = SmallModel.Name;
        using var host = System.Diagnostics.Process.Start(start)!;
        host.ErrorDataReceived += (_, _) => { };
        host.BeginErrorReadLine();
        try
        {
            var clock = System.Diagnostics.Stopwatch.StartNew();
            while (HostEndpoint.Read(data) is null && clock.Elapsed < TimeSpan.FromSeconds(100)) await Task.Delay(50);
            using var direct = await EditorBridgeClient.ConnectAsync(new ClientOptions { DataFolder = data, StartHost = false });
            var job = new Job
            {
                Spec = new JobSpec
                {
                    Kind = JobSpec.Types.Kind.Broll, Prompt = "waves", Seed = 3,
                    Delivery = new Delivery
                    {
                        Size = new PixelSize { Width = 512, Height = 256 }, Rate = new FrameRate { Numerator = 25, Denominator = 1 }, Frames = 40,
                        Codec = Delivery.Types.Codec.Prores422Hq,
                    },
                },
            };
            var ended = await direct.WaitAsync((await direct.SubmitAsync(job)).Name);
            Assert.Equal(Job.Types.State.Succeeded, ended.State);
            var clip = ended.Takes[0].Clip;
            Assert.True(clip.Files.Max(f => f.SizeBytes) > 300_000, "The clip is too small to be cut in pieces.");

            await using var line = new BreakingLine(HostEndpoint.Read(data)!.Socket!, _folder.File("line.sock"), bytesUntilBreak: 250_000);
            Directory.CreateDirectory(_folder.File("behind"));
            var endpoint = HostEndpoint.Read(data)! with { Socket = _folder.File("line.sock") };
            await File.WriteAllTextAsync(Path.Combine(_folder.File("behind"), HostEndpoint.FileName),
                System.Text.Json.JsonSerializer.Serialize(endpoint, new System.Text.Json.JsonSerializerOptions(System.Text.Json.JsonSerializerDefaults.Web)));
            using var broken = await EditorBridgeClient.ConnectAsync(new ClientOptions { DataFolder = _folder.File("behind"), StartHost = false });
            var path = _folder.File("out/clip.mov");
            var seen = new List<long>();
            var file = await broken.FetchAsync(clip, path, progress: (done, _) => seen.Add(done));
            Assert.True(line.Breaks > 0, "The line never broke.");
            Assert.Equal(seen.Distinct().Order(), seen);
            Assert.Equal(file.SizeBytes, new FileInfo(path).Length);
            Assert.Equal(file.Sha256.ToByteArray(), System.Security.Cryptography.SHA256.HashData(await File.ReadAllBytesAsync(path)));
            Assert.Single(Directory.GetFiles(_folder.File("out")));

            // The other way: an upload that gets on a little with each connection.
            await using var up = new BreakingLine(HostEndpoint.Read(data)!.Socket!, _folder.File("up.sock"), long.MaxValue, bytesUpUntilBreak: 700_000);
            Directory.CreateDirectory(_folder.File("beyond"));
            await File.WriteAllTextAsync(Path.Combine(_folder.File("beyond"), HostEndpoint.FileName),
                System.Text.Json.JsonSerializer.Serialize(endpoint with { Socket = _folder.File("up.sock") }, new System.Text.Json.JsonSerializerOptions(System.Text.Json.JsonSerializerDefaults.Web)));
            using var sending = await EditorBridgeClient.ConnectAsync(new ClientOptions { DataFolder = _folder.File("beyond"), StartHost = false });
            var bytes = System.Security.Cryptography.RandomNumberGenerator.GetBytes(3_000_000);
            await File.WriteAllBytesAsync(_folder.File("shot.mov"), bytes);
            var asset = await sending.UploadAsync(_folder.File("shot.mov"));
            Assert.True(up.Breaks >= 3, $"The line broke {up.Breaks} times.");
            Assert.True(asset.Complete);
            Assert.Equal(bytes, await File.ReadAllBytesAsync(Path.Combine(data, asset.Name, "media.mov")));

            using var cancel = new CancellationTokenSource();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
                direct.FetchAsync(clip, _folder.File("cancelled/clip.mov"), progress: (_, _) => cancel.Cancel(), cancellation: cancel.Token));
            Assert.Empty(Directory.GetFiles(_folder.File("cancelled")));
        }
        finally
        {
            host.Kill(entireProcessTree: true);
            await host.WaitForExitAsync();
        }
    }

    private static string HostFolder
    {
        get
        {
            var here = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
            return Path.GetFullPath(Path.Combine(here, "..", "..", "EditorBridge.Host", Path.GetFileName(here)));
        }
    }
}
