using System.Globalization;
using EditorBridge.Models.Store;
using EditorBridge.Models.Store.Pull;

namespace EditorBridge.Models.Tests.Store;

public sealed class ModelPullTests : IDisposable
{
    private const string Big = "transformer/weights.safetensors";

    private readonly string _store = Directory.CreateTempSubdirectory("pull-").FullName;
    private readonly MisbehavingHub _hub = new();
    private readonly HurriedClock _clock = new();

    public ModelPullTests()
    {
        var random = new Random(7);
        _hub.Files[Big] = new byte[600_000];
        random.NextBytes(_hub.Files[Big]);
        _hub.Files["vae/a b.safetensors"] = [.. Enumerable.Range(0, 5000).Select(i => (byte)i)];
        _hub.Files["model_index.json"] = "{}"u8.ToArray();
        _hub.Files["empty.txt"] = [];
        _hub.Files["assets/film.mp4"] = new byte[100];
        _hub.Files[".gitattributes"] = new byte[10];
        _hub.Files["vae/weights.bin"] = new byte[77];
    }

    private string Final => Path.Combine(_store, "film");

    private string Gathering => Path.Combine(_store, ModelPull.Gathering, "film");

    public void Dispose()
    {
        _hub.Dispose();
        Directory.Delete(_store, recursive: true);
    }

    [Fact]
    public async Task AllThatIsWantedComesWithItsRecord()
    {
        Assert.Equal(Final, await PullAsync());
        AssertWhole();
        var record = ModelPull.Read(Final)!;
        Assert.Equal((MisbehavingHub.Repository, MisbehavingHub.Commit, "apache-2.0", 4), (record.Repository, record.Commit, record.License, record.Files.Count));
        Assert.False(Directory.Exists(Gathering));
        Assert.Empty(_clock.Waits);
    }

    [Fact]
    public async Task AConnectionThatIsCutGoesOnWhereItBroke()
    {
        _hub.At(Big, new Mischief { CutAfter = 100_000 }, new Mischief { CutAfter = 50_000 }, new Mischief { CutAfter = 0 });
        await PullAsync();
        AssertWhole();
        var from = _hub.For(Big).Select(request => request.From ?? 0).ToList();
        Assert.Equal(4, from.Count);
        Assert.Equal(0, from[0]);
        Assert.InRange(from[1], 1, 100_000);
        Assert.InRange(from[2], from[1] + 1, 150_000);
        Assert.Equal(from[2], from[3]);
    }

    [Fact]
    public async Task AWrongRangeIsNotWritten()
    {
        _hub.At(Big, new Mischief { CutAfter = 100_000 }, new Mischief { ShiftRange = -7 }, new Mischief { ShiftRange = 9 });
        await PullAsync();
        AssertWhole();
        Assert.Single(_hub.For(Big).Select(request => request.From).Where(from => from > 0).Distinct());
    }

    [Fact]
    public async Task AServerWithoutRangesSendsFromTheStart()
    {
        _hub.At(Big, new Mischief { CutAfter = 100_000 }, new Mischief { IgnoreRange = true });
        await PullAsync();
        AssertWhole();
        Assert.Equal(2, _hub.For(Big).Count);
    }

    [Fact]
    public async Task DamageOnTheWayIsFetchedAgainFromTheStart()
    {
        _hub.At(Big, new Mischief { Damage = true });
        await PullAsync();
        AssertWhole();
        Assert.Equal([null, null], _hub.For(Big).Select(request => request.From));
    }

    [Theory]
    [InlineData(Big)]
    [InlineData("model_index.json")]
    public async Task ContentThatIsNeverWhatTheHashSaysIsNotKept(string file)
    {
        _hub.At(file, new Mischief { Damage = true }, new Mischief { Damage = true });
        var error = await Assert.ThrowsAsync<PullException>(PullAsync);
        Assert.Equal("FILE_DAMAGED", error.Reason);
        Assert.Contains($"'{file}' of acme/film", error.Message, StringComparison.Ordinal);
        AssertNothingFinal(file);
        await PullAsync();
        AssertWhole();
    }

