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
}
