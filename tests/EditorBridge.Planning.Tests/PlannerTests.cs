using System.Text.Json;
using EditorBridge.Timeline;

namespace EditorBridge.Planning.Tests;

public class PlannerTests
{
    [Fact]
    public void A_plan_survives_its_json_form()
    {
        var plan = Planner.Plan(Some.Request(JobKind.Fill, 130, new FrameRate(60000, 1001)), Some.Sketch, SpeedFigures.FromProbe(1e11));
        var json = JsonSerializer.Serialize(plan, PlanningJson.Default.Plan);
        var back = JsonSerializer.Deserialize(json, PlanningJson.Default.Plan)!;
        Assert.Equal(json, JsonSerializer.Serialize(back, PlanningJson.Default.Plan));
        Assert.Equal(plan.Mapping, back.Mapping);
        Assert.Contains("60000/1001", json, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "prompt_empty")]
    [InlineData("  \n", "prompt_empty")]
    public void An_empty_prompt_is_refused(string prompt, string code) =>
        Assert.Equal(("prompt", code), Refused(Some.Request(JobKind.BRoll, 10) with { Prompt = prompt }));

    [Fact]
    public void A_prompt_of_ten_thousand_characters_is_refused() =>
        Assert.Equal(("prompt", "prompt_too_long"), Refused(Some.Request(JobKind.BRoll, 10) with { Prompt = new string('a', 10_000) }));

    [Fact]
    public void Each_field_out_of_range_is_named()
    {
        var good = Some.Request(JobKind.Fill, 10);
        Assert.Equal(("delivery.frames", "frames_none"), Refused(good with { Delivery = good.Delivery with { Frames = 0 } }));
        Assert.Equal(("delivery.frames", "frames_too_many"), Refused(good with { Delivery = good.Delivery with { Frames = 1_000_000 } }));
        Assert.Equal(("delivery.size", "size_out_of_range"), Refused(good with { Delivery = good.Delivery with { Width = 0 } }));
        Assert.Equal(("delivery.size", "size_odd"), Refused(good with { Delivery = good.Delivery with { Height = 1081 } }));
        Assert.Equal(("delivery.rate", "rate_out_of_range"), Refused(good with { Delivery = good.Delivery with { Rate = new FrameRate(1000) } }));
        Assert.Equal(("takes", "takes_out_of_range"), Refused(good with { Takes = 0 }));
        Assert.Equal(("seed", "seed_negative"), Refused(good with { Seed = -1 }));
        Assert.Equal(("steps", "steps_out_of_range"), Refused(good with { Steps = 0 }));
        Assert.Equal(("guidance", "guidance_out_of_range"), Refused(good with { Guidance = double.NaN }));
        Assert.Equal(("shift", "shift_out_of_range"), Refused(good with { Shift = -1 }));
        Assert.Equal(("sampler", "sampler_unknown"), Refused(good with { Sampler = "heun" }));
        Assert.Equal(("preset", "preset_unknown"), Refused(good with { Preset = "best" }));
        Assert.Equal(("before", "context_missing"), Refused(good with { Before = null, After = null }));
        Assert.Equal(("before", "context_empty"), Refused(good with { Before = good.Before! with { Frames = default } }));
        Assert.Equal(("reference", "reference_unused"), Refused(good with { ReferencePicture = "a.png" }));
        Assert.Equal(("context_frames", "context_out_of_range"), Refused(good with { ContextFrames = -1 }));
    }

    [Theory]
    [InlineData(UnbuiltFeature.Shots, "shots")]
    [InlineData(UnbuiltFeature.PromptExpansion, "expand_prompt")]
    [InlineData(UnbuiltFeature.StyleReferences, "references")]
    public void What_is_not_built_is_refused_by_name(UnbuiltFeature feature, string field) =>
        Assert.Equal((field, "not_built"), Refused(Some.Request(JobKind.BRoll, 10) with { Unbuilt = [feature] }));

    [Fact]
    public void Handles_come_before_invented_frames()
    {
        var request = Some.Request(JobKind.ExtendTail, 24) with { HandleFrames = 24 };
        var plan = Some.Plan(request);
        Assert.Equal(Mechanism.Handles, plan.Mechanism);
        Assert.Empty(plan.Windows);
        Assert.Contains(plan.Warnings, w => w.Code == "handles");
        Assert.Equal(Mechanism.CleanContext, Some.Plan(request with { GenerateOverHandles = true }).Mechanism);
        var partial = Some.Plan(request with { HandleFrames = 23 });
        Assert.Equal(Mechanism.CleanContext, partial.Mechanism);
        Assert.Contains(partial.Warnings, w => w.Code == "handles_partial");
    }

    [Fact]
    public void The_mechanism_says_what_the_model_was_trained_for()
    {
        Assert.Equal(Mechanism.Text, Some.Plan(Some.Request(JobKind.BRoll, 24)).Mechanism);
        Assert.Equal(Mechanism.CleanContext, Some.Plan(Some.Request(JobKind.Fill, 24)).Mechanism);
        var ti2v = Some.Plan(Some.Request(JobKind.ExtendTail, 24), Some.Ti2v);
        Assert.Equal(Mechanism.BestEffortContext, ti2v.Mechanism);
        Assert.Contains(ti2v.Warnings, w => w.Code == "best_effort");
        Assert.Equal(Mechanism.FirstFrame, Some.Plan(Some.Request(JobKind.ExtendTail, 24, k: 1), Some.Ti2v).Mechanism);
        var reference = Some.Plan(Some.Request(JobKind.BRoll, 24) with { ReferencePicture = "a.png" }, Some.Ti2v);
        Assert.Equal((Mechanism.FirstFrame, 1), (reference.Mechanism, reference.Windows[0].BeforeFrames));
    }

