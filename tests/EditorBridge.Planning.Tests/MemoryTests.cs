namespace EditorBridge.Planning.Tests;

public class MemoryTests
{
    private const long GB = 1_000_000_000;

    private static Plan Plan(ModelCapabilities model, int frames, MachineMemory machine) =>
        Planner.Plan(Some.Request(JobKind.BRoll, frames), model, SpeedFigures.Unknown, machine);

    [Fact]
    public void Large_networks_stay_in_their_files_on_the_cpu()
    {
        var memory = Plan(Some.Ti2v, 25, new MachineMemory(24 * GB)).Memory;
        Assert.Equal(MemoryArrangement.Cpu, memory.Arrangement);
        Assert.Equal(0, memory.Weights);
        Assert.Equal(0, memory.DevicePeak);
        Assert.InRange(memory.Mapped, 22 * GB, 23 * GB);
        var sketch = Plan(Some.Sketch, 25, new MachineMemory(24 * GB)).Memory;
        Assert.Equal(0, sketch.Mapped);
        Assert.Equal(4 * (9_500_000 + 2_600_000 + 4_000_000), sketch.Weights);
    }

    [Fact]
    public void The_stored_size_counts_where_it_is_known()
    {
        var packed = Some.Ti2v with { TransformerBytes = 3 * GB };
        Assert.Equal(Plan(Some.Ti2v, 25, MachineMemory.Unknown).Memory.Mapped - (2 * Some.Ti2v.TransformerParameters) + (3 * GB), Plan(packed, 25, MachineMemory.Unknown).Memory.Mapped);
    }

    [Theory]
    [InlineData(80, MemoryArrangement.Resident)]
    [InlineData(24, MemoryArrangement.Resident)]
    [InlineData(12, MemoryArrangement.Streamed)]
    public void A_gpu_holds_the_transformer_or_lets_its_blocks_through(long device, MemoryArrangement expected)
    {
        var plan = Plan(Some.Ti2v with { VaeDecoderBase = 96 }, 25, new MachineMemory(64 * GB, device * GB));
        Assert.Equal(expected, plan.Memory.Arrangement);
        Assert.InRange(plan.Memory.DevicePeak, 1, device * GB);
        Assert.Equal(expected == MemoryArrangement.Streamed, plan.Warnings.Any(warning => warning.Code == "weights_streamed"));
    }

    [Fact]
    public void More_memory_never_needs_more_of_the_gpu_nor_refuses_what_fitted()
    {
        var needed = Enumerable.Range(1, 40).Select(gb => Plan(Some.Ti2v, 49, new MachineMemory(64 * GB, gb * GB))).ToArray();
        Assert.False(needed[0].CanRun);
        Assert.True(needed[^1].CanRun);
        Assert.Equal(needed.Select(plan => plan.CanRun).Order(), needed.Select(plan => plan.CanRun));
    }