    [Fact]
    public async Task MoreThanTheListSaysIsNotTaken()
    {
        _hub.At(Big, [.. Enumerable.Repeat(new Mischief { Surplus = 3 }, 6)]);
        var error = await Assert.ThrowsAsync<PullException>(PullAsync);
        Assert.Contains("sends 600003 bytes where its list says 600000", error.Message, StringComparison.Ordinal);
        AssertNothingFinal(Big);
        _hub.At(Big, new Mischief { Surplus = 3, NoLength = true });
        await PullAsync();
        AssertWhole();
    }

    [Fact]
    public async Task ABusyServerIsLeftAloneAsLongAsItAsks()
    {
        var date = _clock.GetUtcNow().AddSeconds(300).ToString("R", CultureInfo.InvariantCulture);
        _hub.At("list", new Mischief { Status = 503 }, new Mischief { Status = 429, Headers = "Retry-After: 17\r\n" });
        _hub.At(Big, new Mischief { Status = 429, Headers = $"Retry-After: {date}\r\n" }, new Mischief { Status = 503, Headers = "Retry-After: 0\r\n" });
        await PullAsync();
        AssertWhole();
        var waits = _clock.Waits.ToList();
        Assert.Equal([TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(17)], waits[..2]);
        Assert.InRange(waits[2], TimeSpan.FromSeconds(120), TimeSpan.FromSeconds(300));
    }

    [Fact]
    public async Task AServerThatStaysBusyIsGivenUpAfterLongerAndLongerWaits()
    {
        _hub.At("list", [.. Enumerable.Repeat(new Mischief { Status = 503 }, 20)]);
        var error = await Assert.ThrowsAsync<PullException>(PullAsync);
        Assert.Equal("HUB_BUSY", error.Reason);
        Assert.Contains("503", error.Message, StringComparison.Ordinal);
        Assert.Contains("pull again later", error.Message, StringComparison.Ordinal);
        Assert.Equal([1, 2, 4, 8, 16], _clock.Waits.Select(wait => wait.TotalSeconds));
    }

    [Fact]
    public async Task AServerThatAsksForTooLongIsNotWaitedFor()
    {
        _hub.At("list", new Mischief { Status = 429, Headers = "Retry-After: 7200\r\n" });
        var error = await Assert.ThrowsAsync<PullException>(PullAsync);
        Assert.Contains("asks to wait 120 minutes", error.Message, StringComparison.Ordinal);
        Assert.Empty(_clock.Waits);
    }

    [Fact]
    public async Task AServerThatFallsSilentIsAskedAgain()
    {
        _hub.At(Big, new Mischief { StallAfter = 100_000 });
        await new ModelPull(new HubAddress(_hub.Address), _store, TimeProvider.System, new PullOptions { Silence = TimeSpan.FromSeconds(2), SpareBytes = 0 })
            .RunAsync(MisbehavingHub.Repository, "film", _ => { }, CancellationToken.None);
        AssertWhole();
        Assert.True(_hub.For(Big)[1].From > 0);
    }

    [Theory]
    [InlineData(404, "HUB_NOT_FOUND", "models list --catalogue")]
    [InlineData(401, "HUB_REFUSED", "HF_TOKEN")]
    [InlineData(403, "HUB_REFUSED", "HF_TOKEN")]
    [InlineData(418, "HUB_ANSWER_BAD", "check the hub's address")]
    public async Task ARefusalIsNotTriedAgain(int status, string reason, string says)
    {
        _hub.At("list", new Mischief { Status = status });
        var error = await Assert.ThrowsAsync<PullException>(PullAsync);
        Assert.Equal(reason, error.Reason);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.Single(_hub.Requests);
    }

