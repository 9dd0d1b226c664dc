using System.Security.Cryptography;
using System.Text.Json;
using EditorBridge.Client;
using EditorBridge.Host.Tests.Support;
using EditorBridge.Media;
using EditorBridge.Protocol.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Rehearsal = EditorBridge.Protocol.Worker.V1.Rehearsal;

namespace EditorBridge.Host.Tests;

/// <summary>Files from clients that do not share the host's disk: stored once, whole or not at all, and used in a job like a path.</summary>
[Collection(SharedHost.Name)]
public sealed class AssetTests(SharedHost shared) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_file_is_stored_under_its_hash_and_only_once()
    {
        var (path, bytes) = RandomFile(700_001);
        var seen = new List<long>();
        var asset = await shared.Client.UploadAsync(path, (done, _) => seen.Add(done));
        Assert.Equal(("assets/" + Hash(bytes), true, 700_001L, 700_001L), (asset.Name, asset.Complete, asset.SizeBytes, asset.CommittedBytes));
        Assert.Equal("Ein Bild – 1.png", asset.DisplayName);
        Assert.Equal([262_144L, 524_288L, 700_001L], seen);
        var stored = Directory.GetFiles(Path.Combine(shared.Host.Data, "assets", Hash(bytes)));
        Assert.Equal(["asset.pb", "media.png"], stored.Select(Path.GetFileName).Order());
        Assert.Equal(bytes, await File.ReadAllBytesAsync(stored.Single(f => f.EndsWith("media.png", StringComparison.Ordinal))));
        seen.Clear();
        Assert.Equal(asset, await shared.Client.UploadAsync(path, (done, _) => seen.Add(done)));
        Assert.Empty(seen);
        Assert.Equal(asset, await shared.Client.GetAssetAsync(asset.Name));
        await shared.Client.DeleteAssetAsync(asset.Name);
        Assert.Equal("ASSET_NOT_FOUND", (await Assert.ThrowsAsync<EditorBridgeException>(() => shared.Client.GetAssetAsync(asset.Name))).Reason);
        Assert.False(Directory.Exists(Path.GetDirectoryName(stored[0])));
    }

    [Fact]
    public async Task An_upload_goes_on_where_it_broke_off()
    {
        var (path, bytes) = RandomFile(300_000);
        var begun = await SendAsync(Announce(bytes), Piece(bytes, 0, 100_000));
        Assert.Equal((100_000L, false), (begun.CommittedBytes, begun.Complete));
        var seen = new List<long>();
        var asset = await shared.Client.UploadAsync(path, (done, _) => seen.Add(done));
        Assert.True(asset.Complete);
        Assert.Equal([300_000L], seen);
    }

    [Theory]
    [InlineData("an offset that leaves a hole", "OFFSET_OUT_OF_RANGE")]
    [InlineData("a damaged piece", "PIECE_DAMAGED")]
    [InlineData("more bytes than announced", "ASSET_WRONG_SIZE")]
    [InlineData("too few bytes", "ASSET_WRONG_SIZE")]
    [InlineData("other bytes than announced", "ASSET_HASH_MISMATCH")]
    [InlineData("a piece of two megabytes", "INVALID_ARGUMENT")]
    [InlineData("no hash", "INVALID_ARGUMENT")]
    [InlineData("no size", "INVALID_ARGUMENT")]
    [InlineData("another name", "INVALID_ARGUMENT")]
    [InlineData("a path as name", "INVALID_ARGUMENT")]
    [InlineData("more than the host takes", "ASSET_TOO_LARGE")]
    [InlineData("more than the disk has", "DISK_FULL")]
    [InlineData("nothing announced", "FIELD_MISSING")]
    public async Task A_wrong_upload_is_refused_and_leaves_no_file(string what, string reason)
    {
        var (_, bytes) = RandomFile(what == "a piece of two megabytes" ? 2 << 20 : 1000);
        var asset = Announce(bytes);
        var piece = Piece(bytes, 0, bytes.Length);
        piece.FinishWrite = true;
        switch (what)
        {
            case "an offset that leaves a hole": piece.WriteOffset = 500; break;
            case "a damaged piece": piece.Data.Crc32C ^= 1; break;
            case "more bytes than announced": asset.SizeBytes = 900; break;
            case "too few bytes": asset.SizeBytes = 1100; break;
            case "other bytes than announced": piece.Data = ChecksummedData.Wrap(new byte[1000]); break;
            case "no hash": asset.Sha256 = ByteString.Empty; break;
            case "no size": asset.SizeBytes = 0; break;
            case "another name": asset.Name = "assets/" + new string('0', 64); break;
            case "a path as name": asset.Name = "assets/../../etc/passwd"; break;
            case "more than the host takes": asset.SizeBytes = 1L << 40; break;
            case "more than the disk has": asset.SizeBytes = (16L << 30) - 1; break;
            case "nothing announced": asset = null; break;
        }

        // Whether the disk has 16 GiB to spare is not ours to say, so that host has none.
        await using var full = what == "more than the disk has" ? await RunningHost.StartAsync(("SpareDiskBytes", "1000000000000000000")) : null;
        var error = EditorBridgeException.From(await Assert.ThrowsAsync<RpcException>(() => SendAsync(full ?? shared.Host, asset, piece)));
        Assert.Equal(reason, error.Reason);
        Assert.EndsWith(".", error.Message, StringComparison.Ordinal);
        var folder = Path.Combine((full ?? shared.Host).Data, "assets", Hash(bytes));
        Assert.False(Directory.Exists(folder) && Directory.GetFiles(folder, "media*").Length > 0);
        if (what == "other bytes than announced") Assert.Equal(0, (await shared.Client.GetAssetAsync("assets/" + Hash(bytes))).CommittedBytes);
    }

    [Fact]
    public async Task A_name_that_is_no_hash_is_not_found()
    {
        foreach (var name in (string[])["assets/../jobs.db", "assets/" + new string('0', 64), "jobs/x", "assets/" + new string('A', 64)])
        {
            Assert.Equal("ASSET_NOT_FOUND", (await Assert.ThrowsAsync<EditorBridgeException>(() => shared.Client.GetAssetAsync(name))).Reason);
            Assert.Equal("ASSET_NOT_FOUND", (await Assert.ThrowsAsync<EditorBridgeException>(() => shared.Client.DeleteAssetAsync(name))).Reason);
        }
    }

    [Fact]
    public async Task A_job_uses_an_upload_like_a_file_and_keeps_what_it_needs()
    {
        var film = _folder.File("film.mp4");
        await Tool.MakeFilmAsync(film, 20, "128x64");
        var asset = await shared.Client.UploadAsync(film);
        var job = RunningHost.Job(new Rehearsal { Steps = 60, StepMilliseconds = 100 });
        job.Spec.Kind = JobSpec.Types.Kind.Extend;
        job.Spec.ContextBefore = new ContextFrames
        {
            Segment = new MediaSegment { Media = new MediaSource { Asset = asset.Name }, Range = new FrameRange { Start = 5, Duration = 12 } }, Frames = 5,
        };
        var name = (await shared.Client.SubmitAsync(job)).Name;
        // Gone for everybody else, but not for a job that was stored before.
        await shared.Client.DeleteAssetAsync(asset.Name);
        await foreach (var happened in shared.Client.WatchAsync(name))
            if (happened.Progress?.Stage == JobProgress.Types.Stage.Sampling) break;
        using (var reader = FrozenFrames.Open(Path.Combine(shared.Host.Data, name, "inputs"), "before").Value)
            Assert.Equal((5, asset.Name), (reader.Info.Count, "assets/" + reader.Info.SourceSha256));
        await shared.Client.CancelAsync(name);
        Assert.Equal(Job.Types.State.Cancelled, (await shared.Client.WaitAsync(name)).State);
        var error = await Assert.ThrowsAsync<EditorBridgeException>(() => shared.Client.SubmitAsync(job));
        Assert.Equal(("ASSET_NOT_FOUND", "job.spec.context_before.segment.media.asset"), (error.Reason, error.Field));
    }

    [Fact]
    public async Task An_upload_that_is_no_picture_is_named_as_the_user_knows_it()
    {
        var note = _folder.File("note.png");
        await File.WriteAllTextAsync(note, $"no picture {Guid.NewGuid()}");
        var spec = RunningHost.Job().Spec;
        spec.References.Add(new Reference { Media = new MediaSource { Asset = (await shared.Client.UploadAsync(note)).Name } });
        var error = await Assert.ThrowsAsync<EditorBridgeException>(() => shared.Client.PlanAsync(spec));
        Assert.Equal(("MEDIA_UNREADABLE", "spec.references[0].media.asset"), (error.Reason, error.Field));
        Assert.Contains("note.png", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(shared.Host.Data, error.Message, StringComparison.Ordinal);
        var (_, bytes) = RandomFile(1000);
        await SendAsync(Announce(bytes), Piece(bytes, 0, 10));
        spec.References[0].Media.Asset = "assets/" + Hash(bytes);
        Assert.Equal("ASSET_INCOMPLETE", (await Assert.ThrowsAsync<EditorBridgeException>(() => shared.Client.PlanAsync(spec))).Reason);
    }

    [Fact]
    public async Task Panels_ask_for_uploads_in_json()
    {
        var (path, bytes) = RandomFile(1000);
        await shared.Client.UploadAsync(path);
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{shared.Host.Endpoint.HttpPort}/v1/assets/{Hash(bytes)}");
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + shared.Host.Endpoint.Token);
        using var answer = await http.SendAsync(request);
        using var asset = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal("1000", asset.RootElement.GetProperty("committedBytes").ToString());
    }

    private (string Path, byte[] Bytes) RandomFile(int length)
    {
        var bytes = RandomNumberGenerator.GetBytes(length);
        var path = _folder.File("Ein Bild – 1.png");
        File.WriteAllBytes(path, bytes);
        return (path, bytes);
    }

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static Asset Announce(byte[] bytes) => new() { SizeBytes = bytes.Length, Sha256 = ByteString.CopyFrom(SHA256.HashData(bytes)) };

    private static UploadAssetRequest Piece(byte[] bytes, int offset, int length) =>
        new() { WriteOffset = offset, Data = ChecksummedData.Wrap(bytes.AsMemory(offset, length)) };

    private Task<Asset> SendAsync(Asset? asset, UploadAssetRequest piece) => SendAsync(shared.Host, asset, piece);

    // As a client of somebody else's making would: one message, whatever is in it.
    private static async Task<Asset> SendAsync(RunningHost host, Asset? asset, UploadAssetRequest piece)
    {
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{host.Endpoint.GrpcPort}");
        using var call = new AssetService.AssetServiceClient(channel).UploadAsset(new Metadata { { "authorization", "Bearer " + host.Endpoint.Token } });
        piece.Asset = asset;
        await call.RequestStream.WriteAsync(piece);
        await call.RequestStream.CompleteAsync();
        return await call.ResponseAsync;
    }
}
