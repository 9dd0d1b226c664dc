using System.Text.Json;
using CsCheck;

namespace EditorBridge.Planning.Tests;

public class PresetTests
{
    private static readonly JobRequest Request = Some.Request(JobKind.BRoll, 24);

    [Fact]
    public void Without_options_everything_is_computed_as_the_model_says()
    {
        foreach (var asked in (string[])["standard", "default"])
        {
            var sampling = Some.Plan(Request with { Preset = asked }).Sampling;
            Assert.Equal(new SamplingPlan { Preset = "standard", Sampler = "unipc", Steps = 20, Guidance = 4, Shift = 5, Timesteps = sampling.Timesteps }, sampling);
            Assert.Empty(sampling.Timesteps);
            Assert.Equal((20, 2, 40), (sampling.GuidedSteps, sampling.PassesPerStep, sampling.Passes));
        }
    }

    [Fact]
    public void A_draft_takes_fewer_passes_and_a_final_more()
    {
        var draft = Some.Plan(Request with { Preset = "draft" }).Sampling;
        Assert.Equal((10, 0.6, 6, 16), (draft.Steps, draft.GuidanceUntil, draft.GuidedSteps, draft.Passes));
        Assert.Equal(("easycache", 0.05, 2), (draft.StepCache!.Method, draft.StepCache.Threshold, draft.StepCache.FirstSteps));
        foreach (var asked in (string[])["final", "fine"])
        {
            var final = Some.Plan(Request with { Preset = asked }).Sampling;
            Assert.Equal(("final", 40, 80), (final.Preset, final.Steps, final.Passes));
            Assert.Null(final.StepCache);
        }
    }

    [Fact]
    public void What_is_asked_for_goes_before_the_preset()
    {
        var asked = Some.Plan(Request with { Preset = "draft", Steps = 7, GuidanceUntil = 1, StepCache = new StepCacheRequest { Method = "none" }, Shift = 3, Sampler = "euler" }).Sampling;
        Assert.Equal((7, 7, 3.0, "euler"), (asked.Steps, asked.GuidedSteps, asked.Shift, asked.Sampler));
        Assert.Null(asked.StepCache);
        var cached = Some.Plan(Request with { StepCache = new StepCacheRequest { Method = "easycache", Threshold = 0.2, FirstSteps = 0 } }).Sampling;
        Assert.Equal(("easycache", 0.2, 0, 20), (cached.StepCache!.Method, cached.StepCache.Threshold, cached.StepCache.FirstSteps, cached.Steps));
    }

    [Fact]
    public void A_models_own_preset_stands_for_the_one_of_its_name()
    {
        var model = Some.Sketch with
        {
            Presets = new Dictionary<string, SamplingPreset> { ["draft"] = new() { Timesteps = [1000, 750, 500, 250], Sampler = "lcm", Guidance = 1, Shift = 5 } },
        };
        var draft = Some.Plan(Request with { Preset = "draft" }, model).Sampling;
        Assert.Equal(("lcm", 4, 1, 4), (draft.Sampler, draft.Steps, draft.PassesPerStep, draft.Passes));
        Assert.Equal([1000, 750, 500, 250], draft.Timesteps);
        Assert.Null(draft.StepCache);
        Assert.Equal(40, Some.Plan(Request with { Preset = "final" }, model).Sampling.Steps);
        // Its timesteps are of no use to another number of steps, nor to another solver.
        Assert.Empty(Some.Plan(Request with { Preset = "draft", Steps = 8 }, model).Sampling.Timesteps);
        Assert.Equal(8, Some.Plan(Request with { Preset = "draft", Steps = 8 }, model).Sampling.Steps);
        Assert.Empty(Some.Plan(Request with { Preset = "draft", Sampler = "unipc" }, model).Sampling.Timesteps);
        // A cut of a long schedule is nothing to few steps.
        Assert.Null(Some.Plan(Request with { Preset = "draft", Sampler = "lcm", Steps = 4 }).Sampling.StepCache);
        Assert.Null(Some.Plan(Request with { Preset = "draft", Sampler = "euler", Timesteps = [1000, 500] }).Sampling.StepCache);
        // And a restyled source leaves the first of them out.
        var source = new SourceVideo { Path = "a.mov", Rate = Timeline.FrameRate.F24, Frames = new Timeline.FrameRange(0, 24) };
        var restyled = Some.Plan(Request with { Kind = JobKind.Restyle, Source = source, Strength = 0.5, Preset = "draft" }, model).Sampling;
        Assert.Equal((2, 2, 4), (restyled.Steps, restyled.Skipped, restyled.Timesteps.Count));
    }

    [Fact]
    public void Guidance_counts_where_it_is_applied() =>
        Gen.Select(Gen.Int[1, 100], Gen.Double[0, 1], Gen.OneOf(Gen.Const(1.0), Gen.Double[1.5, 8])).Sample((steps, until, guidance) =>
        {
            var sampling = Some.Plan(Request with { Steps = steps, GuidanceUntil = until, Guidance = guidance }).Sampling;
            Assert.InRange(sampling.GuidedSteps, guidance == 1 ? 0 : until * steps - 1e-6, guidance == 1 ? 0 : Math.Min(steps, until * steps + 1));
            Assert.Equal(steps + sampling.GuidedSteps, sampling.Passes);
            Assert.Equal(sampling.Passes, sampling.PassesIn(steps));
            Assert.All(Enumerable.Range(0, steps), step => Assert.InRange(sampling.PassesIn(step + 1) - sampling.PassesIn(step), 1, sampling.PassesPerStep));
        }, iter: 300);

