using EditorBridge.Client;
using EditorBridge.Native.Tests.Support;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Native.Tests;

/// <summary>The functions of editorbridge.h, called by programs in C and Python, with a real host and the shipped model.</summary>
[Trait("Speed", "slow")]
public sealed class ClientAbiTests
{
    private const string Spec = """
        {"kind": "BROLL", "prompt": "snowy mountains at noon", "seed": "5", "sampler": {"steps": 2},
         "delivery": {"size": {"width": 128, "height": 72}, "rate": {"numerator": "24000", "denominator": "1001"}, "frames": "5"}}
        """;

    [NativeFact]
    public async Task A_program_in_C_goes_through_every_function()
    {
        await using var host = await HostProcess.StartAsync(rehearse: false);
        var program = host.File("client");
        await BuiltLibrary.CompileAsync("client.c", program);
        var clip = host.File("clip.mp4");
        var said = await BuiltLibrary.RunAsync(program, [await BuiltLibrary.PathAsync, host.Data, Spec, clip], host.Environment);
        var lines = said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(
        [
            "abi 1 same", "nothing [] []", "no host 0 HOST_UNREACHABLE", "models 1", "bad json 0 INVALID_JSON", "no spec 0 INVALID_ARGUMENT", "feasible 1",
            "bad id 0 INVALID_ARGUMENT", "same job 1", "watched 0 events 1 strangers 0", "state SUCCEEDED", "left 2 after 1", "cancel 1", "to its end 0",
            "no job 1 JOB_NOT_FOUND", "fetch 0", "fetch again 1 CANNOT_WRITE", "fetch over 0",
        ], lines[..18]);
        Assert.Equal(["asset 1", "label 1", "other thread BAD_HANDLE", "own thread JOB_NOT_FOUND", "stale 0 BAD_HANDLE", "still 1"], lines[19..25]);

        using var frames = MappedFrames.Open(lines[18]["frames ".Length..])!;
        Assert.Equal((5L, 128, 72), (frames.Layout.Frames, frames.Layout.Size.Width, frames.Layout.Size.Height));
        using var client = await host.ConnectAsync();
        var job = await client.GetAsync(lines[25]["job ".Length..]);
        Assert.Equal(job.Takes[0].Clip.Files.First(f => f.Part == ClipFile.Types.Part.Media).Sha256.ToByteArray(), System.Security.Cryptography.SHA256.HashData(await File.ReadAllBytesAsync(clip)));
    }

    [NativeFact]
    public async Task A_script_in_Python_watches_on_a_thread_of_its_own()
    {
        await using var host = await HostProcess.StartAsync(rehearse: true);
        var said = await BuiltLibrary.RunAsync("python3", [BuiltLibrary.Program("client.py"), await BuiltLibrary.PathAsync, host.Data, Spec, host.File("out.mp4")], host.Environment);
        Assert.Equal(
        [
            "feasible True frames 5", "watched 0 one thread True", "state SUCCEEDED progress True", "fetched 0",
            "gone There is no client 1; it was disconnected or never connected.",
        ], said.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.True(new FileInfo(host.File("out.mp4")).Length > 0);
    }

    [NativeFact]
    public async Task The_library_is_small_stays_loaded_and_exports_what_the_header_says()
    {
        var library = await BuiltLibrary.PathAsync;
        Assert.InRange(new FileInfo(library).Length, 1, 12_000_000);
        Assert.Contains("NODELETE", await BuiltLibrary.RunAsync("readelf", ["-d", library]), StringComparison.Ordinal);
        var header = await File.ReadAllTextAsync(Path.Combine(BuiltLibrary.Root, "src", "EditorBridge.Native", "editorbridge.h"));
        var declared = System.Text.RegularExpressions.Regex.Matches(header, @"\b(eb_[a-z_]+)\(").Select(m => m.Groups[1].Value).Where(n => n != "eb_event").Distinct().Order();
        var exported = (await BuiltLibrary.RunAsync("nm", ["-D", "--defined-only", library])).Split('\n').Where(l => l.Contains(" T ", StringComparison.Ordinal))
            .Select(l => l.Split(' ')[^1].Split('@')[0]).Where(n => n.StartsWith("eb_", StringComparison.Ordinal) || n.StartsWith("Ofx", StringComparison.Ordinal)).Order();
        Assert.Equal(declared.Concat(["OfxGetNumberOfPlugins", "OfxGetPlugin", "OfxSetHost"]).Order(), exported);
    }
}
