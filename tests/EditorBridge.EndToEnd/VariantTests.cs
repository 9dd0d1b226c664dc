using System.Text.Json;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Variants;
using EditorBridge.Tests.Models;
using EditorBridge.Tests.Shared;

namespace EditorBridge.EndToEnd;

/// <summary>Models of other variants and layouts, and the jobs that they or the shipped one can do, through command line, host and worker. Tiny random weights.</summary>
[Trait("Speed", "slow")]
public sealed class VariantTests(Workspace workspace) : IClassFixture<Workspace>
{
    private static readonly string[] Fast = ["--steps", "2", "--seed", "7", "--json"];

    private static string Spiece => Path.Combine(AppContext.BaseDirectory, "spiece.model");

    [FFmpegFact]
    public async Task A_model_in_ComfyUIs_folders_extends_fills_inpaints_and_loops()
    {
        using (var checkpoint = new TinyCheckpoint(WanLine.Vace, pair: false, Spiece)) checkpoint.WriteComfy(workspace.File("comfy/models"));
        var inspected = Assert.Single((await workspace.Cli.RunAsync("models", "inspect", workspace.File("comfy"), "--json")).Events("inspection"));
        Assert.Equal(("comfyui", true), (inspected.GetProperty("layout").GetString(), inspected.GetProperty("ready").GetBoolean()));
        var added = await workspace.Cli.RunAsync("models", "add", workspace.File("comfy"), "--name", "vace", "--json");
        Assert.True(added.ExitCode == 0, added.ToString());
        var model = Assert.Single((await workspace.Cli.RunAsync("models", "list", "--json")).Events("model"), found => found.GetProperty("name").GetString() == "vace");
        Assert.Equal((true, "wan2.1-vace"), (model.GetProperty("ready").GetBoolean(), model.GetProperty("family").GetString()));
        Assert.Contains("outpaint", model.GetProperty("kinds").EnumerateArray().Select(kind => kind.GetString()));

        var input = workspace.TwoShots("vace.otio");
        await Tool.RunAsync("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "color=black:s=128x72", "-vf", "drawbox=64:0:64:72:white:fill", "-frames:v", "1", workspace.File("mask.png"));
        Done(await RunAsync("fill", input, "--gap", "1", "--prompt", "waves"), "fill", "video_context", 10);
        Done(await RunAsync("extend", input, "--clip", "B", "--frames", "8", "--generate", "--prompt", "waves"), "extend", "video_context", 8);
        Done(await RunAsync("loop", input, "--clip", "B", "--frames", "6", "--prompt", "waves"), "loop", "video_context", 6);
        Done(await RunAsync("inpaint", input, "--clip", "A", "--mask", workspace.File("mask.png"), "--prompt", "a boat"), "inpaint", "masked_video", 24);
        Done(await RunAsync("outpaint", input, "--clip", "A", "--in", "01:00:00:04", "--frames", "9", "--size", "192x72", "--prompt", "a beach"), "outpaint", "masked_video", 9);
        Done(await RunAsync("broll", input, "--in", "01:00:00:00", "--frames", "7", "--prompt", "a boat", "--ref", workspace.File("mask.png"), "--keyframe", workspace.File("mask.png") + "@last",
            "--control", workspace.File("a.mp4")), "broll", "video_context", 7);
    }

    [FFmpegFact]
    public async Task Quantised_files_in_ComfyUIs_folders_fill_a_gap()
    {
        foreach (var type in (TensorType[])[TensorType.Q8_0, TensorType.Q4_K])
        {
            var name = type == TensorType.Q8_0 ? "q8" : "q4";
            using (var checkpoint = new TinyCheckpoint(WanLine.Vace, pair: false, Spiece, wide: true)) checkpoint.WriteGguf(workspace.File(name + "/models"), type);
            var inspected = Assert.Single((await workspace.Cli.RunAsync("models", "inspect", workspace.File(name), "--json")).Events("inspection"));
            Assert.Equal(("comfyui", true), (inspected.GetProperty("layout").GetString(), inspected.GetProperty("ready").GetBoolean()));
            Assert.Equal(type.ToString(), inspected.GetProperty("networks")[0].GetProperty("types")[0].GetString());
            var added = await workspace.Cli.RunAsync("models", "add", workspace.File(name), "--name", name, "--json");
            Assert.True(added.ExitCode == 0, added.ToString());
            Done(await RunAsync("fill", workspace.TwoShots(name + ".otio"), name, "--gap", "1", "--prompt", "waves"), "fill", "video_context", 10);
        }
    }

    [FFmpegFact]
    public async Task A_pair_of_experts_as_its_authors_lay_it_out_makes_broll_with_a_LoRA()
    {
        var lora = workspace.File("lora.safetensors");
        using (var checkpoint = new TinyCheckpoint(WanLine.TextToVideo, pair: true, Spiece))
        {
            checkpoint.WriteOriginal(workspace.File("pair"));
            TinyCheckpoint.WriteLora(lora, stray: "diffusion_model.blocks.9.ffn.0");
        }

        Assert.True((await workspace.Cli.RunAsync("models", "add", workspace.File("pair"), "--json")).ExitCode == 0);
        var input = workspace.TwoShots("pair.otio");
        // Each of the two has its own weight of the prompt, and a plan for people shows both.
        string[] planned = ["plan", "broll", "--timeline", input, "--model", "pair", "--in", "01:00:00:00", "--frames", "9", "--prompt", "rain"];
        var plan = Assert.Single((await workspace.Cli.RunAsync([.. planned, "--json"])).Events("plan"));
        Assert.Equal((4, 3), (plan.GetProperty("guidance").GetDouble(), plan.GetProperty("low_noise_guidance").GetDouble()));
        Assert.Contains("guidance 4 in high noise and 3 in low noise;", string.Join("\n", (await workspace.Cli.RunAsync(planned)).Output), StringComparison.Ordinal);

        var plain = Done(await RunAsync("broll", input, "pair", "--in", "01:00:00:00", "--frames", "9", "--prompt", "rain"), "broll", "text", 9);
        var with = Done(await RunAsync("broll", input, "pair", "--in", "01:00:00:00", "--frames", "9", "--prompt", "rain", "--lora", lora + ":0.5@high"), "broll", "text", 9);
        Assert.NotEqual(await FramesAsync(plain), await FramesAsync(with));
        using var sidecar = JsonDocument.Parse(await File.ReadAllBytesAsync(with.GetProperty("sidecar").GetString()!));
        Assert.Contains(sidecar.RootElement.GetProperty("notes").EnumerateArray(), note => note.GetString()!.Contains("blocks.9.ffn.0", StringComparison.Ordinal));

        var refused = await RunAsync("extend", input, "pair", "--clip", "B", "--frames", "5", "--generate", "--prompt", "rain");
        Assert.Equal((1, "CONTEXT_UNSUPPORTED"), (refused.ExitCode, refused.Events("error")[0].GetProperty("reason").GetString()));
        refused = await RunAsync("inpaint", input, "sketch", "--clip", "B", "--mask", workspace.File("a.mp4"), "--prompt", "rain");
        Assert.Equal((1, "MODEL_CANNOT"), (refused.ExitCode, refused.Events("error")[0].GetProperty("reason").GetString()));
    }

    [FFmpegFact]
    public async Task The_shipped_model_restyles_and_loops()
    {
        var input = workspace.TwoShots("sketch.otio");
        var restyled = Done(await RunAsync("restyle", input, "sketch", "--clip", "A", "--strength", "0.5", "--prompt", "snow"), "restyle", "noised_source", 24);
        Assert.Equal(2, restyled.GetProperty("track").GetInt32());
        Done(await RunAsync("loop", input, "sketch", "--clip", "B", "--frames", "8", "--prompt", "waves"), "loop", "context", 8);
        var refused = await RunAsync("restyle", input, "sketch", "--clip", "A", "--strength", "1.5", "--prompt", "snow");
        Assert.Equal("STRENGTH_OUT_OF_RANGE", refused.Events("error")[0].GetProperty("reason").GetString());
    }

    private Task<CliResult> RunAsync(string verb, string input, params string[] arguments)
    {
        var model = arguments[0].StartsWith("--", StringComparison.Ordinal) ? "vace" : arguments[0];
        return workspace.Cli.RunAsync([verb, "--timeline", input, "--out", Path.ChangeExtension(input, ".out.otio"), "--model", model, .. arguments.SkipWhile(word => word == model), .. Fast]);
    }

    private static JsonElement Done(CliResult result, string kind, string mechanism, int frames)
    {
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(mechanism, Assert.Single(result.Events("plan")).GetProperty("mechanism").GetString());
        var clip = Assert.Single(Assert.Single(result.Events("done")).GetProperty("clips").EnumerateArray());
        Assert.Equal((kind, frames), (clip.GetProperty("kind").GetString(), clip.GetProperty("frames").GetInt32()));
        return clip;
    }

    private static Task<string> FramesAsync(JsonElement clip) => Tool.RunAsync("ffmpeg", "-v", "error", "-i", clip.GetProperty("path").GetString()!, "-f", "md5", "-");
}