    [Fact]
    public void What_does_not_fit_is_refused_with_what_does()
    {
        // 121 frames of 1280x704 want some 9 GB of activations.
        var plan = Plan(Some.Ti2v with { VaeDecoderBase = 32 }, 121, new MachineMemory(6 * GB));
        var refusal = Assert.Single(plan.Refusals);
        Assert.Equal("memory_too_small", refusal.Code);
        Assert.Contains("this machine has 6.0 GB; up to ", refusal.Message);
        var most = int.Parse(refusal.Message.Split("up to ")[1].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(Plan(Some.Ti2v with { VaeDecoderBase = 32 }, most, new MachineMemory(6 * GB)).CanRun);
        Assert.False(Plan(Some.Ti2v with { VaeDecoderBase = 32 }, most + 4, new MachineMemory(6 * GB)).CanRun);

        var never = Assert.Single(Plan(Some.Ti2v, 25, new MachineMemory(GB)).Refusals);
        Assert.EndsWith("choose a smaller model.", never.Message);
        var device = Assert.Single(Plan(Some.Ti2v, 25, new MachineMemory(64 * GB, GB)).Refusals);
        Assert.Contains("GPU memory and this machine has 1.0 GB; run the host with --device cpu", device.Message);
    }

    [Fact]
    public void Weights_that_are_read_from_disk_in_every_step_are_said()
    {
        var small = Some.Ti2v with { VaeDecoderBase = 32 };
        Assert.Contains(Plan(small, 25, new MachineMemory(8 * GB)).Warnings, warning => warning.Code == "weights_from_disk");
        Assert.DoesNotContain(Plan(small, 25, new MachineMemory(24 * GB)).Warnings, warning => warning.Code == "weights_from_disk");
    }

    private static JobMemory Memory(ModelCapabilities model, int latents = 7, int passes = 2, int tile = 0, CanvasSize? canvas = null)
    {
        var sampling = Some.Plan(Some.Request(JobKind.BRoll, 25)).Sampling with { Guidance = passes == 2 ? 5 : 1 };
        return new JobMemory(model, canvas ?? model.Sizes[0], latents, sampling, Continues: true, tile);
    }

    [Fact]
    public void The_peak_is_above_everything_that_is_there_at_once()
    {
        foreach (var model in (ModelCapabilities[])[Some.Sketch, Some.Ti2v, Some.Vace])
        {
            foreach (var tile in (int[])[0, 16])
            {
                var memory = Memory(model, tile: tile);
                // Texts and latents wait while the transformer works, and while a preview is decoded.
                Assert.True(memory.Peak > memory.Weights + memory.Texts + memory.States + memory.Pass);
                Assert.True(memory.Peak > memory.Weights + memory.Texts + memory.States + memory.Vae);
                Assert.True(memory.Peak > memory.Weights + memory.Pixels + memory.Vae);
                Assert.True(memory.Peak < 1_100_000_000 + memory.Weights + memory.Texts + memory.States + memory.Pixels + memory.Pass + (2 * memory.Vae));
                Assert.True(memory.Peak > memory.Weights + memory.Texts + memory.States + memory.Preview);
            }
        }
    }

    [Fact]
    public void A_preview_needs_most_where_it_goes_on_from_given_frames()
    {
        foreach (var tile in (int[])[0, 16])
        {
            var memory = Memory(Some.Vace, tile: tile);
            var fresh = memory with { Continues = false };
            Assert.True(fresh.Preview < memory.Preview && memory.Preview >= memory.Vae);
            Assert.Equal(memory.Vae, fresh.Vae);
        }
    }

    // Measured at full width with random weights (tests/EditorBridge.Benchmarks/README.md): the decoders alone at 128x96, and whole jobs.
    [Fact]
    public void Figures_that_were_measured_lie_below_the_plans_and_not_far()
    {
        var small = Memory(Some.Vace, canvas: new CanvasSize(128, 96));
        Assert.InRange(small.Vae / 377e6, 1, 1.25);
        Assert.InRange(small.VaeCache / 116e6, 1, 1.25);
        // Extension of 6 frames after 5: four latents.
        Assert.InRange(Memory(Some.Vace, latents: 4, canvas: new CanvasSize(128, 96)).Peak / 1.41e9, 1, 1.5);
        // A B-roll of 9 frames; 1.02 GB beyond the process itself.
        var job = Memory(Some.Ti2v, latents: 3, canvas: new CanvasSize(256, 160)) with { Continues = false };
        Assert.InRange(job.Peak / 1.12e9, 1, 1.75);
    }

    [Fact]
    public void Vace_keeps_its_contexts_hints_and_video_beside()
    {
        var plain = Some.Vace with { Conditioning = Conditioning.Words };
        var (vace, words) = (Memory(Some.Vace), Memory(plain));
        var tokens = 7L * 52 * 30;
        // Two more streams of tokens while a block works; twenty channels of video in place of six; six latents' width of context, twice.
        Assert.Equal(2 * 4 * tokens * Some.Vace.Dim, vace.Pass - words.Pass);
        Assert.Equal(14 * 4 * 25L * 832 * 480, vace.Pixels - words.Pixels);
        Assert.Equal(4 * 7L * 104 * 60 * 12 * 16, vace.States - words.States);
        Assert.True(vace.Peak > words.Peak);
        // Its 15 blocks have keys and values of their own: counted with the layers.
        Assert.Equal(Memory(plain with { Layers = 30 }).Texts * 3, words.Texts * 2);
        Assert.Equal(Memory(Some.Vace, passes: 1).Texts * 2, vace.Texts);
    }

    [Fact]
    public void Every_term_grows_with_what_it_is_made_of()
    {
        foreach (var model in (ModelCapabilities[])[Some.Sketch, Some.Ti2v, Some.Vace])
        {
            var memory = Memory(model);
            var longer = Memory(model, latents: 8);
            Assert.True(longer.Pass > memory.Pass && longer.Pixels > memory.Pixels && longer.States > memory.States);
            Assert.Equal((memory.Texts, memory.Vae), (longer.Texts, longer.Vae));
            var larger = Memory(model, canvas: new CanvasSize(2 * model.Sizes[0].Width, model.Sizes[0].Height));
            Assert.True(larger.Pass > memory.Pass && larger.VaeCache == 2 * memory.VaeCache && larger.VaeWork > memory.VaeWork);
            foreach (var arrangement in Enum.GetValues<MemoryArrangement>().Where(a => a != MemoryArrangement.Cpu))
                Assert.True(longer.PeakOnDevice(arrangement) > memory.PeakOnDevice(arrangement));
        }
    }

    [Fact]
    public void Pixel_patches_make_the_vae_smaller()
    {
        Assert.Equal(4 * Memory(Some.Ti2v).VaeCache, Memory(Some.Ti2v with { VaePatch = 1 }).VaeCache);
    }

    [Fact]
    public void Tiles_leave_one_tile_at_work()
    {
        var (whole, tiled, smaller) = (Memory(Some.Vace), Memory(Some.Vace, tile: 48), Memory(Some.Vace, tile: 32));
        Assert.True(whole.VaeWork > tiled.VaeWork && tiled.VaeWork > smaller.VaeWork);
        // What overlaps is remembered by both.
        Assert.InRange(tiled.VaeCache, whole.VaeCache, 2 * whole.VaeCache);
        Assert.True(tiled.Peak < whole.Peak);
        Assert.True(smaller.PeakOnDevice(MemoryArrangement.Streamed) < whole.PeakOnDevice(MemoryArrangement.Streamed));
    }

    [Fact]
    public void Pictures_are_cut_only_where_they_do_not_fit_whole()
    {
        foreach (var gpu in (bool[])[false, true])
        {
            var plans = Enumerable.Range(10, 300).Select(tenths => (long)tenths * GB / 10)
                .Select(size => Planner.Plan(Some.Request(JobKind.BRoll, 25), Some.Vace, SpeedFigures.Unknown, gpu ? new MachineMemory(64 * GB, size) : new MachineMemory(size))).ToArray();
            Assert.Equal(plans.Select(plan => plan.CanRun).Order(), plans.Select(plan => plan.CanRun));
            var able = plans.Where(plan => plan.CanRun).ToArray();
            Assert.NotEqual(plans.Length, able.Length);
            Assert.Contains(able, plan => plan.Memory.VaeTile > 0);
            Assert.Equal(0, able[^1].Memory.VaeTile);
            Assert.All(able, plan => Assert.Equal(plan.Memory.VaeTile > 0, plan.Warnings.Any(warning => warning.Code == "vae_tiled")));
            foreach (var group in able.GroupBy(plan => plan.Memory.Arrangement))
            {
                // With more memory tiles get larger, until there are none.
                var sides = group.Select(plan => plan.Memory.VaeTile is var tile && tile == 0 ? int.MaxValue : tile).ToArray();
                Assert.Equal(sides.Order(), sides);
            }
        }
    }
}
