using EditorBridge.Client;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Native.OpenFx;

/// <summary>How far a generation is; each one is final in itself.</summary>
/// <param name="Text">One line for the status parameter.</param>
internal sealed record GenerationState(string Text)
{
    /// <summary>"jobs/..." once it is stored.</summary>
    public string Job { get; init; } = "";

    /// <summary>What the frame file's parameter keeps, once the frames are laid out.</summary>
    public string FrameFile { get; init; } = "";

    /// <summary>0 to 1.</summary>
    public double Fraction { get; init; }

    /// <summary>What went wrong, one sentence; empty else.</summary>
    public string Failure { get; init; } = "";

    /// <summary>Whether nothing more comes.</summary>
    public bool IsOver { get; init; }
}

/// <summary>One press of Generate, carried out away from the host's own threads.</summary>
internal sealed class Generation
{
    private readonly CancellationTokenSource _cancel = new();
    private readonly CancellationTokenSource _leave = new();
    private readonly ManualResetEventSlim _stored = new();
    private readonly ManualResetEventSlim _over = new();
    private readonly List<Handover> _files;
    private Task? _removing;
    private volatile GenerationState _state = new("Sending the job.");

    private Generation(GenerationWish wish) => _files = [.. ((FrameGrab?[])[wish.Before, wish.After]).Select(grab => grab?.File).OfType<Handover>()];

    /// <summary>How far it is.</summary>
    public GenerationState State => _state;

    /// <summary>Begins one.</summary>
    /// <param name="wish">What is asked for. Its files may still be being written; the job is sent when they are whole.</param>
    /// <param name="bits">Bits of the values that will be shown.</param>
    /// <param name="connecting">The connection to the host of jobs.</param>
    public static Generation Begin(GenerationWish wish, int bits, Task<EditorBridgeClient> connecting)
    {
        var generation = new Generation(wish);
        Task.Run(() => generation.RunAsync(wish, bits, connecting));
        return generation;
    }

    /// <summary>Asks for the job to be ended.</summary>
    public void Cancel() => _cancel.Cancel();

    /// <summary>Stops watching; the job goes on.</summary>
    public void Leave() => _leave.Cancel();

    /// <summary>Whether it was over within that time.</summary>
    public bool WaitUntilOver(TimeSpan limit) => _over.Wait(limit);

    /// <summary>Whether the job was stored, or was not to be, within that time.</summary>
    public bool WaitUntilStored(TimeSpan limit) => _stored.Wait(limit);

    private async Task RunAsync(GenerationWish wish, int bits, Task<EditorBridgeClient> connecting)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_cancel.Token, _leave.Token);
        EditorBridgeClient? client = null;
        try
        {
            await WriteAsync(end.Token).ConfigureAwait(false);
            client = await connecting.WaitAsync(end.Token).ConfigureAwait(false);
            var job = await client.SubmitAsync(wish.ToJob(), cancellation: end.Token).ConfigureAwait(false);
            _state = new GenerationState("Queued.") { Job = job.Name };
            _stored.Set();
            job = await client.WaitAsync(job.Name, Tell, cancellation: end.Token).ConfigureAwait(false);
            if (job.State != Job.Types.State.Succeeded)
            {
                Finish(job.State == Job.Types.State.Cancelled ? "Cancelled." : job.Error?.Message ?? "The job failed.", job.State == Job.Types.State.Failed);
                return;
            }

            var clip = job.Takes[Math.Min(wish.Take, job.Takes.Count) - 1].Clip;
            _state = _state with { Text = "Laying out the frames.", Fraction = 0.99 };
            var opened = await ShownClips.OpenAsync(clip.Name, bits, end.Token).ConfigureAwait(false);
            _state = _state with { FrameFile = opened, Fraction = 1 };
            Finish(FormattableString.Invariant($"Done: {clip.Frames} frames, seed {clip.Seed}. {wish.Warning}").TrimEnd(), isFailure: false);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            if (_cancel.IsCancellationRequested && client is not null && _state.Job.Length > 0) await EndJobAsync(client, _state.Job).ConfigureAwait(false);
            Finish(_cancel.IsCancellationRequested ? "Cancelled." : _state.Text, isFailure: false);
        }
        catch (Exception error)
        {
            Finish(error is EditorBridgeException ? error.Message : $"The job could not be carried out: {error.Message}", isFailure: true);
        }
        finally
        {
            // Whoever leaves leaves the files to the job.
            if (!_leave.IsCancellationRequested || _state.Job.Length == 0) await RemoveFilesAsync().ConfigureAwait(false);
            _stored.Set();
            _over.Set();
        }
    }

    private void Finish(string text, bool isFailure) => _state = _state with { Text = text, Failure = isFailure ? text : "", IsOver = true };

    private void Tell(JobEvent happened)
    {
        if (happened.Progress is not { } progress) return;
        // By then the job has its own copy of what it needs.
        if (progress.Stage > JobProgress.Types.Stage.FreezingInputs) _ = RemoveFilesAsync();
        var text = progress.Message.Length > 0 ? progress.Message : progress.Stage.ToString();
        if (progress.Steps > 0) text = FormattableString.Invariant($"{text} ({progress.Step} of {progress.Steps})");
        // The frames are still to be laid out when the job is done.
        _state = _state with { Text = text, Fraction = 0.98 * progress.Fraction };
    }

    private async Task WriteAsync(CancellationToken cancellation)
    {
        try
        {
            await Task.WhenAll(_files.Select(file => file.Written)).WaitAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new EditorBridgeException("HANDOVER_FAILED", $"The frames cannot be handed over to the host: {error.Message}");
        }
    }

    // A disk that does not answer is not waited for: the files go when it does.
    private Task RemoveFilesAsync() => _removing ??= Task.WhenAny(Task.WhenAll(_files.Select(file => file.WithdrawAsync())), Task.Delay(TimeSpan.FromSeconds(1)));

    private static async Task EndJobAsync(EditorBridgeClient client, string job)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        try
        {
            await client.CancelAsync(job, limit.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is EditorBridgeException or OperationCanceledException)
        {
            // It ended by itself meanwhile, or its host did.
        }
    }
}
