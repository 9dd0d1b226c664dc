using EditorBridge.Protocol.Worker.V1;

namespace EditorBridge.Worker;

/// <summary>Makes one take, synchronously, on the thread that calls it.</summary>
internal interface ITakePipeline
{
    /// <summary>Makes the take.</summary>
    /// <param name="start">The take.</param>
    /// <param name="signals">What the host wants meanwhile, and where to report.</param>
    /// <exception cref="OperationCanceledException">The host asked for an end, or for the state to be saved and an end.</exception>
    TakeFinished Run(StartTake start, TakeSignals signals);
}

/// <summary>What passes between a running take and the host.</summary>
internal sealed class TakeSignals(long fence, HostLink link, Action moved, CancellationToken cancel, CancellationToken suspend)
{
    /// <summary>Cancelled when the take is no longer wanted.</summary>
    public CancellationToken Cancel => cancel;

    /// <summary>Cancelled when the state is to be saved at the next step.</summary>
    public CancellationToken Suspend => suspend;

    /// <summary>Says how far the work is. This is also what keeps the heart beating.</summary>
    public void Report(Progress progress)
    {
        moved();
        link.Send(new WorkerMessage { Fence = fence, Progress = progress });
    }

    /// <summary>Sends a picture.</summary>
    public void Show(Preview preview)
    {
        moved();
        link.Send(new WorkerMessage { Fence = fence, Preview = preview });
    }
}
