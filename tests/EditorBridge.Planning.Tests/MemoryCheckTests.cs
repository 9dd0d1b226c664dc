namespace EditorBridge.Planning.Tests;

public class MemoryCheckTests
{
    private const long GB = 1_000_000_000;

    private static Plan Plan(MachineMemory machine, ModelCapabilities? model = null) =>
        Planner.Plan(Some.Request(JobKind.BRoll, 25), model ?? Some.Ti2v with { VaeDecoderBase = 96 }, SpeedFigures.Unknown, machine);

    private static ModelCapabilities Pair => Some.Ti2v with { VaeDecoderBase = 96, LowNoiseParameters = Some.Ti2v.TransformerParameters, Boundary = 0.9 };

    [Theory]
    [InlineData(0)]
    [InlineData(11)]
    [InlineData(64)]
    public void What_was_planned_stays_while_it_fits(long free)
    {
        var plan = Plan(new MachineMemory(64 * GB, 12 * GB));
        Assert.Equal(MemoryArrangement.Streamed, plan.Memory.Arrangement);
        var check = MemoryCheck.AtStart(plan, new MachineMemory(free * GB, free * GB), onGpu: true);
        Assert.Equal(plan.Memory, check.Use);
        Assert.Null(check.Refusal);
        Assert.Empty(check.Notes);
    }

    [Fact]
    public void A_gpu_that_others_use_gets_the_nearest_arrangement_and_the_notes_say_so()
    {
        var plan = Plan(new MachineMemory(64 * GB, 80 * GB));
        Assert.Equal(MemoryArrangement.Resident, plan.Memory.Arrangement);
        var check = MemoryCheck.AtStart(plan, new MachineMemory(64 * GB, 12 * GB), onGpu: true);
        Assert.Equal(MemoryArrangement.Streamed, check.Use.Arrangement);
        Assert.Contains("12.0 GB were free: the transformer's blocks went through it one by one", Assert.Single(check.Notes));
        var none = MemoryCheck.AtStart(plan, new MachineMemory(64 * GB, 2 * GB), onGpu: true);
        Assert.Equal("memory_too_small", none.Refusal!.Code);
        Assert.Contains("2.0 GB are free now; end other programs", none.Refusal.Message);
    }

    [Fact]
    public void Two_experts_are_both_on_the_gpu_only_where_both_fit()
    {
        var plans = Enumerable.Range(4, 60).Select(gb => Plan(new MachineMemory(64 * GB, gb * GB), Pair)).Where(plan => plan.CanRun).ToArray();
        var arrangements = plans.Select(plan => plan.Memory.Arrangement).ToArray();
        Assert.Equal([MemoryArrangement.Streamed, MemoryArrangement.InTurns, MemoryArrangement.Resident], arrangements.Distinct());
        foreach (var plan in plans)
            Assert.Equal(plan.Memory.Arrangement == MemoryArrangement.InTurns, plan.Warnings.Any(warning => warning.Code == "experts_in_turns"));
        var resident = plans[^1];
        var check = MemoryCheck.AtStart(resident, new MachineMemory(64 * GB, 20 * GB), onGpu: true);
        Assert.Equal(MemoryArrangement.InTurns, check.Use.Arrangement);
        Assert.Contains("changed places", Assert.Single(check.Notes));
    }

    [Fact]
    public void Too_little_main_memory_is_said_and_far_too_little_is_refused()
    {
        var plan = Plan(new MachineMemory(24 * GB));
        Assert.Empty(MemoryCheck.AtStart(plan, new MachineMemory(plan.Memory.Peak), onGpu: false).Notes);
        var less = MemoryCheck.AtStart(plan, new MachineMemory(plan.Memory.Peak * 4 / 5), onGpu: false);
        Assert.Null(less.Refusal);
        Assert.Contains("GB of memory were free", Assert.Single(less.Notes));
        Assert.Contains("end other programs", MemoryCheck.AtStart(plan, new MachineMemory(plan.Memory.Peak / 5), onGpu: false).Refusal!.Message);
    }

    [Fact]
    public void A_take_that_would_be_refused_has_its_pictures_cut_into_tiles()
    {
        var plan = Plan(new MachineMemory(24 * GB));
        Assert.Equal(0, plan.Memory.VaeTile);
        var checks = Enumerable.Range(20, 46).Select(hundredths => MemoryCheck.AtStart(plan, new MachineMemory(plan.Memory.Peak * hundredths / 100), onGpu: false)).ToArray();
        Assert.NotNull(checks[0].Refusal);
        var taken = checks.Where(check => check.Refusal is null).ToArray();
        Assert.NotEmpty(taken);
        Assert.All(taken, check => Assert.Contains($"tiles of at most {check.Use.VaeTile * plan.Model.SpatialStride}x", Assert.Single(check.Notes)));
        Assert.All(taken, check => Assert.True(check.Use.VaeTile > 0));
    }

    [Fact]
    public void A_plan_for_a_gpu_runs_on_the_cpu_with_a_note()
    {
        var check = MemoryCheck.AtStart(Plan(new MachineMemory(64 * GB, 80 * GB)), new MachineMemory(64 * GB), onGpu: false);
        Assert.Equal(MemoryArrangement.Cpu, check.Use.Arrangement);
        Assert.Contains("made for a GPU", Assert.Single(check.Notes));
    }

    [Fact]
    public void A_stored_plan_keeps_its_arrangement()
    {
        var plan = Plan(new MachineMemory(64 * GB, 30 * GB), Pair);
        var json = System.Text.Json.JsonSerializer.Serialize(plan, PlanningJson.Default.Plan);
        Assert.Equal(plan.Memory, System.Text.Json.JsonSerializer.Deserialize(json, PlanningJson.Default.Plan)!.Memory);
    }
}