    [Fact]
    public void A_model_that_cannot_lead_up_to_a_shot_refuses() =>
        Assert.Equal(("kind", "context_unsupported"), Refused(Some.Request(JobKind.ExtendHead, 24), Some.Sketch with { After = ContextSupport.None }));

    [Theory]
    [InlineData(1920, 1080, 288, 160, CanvasFit.Stretch)]
    [InlineData(1080, 1920, 160, 288, CanvasFit.Stretch)]
    [InlineData(640, 640, 224, 224, CanvasFit.Stretch)]
    [InlineData(1440, 1080, 224, 224, CanvasFit.Inset)]
    [InlineData(2048, 858, 288, 160, CanvasFit.Inset)]
    public void The_canvas_has_the_nearest_shape(int width, int height, int canvasWidth, int canvasHeight, CanvasFit fit)
    {
        var canvas = CanvasChoice.Choose(Some.Sketch, width, height);
        Assert.Equal(new CanvasSize(canvasWidth, canvasHeight), canvas.Size);
        Assert.Equal(fit, canvas.Fit);
        Assert.InRange((double)canvas.PictureWidth / canvas.PictureHeight / ((double)width / height), 0.95, 1.05);
        Assert.True(canvas.PictureX >= 0 && canvas.PictureX + canvas.PictureWidth <= canvasWidth);
        Assert.True(canvas.PictureY >= 0 && canvas.PictureY + canvas.PictureHeight <= canvasHeight);
    }

    [Fact]
    public void Takes_count_seeds_up()
    {
        var plan = Some.Plan(Some.Request(JobKind.BRoll, 10) with { Seed = 7, Takes = 3 });
        Assert.Equal([new TakePlan(1, 7), new TakePlan(2, 8), new TakePlan(3, 9)], plan.Takes);
    }

    [Fact]
    public void Time_scales_with_steps_and_says_where_it_comes_from()
    {
        var request = Some.Request(JobKind.Fill, 48);
        Assert.Equal(TimeBasis.Unknown, Planner.Plan(request, Some.Sketch, SpeedFigures.Unknown).Time.Basis);
        var once = Planner.Plan(request, Some.Sketch, SpeedFigures.FromProbe(8e10)).Time;
        var twice = Planner.Plan(request with { Preset = "fine" }, Some.Sketch, SpeedFigures.FromProbe(8e10)).Time;
        Assert.Equal(TimeBasis.Probe, once.Basis);
        Assert.Equal(2 * once.SamplingSeconds, twice.SamplingSeconds, 6);
        Assert.InRange(once.TotalSeconds, 5, 120);
    }

    [Fact]
    public void What_tiles_overlap_is_counted_twice()
    {
        var vace = Some.Vace;
        var request = Some.Request(JobKind.BRoll, 25);
        var speed = SpeedFigures.FromProbe(8e10);
        var whole = Planner.Plan(request, vace, speed);
        Assert.Equal((0, new CanvasSize(832, 480)), (whole.Memory.VaeTile, whole.Canvas.Size));
        // 104x60 latents in tiles side by side, and one above the other.
        var computed = new Dictionary<int, int> { [64] = 2 * 60 * 60, [48] = 3 * 43 * 2 * 36, [32] = 4 * 32 * 3 * 26 };
        var cut = Enumerable.Range(10, 300).Select(tenths => Planner.Plan(request, vace, speed, new MachineMemory(tenths * (1L << 30) / 10))).Where(plan => plan is { CanRun: true, Memory.VaeTile: > 0 }).ToArray();
        Assert.NotEmpty(cut);
        Assert.All(cut, plan => Assert.Equal(computed[plan.Memory.VaeTile] / (104.0 * 60), plan.Time.VaeSeconds / whole.Time.VaeSeconds, 9));
        Assert.All(cut, plan => Assert.Equal(whole.Time.SamplingSeconds, plan.Time.SamplingSeconds));
    }

    [Fact]
    public void The_estimates_agree_with_the_published_figures_of_the_large_model()
    {
        // 1280x704, 121 frames: 27,280 tokens and 0.55 PFLOP a pass.
        var plan = Planner.Plan(Some.Request(JobKind.BRoll, 121), Some.Ti2v, SpeedFigures.Unknown);
        var tokens = Estimates.Tokens(Some.Ti2v, plan.Canvas.Size, plan.Windows[0]);
        Assert.Equal(27_280, tokens);
        Assert.InRange(Estimates.TransformerFlops(Some.Ti2v, tokens), 0.5e15, 0.6e15);
        // The sketch stays far below the 3 GB it is allowed.
        Assert.InRange(Some.Plan(Some.Request(JobKind.Fill, 72)).Memory.Peak, 0.3e9, 1.5e9);
    }

    private static (string Field, string Code) Refused(JobRequest request, ModelCapabilities? model = null)
    {
        var plan = Planner.Plan(request, model ?? Some.Sketch, SpeedFigures.Unknown);
        Assert.False(plan.CanRun);
        var refusal = Assert.Single(plan.Refusals);
        Assert.EndsWith(".", refusal.Message, StringComparison.Ordinal);
        return (refusal.Field, refusal.Code);
    }
}
