namespace EditorBridge.Native.OpenFx;

/// <summary>One instance of the plugin in a project: what its buttons do and what it shows.</summary>
internal sealed unsafe partial class Effect
{
    private const string Busy = "A clip is being made already; press Cancel first, or wait.";

    // Of the progress bar, for the frames that are fetched.
    private const double FetchingShare = 0.02;

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan StoringPatience = TimeSpan.FromSeconds(5);

    private readonly nint _handle;
    private readonly EffectContext _context;
    private readonly PropertySet _properties;
    private readonly Parameters _parameters;
    private Generation? _generation;
    private ProgressBar? _bar;
    private int _isPressed;
    private bool _isTelling;
    private bool _isGone;

    /// <summary>Takes hold of what the host calls <paramref name="handle"/>; cheap, as some hosts make an instance for every frame.</summary>
    public Effect(nint handle)
    {
        _handle = handle;
        nint properties = 0, set = 0;
        _ = Suites.Effect->GetPropertySet(handle, &properties);
        _ = Suites.Effect->GetParamSet(handle, &set);
        _properties = new PropertySet(properties);
        _parameters = new Parameters(set);
        _context = Contexts.Read(_properties);
        IsForeign = Contexts.IsForeign(_properties);
    }

    /// <summary>Whether the host made it for a context that the plugin was not declared for.</summary>
    public bool IsForeign { get; }

    /// <summary>A new instance: what the project's job needs to be shown is made ready meanwhile.</summary>
    public void Ready()
    {
        if (Shown() is { } clip) ShownClips.Find(clip, DepthBits(), _parameters.Text(Description.FrameFile))?.Dispose();
    }

    /// <summary>The host drops the instance. A job goes on: the project has its name.</summary>
    public void Leave()
    {
        _isGone = true;
        _bar?.Leave();
        _generation?.Leave();
    }

    /// <summary>OfxActionInstanceChanged.</summary>
    public OfxStatus Changed(PropertySet given)
    {
        // What we set ourselves comes back as a change as well.
        if (!given.Is("OfxPropChangeReason"u8, "OfxChangeUserEdited"u8)) return OfxStatus.ReplyDefault;
        if (given.Is("OfxPropType"u8, "OfxTypeParameter"u8))
        {
            if (given.Is("OfxPropName"u8, Description.Generate)) return Generate();
            if (given.Is("OfxPropName"u8, Description.Cancel)) return CancelJob();
        }

        return TellParameters();
    }

    /// <summary>Writes into the parameters what has become known since; only in actions in which the standard allows it.</summary>
    public OfxStatus TellParameters()
    {
        // What is set comes back as a change; a host that calls it the user's would have it told again.
        if (_generation is not { } generation || _isTelling) return OfxStatus.Ok;
        _isTelling = true;
        try
        {
            var state = generation.State;
            SetText(Description.Status, state.Text);
            if (state.Job.Length > 0) SetText(Description.Job, state.Job);
            if (state.FrameFile.Length > 0) SetText(Description.FrameFile, state.FrameFile);
            if (state.IsOver && ReferenceEquals(_generation, generation)) _generation = null;
        }
        finally
        {
            _isTelling = false;
        }

        return OfxStatus.Ok;
    }

    private OfxStatus Generate()
    {
        // Hosts let users press buttons while a progress bar is told how far it is, and some call from several threads.
        if (Interlocked.Exchange(ref _isPressed, 1) != 0) return Refuse(Busy);
        try
        {
            TellParameters();
            return _generation is { State.IsOver: false } ? Refuse(Busy) : Make();
        }
        finally
        {
            _isPressed = 0;
        }
    }

