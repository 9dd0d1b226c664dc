using System.Diagnostics;
using EditorBridge.Planning;
using EditorBridge.Protocol.Worker.V1;
using EditorBridge.Timeline;
using Google.Protobuf;
using Fault = EditorBridge.Protocol.Worker.V1.Rehearsal.Types.Fault;

namespace EditorBridge.Worker.Tests;

/// <summary>The real worker program, spoken to as the host does.</summary>
[Trait("Speed", "slow")]
public sealed class WorkerProcessTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly string _folder = Directory.CreateTempSubdirectory("eb-worker-").FullName;
    private readonly Process _worker;

    public WorkerProcessTests()
    {
        _worker = Process.Start(new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "EditorBridge.Worker.exe" : "EditorBridge.Worker"))
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        _worker.ErrorDataReceived += (_, _) => { };
        _worker.BeginErrorReadLine();
        Assert.Equal(_worker.Id, Next().Ready.ProcessId);
    }

    public void Dispose()
    {
        if (!_worker.HasExited) _worker.Kill();
        _worker.WaitForExit();
        _worker.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task It_ends_with_its_host_whatever_it_is_doing()
    {
        Say(Start(1, new Rehearsal { Steps = 100_000, StepMilliseconds = 20 }));
        Assert.Equal(1, Until(m => m.Progress is not null).Progress.Step);
        _worker.StandardInput.Close();
        await EndsAsync();
    }

    [Fact]
    public async Task It_ends_when_it_is_told_nonsense()
    {
        await _worker.StandardInput.BaseStream.WriteAsync(new byte[] { 5, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF });
        await _worker.StandardInput.BaseStream.FlushAsync();
        await EndsAsync();
    }

    [Fact]
    public void It_obeys_a_cancel_of_this_take_and_goes_on_with_the_next()
    {
        Say(Start(1, new Rehearsal { Steps = 100_000, StepMilliseconds = 20 }));
        Until(m => m.Progress is { Step: 3 });
        Say(new HostMessage { CancelTake = new CancelTake { Fence = 7 } });
        Until(m => m.Progress is { Step: > 6 });
        Say(new HostMessage { CancelTake = new CancelTake { Fence = 1 } });
        Assert.NotNull(Until(m => m.TakeCancelled is not null || m.TakeFinished is not null).TakeCancelled);
        Say(Start(2, new Rehearsal { Steps = 12 }));
        var made = Until(m => m.Fence == 2 && m.Progress is null && m.Heartbeat is null).TakeFinished;
        Assert.Equal(3, made.Frames);
        Assert.True(File.Exists(Path.Combine(_folder, "takes", "1", made.Clip)));
    }

    [Fact]
    public async Task It_saves_and_ends_when_told_to_and_another_goes_on_to_the_end()
    {
        Say(Start(1, new Rehearsal { Steps = 100_000, StepMilliseconds = 10 }));
        Until(m => m.Progress is { Step: 5 });
        Say(new HostMessage { Checkpoint = new Checkpoint() });
        Assert.NotNull(Until(m => m.Checkpointed is not null).Checkpointed);
        _worker.StandardInput.Close();
        await EndsAsync();
        Assert.True(File.Exists(Path.Combine(_folder, "state", "take-1", "cells")));
    }

    [Fact]
    public void Signs_of_life_come_while_it_works_and_stop_when_it_is_stuck()
    {
        Say(Start(1, new Rehearsal { Steps = 10, StepMilliseconds = 600, Fault = Fault.Hang, FaultStep = 5 }, allowance: 2));
        Until(m => m.Heartbeat is not null);
        Until(m => m.Progress is { Step: 5 });
        var clock = Stopwatch.StartNew();
        var last = TimeSpan.Zero;
        using var silence = new Timer(_ => _worker.Kill(), null, TimeSpan.FromSeconds(8), Timeout.InfiniteTimeSpan);
        try
        {
            while (true)
            {
                Next();
                last = clock.Elapsed;
            }
        }
        catch (InvalidProtocolBufferException)
        {
            // The end of its output: it was ended above.
        }

        Assert.InRange(last, TimeSpan.Zero, TimeSpan.FromSeconds(7));
    }

    [Fact]
    public async Task A_native_abort_is_exit_code_134()
    {
        if (OperatingSystem.IsWindows()) return;
        Say(Start(1, new Rehearsal { Steps = 3, Fault = Fault.Abort, FaultStep = 1 }));
        await EndsAsync();
        Assert.Equal(134, _worker.ExitCode);
    }

    [Theory]
    [InlineData(Fault.OutOfMemory, "OUT_OF_MEMORY")]
    [InlineData(Fault.DiskFull, "DISK_FULL")]
    public void What_fails_has_a_reason(Fault fault, string reason)
    {
        Say(Start(1, new Rehearsal { Steps = 3, Fault = fault }));
        var failed = Until(m => m.TakeFailed is not null).TakeFailed;
        Assert.Equal((reason, false), (failed.Reason, failed.MayRetry));
    }

    [Fact]
    public void A_model_that_is_not_there_is_named_and_the_worker_stays()
    {
        Say(new HostMessage { MeasureSpeed = new MeasureSpeed { ModelFolder = "/no/such/model" } });
        Assert.Contains("/no/such/model", Until(m => m.SpeedMeasured is not null).SpeedMeasured.Problem, StringComparison.Ordinal);
        var start = Start(3, null);
        start.StartTake.ModelFolder = "/no/such/model";
        Say(start);
        var failed = Until(m => m.TakeFailed is not null).TakeFailed;
        Assert.Contains("/no/such/model", failed.Message, StringComparison.Ordinal);
        Assert.False(_worker.HasExited);
    }

    private HostMessage Start(long fence, Rehearsal? rehearsal, double allowance = 0)
    {
        var request = new JobRequest
        {
            Kind = JobKind.BRoll, Prompt = "x", Seed = 1, Delivery = new Delivery { Width = 128, Height = 64, Rate = FrameRate.F24, Frames = 3 },
        };
        var plan = Planner.Plan(request, Capabilities(), SpeedFigures.Unknown);
        Assert.Empty(plan.Refusals);
        File.WriteAllText(Path.Combine(_folder, "plan.json"), System.Text.Json.JsonSerializer.Serialize(plan, PlanningJson.Default.Plan));
        return new HostMessage
        {
            StartTake = new StartTake
            {
                Fence = fence, Job = "jobs/test", JobFolder = _folder, ModelFolder = "/none", Device = "cpu", Rehearsal = rehearsal, StepAllowanceSeconds = allowance,
            },
        };
    }

    private static ModelCapabilities Capabilities() => new()
    {
        Name = "small", CanvasRate = FrameRate.F24, Sizes = [new CanvasSize(64, 32)], MaxFrames = 33, FirstFrame = ContextSupport.Trained,
        Before = ContextSupport.Trained, After = ContextSupport.Trained, Dim = 48, Layers = 2, FeedForward = 64, TransformerParameters = 1,
        TextEncoderParameters = 1, VaeParameters = 1, VaeDecoderBase = 8,
    };

    private void Say(HostMessage message)
    {
        message.WriteDelimitedTo(_worker.StandardInput.BaseStream);
        _worker.StandardInput.BaseStream.Flush();
    }

    private WorkerMessage Next() => WorkerMessage.Parser.ParseDelimitedFrom(_worker.StandardOutput.BaseStream);

    private WorkerMessage Until(Func<WorkerMessage, bool> wanted)
    {
        using var limit = new Timer(_ => _worker.Kill(), null, Patience, Timeout.InfiniteTimeSpan);
        while (true)
        {
            var message = Next();
            if (wanted(message)) return message;
        }
    }

    private async Task EndsAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        // Its output must be read, or it waits to write.
        var output = _worker.StandardOutput.BaseStream.CopyToAsync(Stream.Null, limit.Token);
        await _worker.WaitForExitAsync(limit.Token);
        await output;
    }
}