    [Fact]
    public void The_time_is_that_of_the_passes_that_are_left()
    {
        var speed = SpeedFigures.FromProbe(8e10);
        var all = Planner.Plan(Request, Some.Sketch, speed).Time.SamplingSeconds;
        Assert.Equal(0.75 * all, Planner.Plan(Request with { GuidanceUntil = 0.5 }, Some.Sketch, speed).Time.SamplingSeconds, 9);
        Assert.Equal(0.5 * all, Planner.Plan(Request with { GuidanceUntil = 0 }, Some.Sketch, speed).Time.SamplingSeconds, 9);
    }

    [Fact]
    public void TeaCache_needs_its_polynomial_and_memory_for_what_it_keeps()
    {
        var asked = Request with { StepCache = new StepCacheRequest { Method = "teacache" } };
        var refusal = Assert.Single(Planner.Plan(asked, Some.Ti2v, SpeedFigures.Unknown).Refusals);
        Assert.Equal(("sampler.step_cache", "step_cache_unsupported"), (refusal.Field, refusal.Code));
        var fitted = Some.Ti2v with { TeaCacheCoefficients = [1, 0] };
        var plan = Some.Plan(asked, fitted);
        Assert.Equal([1, 0], plan.Sampling.StepCache!.Coefficients);
        // As many numbers a token as the transformer is wide, for both passes.
        var tokens = Estimates.Tokens(fitted, plan.Canvas.Size, plan.Windows[0]);
        Assert.Equal(2 * 4 * tokens * 3072, plan.Memory.TransformerActivations - Some.Plan(Request, fitted).Memory.TransformerActivations);
    }

    [Fact]
    public void A_distilled_schedule_has_no_step_to_spare()
    {
        var cached = Request with { StepCache = new StepCacheRequest { Method = "easycache" } };
        Assert.Equal("sampler.step_cache: step_cache_unsupported", Refused(cached with { Timesteps = [1000, 750, 500, 250], Sampler = "lcm" }));
        Assert.Empty(Planner.Plan(cached with { Timesteps = [1000, 500], Sampler = "lcm", StepCache = new StepCacheRequest { Method = "none" } }, Some.Sketch, SpeedFigures.Unknown).Refusals);
        // Also where the model's own preset has the timesteps, unless other steps are asked for.
        var model = Some.Sketch with { Presets = new Dictionary<string, SamplingPreset> { ["draft"] = new() { Timesteps = [1000, 500], Sampler = "lcm" } } };
        Assert.Equal("step_cache_unsupported", Assert.Single(Planner.Plan(cached with { Preset = "draft" }, model, SpeedFigures.Unknown).Refusals).Code);
        Assert.Empty(Planner.Plan(cached with { Preset = "draft", Steps = 12 }, model, SpeedFigures.Unknown).Refusals);
    }

    [Fact]
    public void Each_option_out_of_range_is_named()
    {
        Assert.Equal("sampler.guidance_until: guidance_out_of_range", Refused(Request with { GuidanceUntil = 1.5 }));
        Assert.Equal("sampler.guidance_until: guidance_out_of_range", Refused(Request with { GuidanceUntil = double.NaN }));
        Assert.Equal("sampler.step_cache: step_cache_unknown", Refused(Request with { StepCache = new StepCacheRequest { Method = "magcache" } }));
        Assert.Equal("sampler.step_cache: step_cache_out_of_range", Refused(Request with { StepCache = new StepCacheRequest { Method = "easycache", Threshold = -1 } }));
        Assert.Equal("sampler.step_cache: step_cache_out_of_range", Refused(Request with { StepCache = new StepCacheRequest { Method = "easycache", FirstSteps = -1 } }));
        foreach (var timesteps in (double[][])[[500, 750], [1001], [500, 0], [double.NaN]])
            Assert.Equal("sampler.timesteps: timesteps_unusable", Refused(Request with { Timesteps = timesteps, Sampler = "lcm" }));
        Assert.Equal("sampler.timesteps: timesteps_unusable", Refused(Request with { Timesteps = [1000, 500], Steps = 3, Sampler = "lcm" }));
        Assert.Equal("sampler.timesteps: timesteps_unusable", Refused(Request with { Timesteps = [1000, 500], Sampler = "unipc" }));
        Assert.Equal("sampler.timesteps: timesteps_unusable", Refused(Request with { Timesteps = [1000, 500] }));
    }

    [Fact]
    public void A_plan_with_all_options_survives_its_json_form()
    {
        var plan = Some.Plan(Request with { Preset = "draft", Steps = 9, Timesteps = [] });
        plan = plan with { Sampling = plan.Sampling with { Timesteps = [1000, 600] } };
        var json = JsonSerializer.Serialize(plan, PlanningJson.Default.Plan);
        var back = JsonSerializer.Deserialize(json, PlanningJson.Default.Plan)!;
        Assert.Equal(json, JsonSerializer.Serialize(back, PlanningJson.Default.Plan));
        Assert.Equal((plan.Sampling.StepCache!.Threshold, 2), (back.Sampling.StepCache!.Threshold, back.Sampling.Timesteps.Count));
    }

    private static string Refused(JobRequest request)
    {
        var refusal = Assert.Single(Planner.Plan(request, Some.Sketch, SpeedFigures.Unknown).Refusals);
        Assert.EndsWith(".", refusal.Message, StringComparison.Ordinal);
        return $"{refusal.Field}: {refusal.Code}";
    }
}