    private OfxStatus Make()
    {
        if (Ask(out var problem) is not { } asked) return Refuse(problem);
        SetText(Description.Status, "Sending the job.");
        // Found, or started, while the frames are fetched.
        var connecting = Task.Run(() => HostClient.GetAsync(CancellationToken.None));
        Generation? generation = null;
        using (var bar = _bar = new ProgressBar(_handle))
        {
            var wish = Gather(asked, bar, out problem);
            if (wish is not null)
            {
                generation = _generation = Generation.Begin(wish, DepthBits(), connecting);
                Follow(generation, bar);
                if (wish.Warning.Length > 0 && generation.State is { IsOver: false } or { FrameFile.Length: > 0 }) problem = wish.Warning;
            }
        }

        if (_isGone) return OfxStatus.Ok;
        if (generation is null && problem.Length > 0) return Refuse(problem);
        if (generation is null) SetText(Description.Status, "Cancelled.");
        else if (generation.State is { Failure.Length: > 0 } failed) Say(failed.Failure, "OfxMessageError"u8);
        else if (problem.Length > 0) Say(problem, "OfxMessageWarning"u8);
        return TellParameters();
    }

    private OfxStatus CancelJob()
    {
        _bar?.Stop();
        if (_generation is not { State.IsOver: false } generation)
        {
            SetText(Description.Status, _isPressed != 0 ? "Cancelled." : "No job runs.");
            return OfxStatus.Ok;
        }

        generation.Cancel();
        generation.WaitUntilOver(TimeSpan.FromSeconds(5));
        return TellParameters();
    }

    // With a progress bar the host's own cancel ends the job; without one the job goes on by itself, and its end shows when frames are rendered.
    private static void Follow(Generation generation, ProgressBar bar)
    {
        var begun = TimeProvider.System.GetTimestamp();
        // Without a bar only so that the project knows the job's name at once.
        bool IsEnough() => bar.IsShown ? generation.WaitUntilOver(BetweenLooks) : generation.WaitUntilStored(BetweenLooks) || TimeProvider.System.GetElapsedTime(begun) > StoringPatience;
        while (!IsEnough())
        {
            if (bar.GoesOn(FetchingShare + (1 - FetchingShare) * generation.State.Fraction)) continue;
            // Whoever drops the instance leaves the job to itself.
            if (bar.HasLeft) return;
            generation.Cancel();
            generation.WaitUntilOver(TimeSpan.FromSeconds(5));
            return;
        }
    }

    private OfxStatus Refuse(string why)
    {
        SetText(Description.Status, why);
        Say(why, "OfxMessageError"u8);
        return OfxStatus.Ok;
    }

    private void Say(string sentence, ReadOnlySpan<byte> kind)
    {
        if (Suites.Message is null || _isGone) return;
        fixed (byte* type = kind, id = "org.editorbridge.Generate.message"u8, text = PropertySet.Terminated(sentence.Replace("%", "%%", StringComparison.Ordinal)))
            _ = Suites.Message->Message(_handle, type, id, text);
    }

    private void SetText(ReadOnlySpan<byte> name, string value)
    {
        if (!_isGone && _parameters.Text(name) != value) _parameters.Set(name, value);
    }

    /// <summary>The clip that the parameters name; null when they name none.</summary>
    private string? Shown()
    {
        var job = _generation is { State.Job.Length: > 0 } running ? running.State.Job : _parameters.Text(Description.Job).Trim();
        if (job.Length == 0) return null;
        if (!job.StartsWith("jobs/", StringComparison.Ordinal)) job = "jobs/" + job;
        return $"{job}/clips/{Math.Clamp(_parameters.Int(Description.Take, 1), 1, Description.MostTakes)}";
    }

    private nint Clip(ReadOnlySpan<byte> name, out PropertySet properties)
    {
        nint clip = 0, set = 0;
        fixed (byte* n = name)
            if (Suites.Effect->ClipGetHandle(_handle, n, &clip, &set) != (int)OfxStatus.Ok) clip = 0;
        if (clip != 0 && set == 0) _ = Suites.Effect->ClipGetPropertySet(clip, &set);
        properties = new PropertySet(set);
        return clip;
    }

    private int DepthBits()
    {
        Clip("Output"u8, out var output);
        return HostImage.DepthOf(output, "OfxImageEffectPropPixelDepth"u8) is null or PixelDepth.Byte ? 8 : 16;
    }
}
