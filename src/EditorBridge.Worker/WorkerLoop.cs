using System.Collections.Concurrent;
using System.Diagnostics;
using EditorBridge.Protocol.Worker.V1;
using Google.Protobuf;
using Serilog;

namespace EditorBridge.Worker;

/// <summary>
/// The worker's life: the calling thread reads what the host says, one pipeline thread does what was asked, a third sends signs of life as long
/// as the pipeline moves on. When the host's end of the input closes, the process ends, whatever it is doing.
/// </summary>
internal sealed class WorkerLoop
{
    private static readonly TimeSpan BeatInterval = TimeSpan.FromSeconds(1);

    // Enough for a step that is about to end; a worker without a host has no right to the device.
    private static readonly TimeSpan OrphanGrace = TimeSpan.FromSeconds(5);

    private readonly Stream _input;
    private readonly HostLink _link;
    private readonly BlockingCollection<HostMessage> _work = [];
    private readonly CancellationTokenSource _suspend = new();
    private readonly Lock _gate = new();
    private CancellationTokenSource? _cancel;
    private volatile bool _ignoresRequests;
    private long _fence;
    private long _movedAt = Stopwatch.GetTimestamp();
    private TimeSpan _allowance = TimeSpan.FromMinutes(10);

    public WorkerLoop(Stream input, Stream output) => (_input, _link) = (input, new HostLink(output));

    /// <summary>Runs until the input ends.</summary>
    /// <returns>The exit code.</returns>
    public int Run()
    {
        var pipeline = new Thread(Work) { IsBackground = true, Name = "pipeline" };
        pipeline.Start();
        using var beat = new Timer(_ => Beat(), null, BeatInterval, BeatInterval);
        _link.Send(new WorkerMessage
        {
            Ready = new Ready { Version = typeof(WorkerLoop).Assembly.GetName().Version?.ToString(3) ?? "", ProcessId = Environment.ProcessId },
        });
        while (Next() is { } message) Take(message);
        _work.CompleteAdding();
        if (!_ignoresRequests) CancelCurrent(null);
        return pipeline.Join(OrphanGrace) ? 0 : 1;
    }

    private HostMessage? Next()
    {
        try
        {
            return HostMessage.Parser.ParseDelimitedFrom(_input);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or IOException)
        {
            return null;
        }
    }

    private void Take(HostMessage message)
    {
        switch (message.MessageCase)
        {
            case HostMessage.MessageOneofCase.StartTake or HostMessage.MessageOneofCase.MeasureSpeed:
                _work.Add(message);
                break;
            case HostMessage.MessageOneofCase.CancelTake when !_ignoresRequests:
                CancelCurrent(message.CancelTake.Fence);
                break;
            case HostMessage.MessageOneofCase.Checkpoint when !_ignoresRequests:
                _suspend.Cancel();
                break;
        }
    }

    private void CancelCurrent(long? fence)
    {
        lock (_gate)
        {
            if (fence is null || fence == _fence) _cancel?.Cancel();
        }
    }

    private void Work()
    {
        foreach (var message in _work.GetConsumingEnumerable())
        {
            if (message.StartTake is { } start)
            {
                if (!RunTake(start)) return;
            }
            else if (message.MeasureSpeed is { } measure)
            {
                _link.Send(new WorkerMessage { SpeedMeasured = SpeedProbe.Measure(measure) });
            }
        }
    }

    /// <returns>Whether the worker goes on.</returns>
    private bool RunTake(StartTake start)
    {
        using var cancel = new CancellationTokenSource();
        lock (_gate) (_cancel, _fence) = (cancel, start.Fence);
        _allowance = start.StepAllowanceSeconds > 0 ? TimeSpan.FromSeconds(start.StepAllowanceSeconds) : _allowance;
        Moved();
        var signals = new TakeSignals(start.Fence, _link, Moved, cancel.Token, _suspend.Token);
        ITakePipeline pipeline = start.Rehearsal is null ? new GenerationPipeline() : new RehearsalPipeline(() => _ignoresRequests = true);
        var answer = new WorkerMessage { Fence = start.Fence };
        try
        {
            answer.TakeFinished = pipeline.Run(start, signals);
        }
        catch (OperationCanceledException) when (_suspend.IsCancellationRequested)
        {
            answer.Checkpointed = new Checkpointed();
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            answer.TakeCancelled = new TakeCancelled();
        }
        catch (Exception e)
        {
            Log.Error(e, "Take {Take} of {Job} failed", start.Take, start.Job);
            answer.TakeFailed = FailureReasons.Describe(e);
        }

        lock (_gate) (_cancel, _fence) = (null, 0);
        _link.Send(answer);
        return answer.Checkpointed is null;
    }

    private void Moved() => Interlocked.Exchange(ref _movedAt, Stopwatch.GetTimestamp());

    private void Beat()
    {
        long fence;
        lock (_gate) fence = _fence;
        if (fence != 0 && Stopwatch.GetElapsedTime(Interlocked.Read(ref _movedAt)) < _allowance)
            _link.Send(new WorkerMessage { Fence = fence, Heartbeat = new Heartbeat() });
    }
}
