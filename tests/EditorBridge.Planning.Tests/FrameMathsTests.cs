using CsCheck;
using EditorBridge.Timeline;

namespace EditorBridge.Planning.Tests;

/// <summary>The frame mathematics of every job, for every length, context, rate pair and canvas length.</summary>
public class FrameMathsTests
{
    private static readonly JobKind[] Kinds = [JobKind.BRoll, JobKind.ExtendTail, JobKind.ExtendHead, JobKind.Fill];

    public static TheoryData<JobKind, string> KindsAndRates()
    {
        var data = new TheoryData<JobKind, string>();
        foreach (var kind in Kinds)
            foreach (var rate in Some.Rates)
                data.Add(kind, rate.ToString());
        return data;
    }

    [Theory]
    [MemberData(nameof(KindsAndRates))]
    public void Every_length_and_context_is_exact(JobKind kind, string rateText)
    {
        Assert.True(FrameRate.TryParse(rateText, out var rate));
        foreach (var canvasRate in Some.Rates)
            foreach (var k in (int[])[0, 1, 5, 9])
                for (var n = 1; n <= 300; n++)
                    Check(Some.Plan(Some.Request(kind, n, rate, k), Some.Sketch with { CanvasRate = canvasRate }));
    }

    [Fact]
    public void Any_canvas_length_works() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[1, 700], Gen.Int[0, 4], Gen.Int[5, 40], Gen.Int[0, 7], Gen.Int[0, 7]).Sample((kind, n, k, grid, rate, canvasRate) =>
            Check(Some.Plan(
                Some.Request(Kinds[kind], n, Some.Rates[rate], k == 0 ? 0 : 4 * k - 3),
                Some.Sketch with { MaxFrames = 4 * grid + 1, CanvasRate = Some.Rates[canvasRate] })));

    [Fact]
    public void A_model_without_trained_ends_gets_them_in_its_last_slots() =>
        Gen.Select(Gen.Int[1, 3], Gen.Int[1, 500], Gen.Int[0, 4], Gen.Int[0, 7]).Sample((kind, n, k, rate) =>
        {
            var plan = Some.Plan(Some.Request(Kinds[kind], n, Some.Rates[rate], k == 0 ? 0 : 4 * k - 3), Some.Ti2v);
            Check(plan);
            if (plan.After is null) return;
            Assert.Equal(Mechanism.BestEffortContext, plan.Mechanism);
            Assert.All(plan.Windows.Where(w => w.AfterLatents > 0), w => Assert.Equal(w.MainQuarters.TakeLast(w.AfterLatents), w.AfterQuarters));
        });

    private static void Check(Plan plan)
    {
        var request = plan.Request;
        var mapping = plan.Mapping;
        Assert.Equal(request.Delivery.Frames, mapping.DeliveredFrames);

        // Every window is on the grid and within the canvas, and its latents add up.
        foreach (var w in plan.Windows)
        {
            Assert.Equal(1, w.Frames % 4);
            Assert.InRange(w.Frames, 1, plan.Model.MaxFrames);
            Assert.Equal((w.Frames - 1) / 4 + 1, w.Latents);
            Assert.Equal(w.Latents, w.BeforeLatents + w.GeneratedLatents + (w.AfterInSlots ? w.AfterLatents : 0));
            Assert.True(w.BeforeFrames == 0 ? w.BeforeLatents == 0 : w.BeforeFrames == 4 * (w.BeforeLatents - 1) + 1);
            Assert.True(w.GeneratedLatents >= 1);
            Assert.Equal(Enumerable.Range(0, w.Latents).Select(j => 4 * j), w.MainQuarters);
            Assert.True(w.Deliver.Duration >= 1 && w.Deliver.Start >= w.BeforeFrames && w.Deliver.End <= w.Frames);
            Assert.True(w.AfterFrames == 0 || w.AfterFrames % 4 == 1);
            if (w.AfterInSlots)
            {
                // The first frame after stays free, and no kept frame lies in a given slot.
                Assert.True(w.Deliver.End < w.Frames - 4 * w.AfterLatents);
                continue;
            }

            // The true time of the frames after: the first of them follows the last wanted frame.
            Assert.Equal(w.AfterFrames == 0 ? 0 : (w.AfterFrames - 1) / 4 + 1, w.AfterLatents);
            var aim = w.AfterOrigin == ContextOrigin.Window
                ? w.Deliver.End
                : w.Deliver.Start + mapping.CanvasFrames - w.WantedStart;
            Assert.Equal(Enumerable.Range(0, w.AfterLatents).Select(i => aim + 4 * i), w.AfterQuarters.Select(q => (long)q));
            // Surplus is dropped at the free end, three frames at most.
            if (w.BeforeFrames == 0 && w.AfterFrames > 0) Assert.True(w.Deliver.End == w.Frames && w.Deliver.Start <= 3);
            else Assert.True(w.Deliver.Start == w.BeforeFrames && w.Frames - w.Deliver.End <= 3);
        }

        // Windows join without hole or overlap, in the order they are made.
        var inTime = plan.Windows.OrderBy(w => w.WantedStart).ToArray();
        var next = 0;
        foreach (var w in inTime)
        {
            Assert.Equal(next, w.WantedStart);
            next += (int)w.Deliver.Duration;
        }

        Assert.Equal(mapping.CanvasFrames, next);
        Assert.Equal(Enumerable.Range(0, plan.Windows.Count), plan.Windows.Select(w => w.Order));
        Assert.Equal(plan.Backward, inTime.Length > 0 && plan.Before is null && plan.After is not null);
        if (plan.Backward) Array.Reverse(inTime);
        Assert.Equal(plan.Windows, inTime);
        for (var i = 1; i < plan.Windows.Count; i++)
            Assert.Equal(ContextOrigin.Window, plan.Backward ? plan.Windows[i].AfterOrigin : plan.Windows[i].BeforeOrigin);

        // Delivered frames: all of them, in order, none repeats a neighbour, and what they lean on exists.
        var previous = double.NegativeInfinity;
        for (var d = 0; d < mapping.DeliveredFrames; d++)
        {
            var (frame, fraction) = mapping.Position(d);
            Assert.True(frame + fraction > previous);
            previous = frame + fraction;
            Assert.InRange(frame, plan.Before is null || request.Kind == JobKind.BRoll ? 0 : -1, mapping.CanvasFrames - 1);
            if (fraction > 0) Assert.True(frame + 1 < mapping.CanvasFrames || plan.After is not null);
            if (mapping.OneToOne) Assert.Equal((d, 0.0), (frame, fraction));
        }

        // Both ends fixed: the step from the last frame before to the first delivered is every later step, and so is the one to the first frame after.
        if (plan.Before is not null && plan.After is not null && !mapping.OneToOne)
        {
            Assert.Equal(mapping.StepNumerator, mapping.FirstNumerator + mapping.Denominator);
            Assert.Equal(mapping.StepNumerator * (mapping.DeliveredFrames + 1), (mapping.CanvasFrames + 1) * mapping.Denominator);
            var exact = (double)(mapping.DeliveredFrames + 1) * plan.Canvas.Rate.Approximate / request.Delivery.Rate.Approximate;
            Assert.True(Math.Abs(exact - (mapping.CanvasFrames + 1)) <= 0.5 + 1e-9 || mapping.CanvasFrames == 1);
        }
    }

    [Theory]
    [InlineData(24, 1, 24, 1, true)]
    [InlineData(24000, 1001, 24, 1, true)]
    [InlineData(25, 1, 24, 1, true)]
    [InlineData(30000, 1001, 24, 1, false)]
    [InlineData(16, 1, 24, 1, false)]
    [InlineData(264, 10, 24, 1, true)]
    [InlineData(2641, 100, 24, 1, false)]
    public void Rates_within_a_tenth_go_one_to_one(long rn, long rd, long fn, long fd, bool expected) =>
        Assert.Equal(expected, RateConversion.OneToOne(new FrameRate(rn, rd), new FrameRate(fn, fd)));

    [Fact]
    public void The_worked_cases_of_the_design()
    {
        // A 48-frame fill with k = 9: twelve new latents after three, both ends at their true times.
        var fill = Assert.Single(Some.Plan(Some.Request(JobKind.Fill, 48)).Windows);
        Assert.Equal((57, 15, 3, 12), (fill.Frames, fill.Latents, fill.BeforeLatents, fill.GeneratedLatents));
        Assert.Equal([57, 61, 65], fill.AfterQuarters);
        Assert.Equal(new FrameRange(9, 48), fill.Deliver);

        // A 10-frame lead: n = 4 latents, 13 frames, the last ten are kept, and the shot follows at τ = 13/4.
        var lead = Assert.Single(Some.Plan(Some.Request(JobKind.ExtendHead, 10, k: 5)).Windows);
        Assert.Equal((13, 4), (lead.Frames, lead.Latents));
        Assert.Equal([13, 17], lead.AfterQuarters);
        Assert.Equal(new FrameRange(3, 10), lead.Deliver);

        // B-roll of 10: T = 4·3+1.
        var roll = Assert.Single(Some.Plan(Some.Request(JobKind.BRoll, 10)).Windows);
        Assert.Equal((13, 4), (roll.Frames, roll.GeneratedLatents));
        Assert.Equal(new FrameRange(0, 10), roll.Deliver);

        // 50 frames at 50 on a 24 canvas between two shots: N_c = round(51·24/50) − 1 = 23.
        Assert.Equal(23, Some.Plan(Some.Request(JobKind.Fill, 50, new FrameRate(50))).Mapping.CanvasFrames);
    }

    [Fact]
    public void Context_is_counted_back_from_the_cut_at_the_canvas_rate()
    {
        var plan = Some.Plan(Some.Request(JobKind.Fill, 50, new FrameRate(50), k: 5));
        // Steps of 1/24 s are 2.083 frames at 50: offsets 0, 2, 4, 6, 8 from the last frame (299) and from the first (40).
        Assert.Equal([291, 293, 295, 297, 299], plan.Before!.Frames);
        Assert.Equal([40, 42, 44, 46, 48], plan.After!.Frames);
        // One to one, consecutive frames of media at the sequence's rate.
        Assert.Equal([295, 296, 297, 298, 299], Some.Plan(Some.Request(JobKind.ExtendTail, 10, FrameRate.Pal, k: 5)).Before!.Frames);
        // Media at twice the sequence's rate: every other frame, as the timeline shows them.
        Assert.Equal([291, 293, 295, 297, 299], Some.Plan(Some.Request(JobKind.ExtendTail, 10, FrameRate.Pal, k: 5, mediaRate: new FrameRate(50))).Before!.Frames);
    }

    [Theory]
    [InlineData(200, 9)]
    [InlineData(9, 9)]
    [InlineData(8, 5)]
    [InlineData(5, 5)]
    [InlineData(4, 1)]
    [InlineData(1, 1)]
    public void Fewer_context_frames_are_used_where_fewer_exist(int exist, int used)
    {
        var request = Some.Request(JobKind.ExtendTail, 24);
        var plan = Some.Plan(request with { Before = request.Before! with { Frames = new FrameRange(0, exist) } });
        Assert.Equal(used, plan.Before!.Frames.Count);
        Assert.Equal(exist - 1, plan.Before.Frames[^1]);
        Assert.Equal(used < 9, plan.Warnings.Any(w => w.Code == "context_short"));
    }

    [Fact]
    public void A_shot_after_that_is_too_short_for_the_model_is_not_left_out_silently()
    {
        // A picture, which a model that has slots for the end cannot lead up to.
        Plan Of(JobKind kind, int exist)
        {
            var request = Some.Request(kind, 24, k: 1);
            return Planner.Plan(request with { After = request.After! with { Frames = new FrameRange(0, exist) } }, Some.Ti2v, SpeedFigures.Unknown);
        }

        Assert.True(Of(JobKind.Fill, 5).CanRun);
        Assert.NotNull(Of(JobKind.Fill, 5).After);
        var fill = Of(JobKind.Fill, 1);
        Assert.True(fill.CanRun);
        Assert.Null(fill.After);
        Assert.Contains(fill.Warnings, w => w.Code == "context_short" && w.Message.Contains("do not lead up to it", StringComparison.Ordinal));
        Assert.Equal("context_too_short", Assert.Single(Of(JobKind.ExtendHead, 1).Refusals).Code);
    }

    [Fact]
    public void The_shot_after_is_given_where_it_is_as_near_as_in_training()
    {
        var plan = Some.Plan(Some.Request(JobKind.Fill, 200));
        Assert.Equal(3, plan.Windows.Count);
        Assert.Equal([ContextOrigin.None, ContextOrigin.None, ContextOrigin.Source], plan.Windows.Select(w => w.AfterOrigin));
        Assert.Equal(9 + plan.Windows[2].Deliver.Duration, plan.Windows[2].AfterQuarters[0]);
        Assert.All(
            Enumerable.Range(73, 200).SelectMany(n => Some.Plan(Some.Request(JobKind.Fill, n)).Windows).Where(w => w.AfterLatents > 0),
            w => Assert.InRange(w.AfterQuarters[0], 10, 81));
    }

    [Fact]
    public void A_still_is_one_frame_held()
    {
        var plan = Some.Plan(Some.Request(JobKind.Still, 30));
        Assert.Equal(1, Assert.Single(plan.Windows).Frames);
        Assert.All(Enumerable.Range(0, 30), d => Assert.Equal((0, 0.0), plan.Mapping.Position(d)));
    }
}