    [Fact]
    public async Task AHubThatIsNotThereIsNamed()
    {
        var address = _hub.Address;
        _hub.Dispose();
        var error = await Assert.ThrowsAsync<PullException>(() => Pull(address).RunAsync("acme/film", "film", _ => { }, CancellationToken.None));
        Assert.Equal("HUB_UNREACHABLE", error.Reason);
        Assert.Contains("127.0.0.1", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../out")]
    [InlineData("/etc/passwd")]
    [InlineData("a/../../out")]
    [InlineData("a\\\\b")]
    [InlineData("c:x")]
    [InlineData("")]
    public async Task AListThatLeadsOutOfTheFolderIsRefused(string name)
    {
        _hub.List = $$"""{"sha":"{{MisbehavingHub.Commit}}","siblings":[{"rfilename":"{{name}}","size":1}]}""";
        var error = await Assert.ThrowsAsync<PullException>(PullAsync);
        Assert.Equal("HUB_ANSWER_BAD", error.Reason);
        Assert.Contains("which cannot be one", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<html>")]
    [InlineData("{}")]
    [InlineData("""{"sha":"../..","siblings":[]}""")]
    [InlineData("""{"sha":"0123456789abcdef0123456789abcdef01234567","siblings":[{"rfilename":"x"}]}""")]
    [InlineData("""{"sha":"0123456789abcdef0123456789abcdef01234567","siblings":[{"rfilename":"x","size":1,"lfs":{"sha256":"no","size":1}}]}""")]
    [InlineData("""{"sha":"0123456789abcdef0123456789abcdef01234567","siblings":[{"rfilename":"x","size":1},{"rfilename":"X","size":1}]}""")]
    public async Task AListThatIsNoneIsRefused(string list)
    {
        _hub.List = list;
        Assert.Equal("HUB_ANSWER_BAD", (await Assert.ThrowsAsync<PullException>(PullAsync)).Reason);
    }

    [Fact]
    public async Task APullThatWasEndedGoesOnWithWhatItHas()
    {
        using var ended = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Pull(_hub.Address, new PullOptions { Parallel = 1, SpareBytes = 0, Silence = HurriedClock.Unhurried })
            .RunAsync(MisbehavingHub.Repository, "film", progress =>
            {
                if (progress.File == "vae/a b.safetensors") ended.Cancel();
            }, ended.Token));
        Assert.False(Directory.Exists(Final));
        _hub.Requests.Clear();
        await PullAsync();
        AssertWhole();
        Assert.Empty(_hub.For(Big));
    }

    [Fact]
    public async Task WhatTheHubHasChangedSinceIsFetchedAnew()
    {
        _hub.At("model_index.json", new Mischief { Status = 404 });
        await Assert.ThrowsAsync<PullException>(() => Pull(_hub.Address, new PullOptions { Parallel = 1, SpareBytes = 0, Silence = HurriedClock.Unhurried }).RunAsync("acme/film", "film", _ => { }, CancellationToken.None));
        Assert.True(File.Exists(Path.Combine(Gathering, Big)));
        _hub.Files[Big][3] ^= 1;
        _hub.Requests.Clear();
        await PullAsync();
        AssertWhole();
        Assert.Single(_hub.For(Big));
        Assert.Empty(_hub.For("a%20b.safetensors"));
    }

    [Fact]
    public async Task PullingAgainFetchesOnlyWhatIsDamaged()
    {
        await PullAsync();
        _hub.Requests.Clear();
        await PullAsync();
        Assert.Empty(_hub.Requests);
        await File.WriteAllBytesAsync(Path.Combine(Final, "vae/a b.safetensors"), new byte[5000]);
        var found = await VerifiedModel.OfAsync(new ModelPlace(Final, "film", ModelOrigin.Folder), _ => { }, CancellationToken.None);
        Assert.Equal(3, found.Hashed);
        Assert.Contains("a b.safetensors' is damaged", Assert.Single(found.Problems), StringComparison.Ordinal);
        // What the user has put there stays.
        var own = Path.Combine(Final, "editorbridge.json");
        await File.WriteAllTextAsync(own, "{}");
        await PullAsync();
        Assert.Equal("{}", await File.ReadAllTextAsync(own));
        File.Delete(own);
        AssertWhole();
        Assert.Empty(_hub.For(Big));
        Assert.Equal((4, 0), await VerifyAsync());
    }

    [Fact]
    public async Task AFolderThatIsSomethingElseIsLeftAlone()
    {
        Directory.CreateDirectory(Final);
        await File.WriteAllTextAsync(Path.Combine(Final, "mine.txt"), "mine");
        Assert.Equal("MODEL_EXISTS", (await Assert.ThrowsAsync<PullException>(PullAsync)).Reason);
        Assert.Equal("mine", await File.ReadAllTextAsync(Path.Combine(Final, "mine.txt")));
    }

    [Fact]
    public async Task ADiskThatIsTooSmallIsSaidBeforeAnythingIsFetched()
    {
        var error = await Assert.ThrowsAsync<PullException>(() =>
            Pull(_hub.Address, new PullOptions { SpareBytes = 1L << 60, Silence = HurriedClock.Unhurried }).RunAsync("acme/film", "film", _ => { }, CancellationToken.None));
        Assert.Equal("DISK_SPACE", error.Reason);
        Assert.Single(_hub.Requests);
    }

    [Fact]
    public async Task OfTwoPullsOfOneModelTheSecondIsRefused()
    {
        using var reached = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        var first = Task.Run(() => Pull(_hub.Address).RunAsync("acme/film", "film", progress =>
        {
            reached.Set();
            go.Wait();
        }, CancellationToken.None));
        reached.Wait();
        Assert.Equal("PULL_RUNNING", (await Assert.ThrowsAsync<PullException>(PullAsync)).Reason);
        go.Set();
        await first;
        AssertWhole();
    }

    [Fact]
    public async Task TheTokenGoesToTheHubAndNowhereElse()
    {
        using var elsewhere = new MisbehavingHub();
        foreach (var (name, content) in _hub.Files) elsewhere.Files[name] = content;
        _hub.At(Big, new Mischief { Status = 302, Headers = $"Location: {elsewhere.Address}{MisbehavingHub.Repository}/resolve/{MisbehavingHub.Commit}/{Big}\r\n" });
        await new ModelPull(new HubAddress(_hub.Address, "secret"), _store, _clock, new PullOptions { SpareBytes = 0, Silence = HurriedClock.Unhurried })
            .RunAsync("acme/film", "film", _ => { }, CancellationToken.None);
        AssertWhole();
        Assert.All(_hub.Requests, request => Assert.Equal("Bearer secret", request.Token));
        Assert.Null(Assert.Single(elsewhere.Requests).Token);
        var error = await Assert.ThrowsAsync<PullException>(() => new ModelPull(new HubAddress(new Uri("http://hub.example"), "secret"), _store, _clock).RunAsync("a/b", "b", _ => { }, CancellationToken.None));
        Assert.Contains("https", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ProgressEndsAtTheWhole()
    {
        _hub.At(Big, new Mischief { Damage = true }, new Mischief { CutAfter = 1000 });
        var seen = new System.Collections.Concurrent.ConcurrentQueue<PullProgress>();
        await Pull(_hub.Address).RunAsync("acme/film", "film", seen.Enqueue, CancellationToken.None);
        var downloads = seen.Where(progress => progress.Stage == "download").ToList();
        Assert.Equal(605_002, downloads.Max(progress => progress.Bytes));
        Assert.All(downloads, progress => Assert.InRange(progress.Bytes, 0, progress.TotalBytes));
    }

    private ModelPull Pull(Uri address, PullOptions? options = null) =>
        new(new HubAddress(address), _store, _clock, options ?? new PullOptions { SpareBytes = 0, Silence = HurriedClock.Unhurried });

    private Task<string> PullAsync() => Pull(_hub.Address).RunAsync(MisbehavingHub.Repository, "film", _ => { }, CancellationToken.None);

    private async Task<(int, int)> VerifyAsync()
    {
        var found = await VerifiedModel.OfAsync(new ModelPlace(Final, "film", ModelOrigin.Folder), _ => { }, CancellationToken.None);
        return (found.Hashed, found.Problems.Count);
    }

    private void AssertWhole()
    {
        string[] wanted = [Big, "vae/a b.safetensors", "model_index.json", "empty.txt"];
        Assert.Equal(wanted.Append(ModelFiles.FileName).Order(StringComparer.Ordinal),
            Directory.GetFiles(Final, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Final, path).Replace('\\', '/')).Order(StringComparer.Ordinal));
        foreach (var name in wanted) Assert.Equal(_hub.Files[name], File.ReadAllBytes(Path.Combine(Final, name)));
    }

    private void AssertNothingFinal(string file)
    {
        Assert.False(Directory.Exists(Final));
        Assert.False(File.Exists(Path.Combine(Gathering, file)));
    }
}
