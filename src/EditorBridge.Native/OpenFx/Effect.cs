namespace EditorBridge.Native.OpenFx;

/// <summary>One instance of the plugin in a project: what its buttons do and what it shows.</summary>
internal sealed unsafe partial class Effect
{
    private readonly nint _handle;
    private readonly EffectContext _context;
    private readonly PropertySet _properties;
    private readonly Parameters _parameters;
    private Generation? _generation;

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
    }

    /// <summary>A new instance: what the project's job needs to be shown is made ready meanwhile.</summary>
    public void Ready()
    {
        if (Shown() is { } clip) ShownClips.Find(clip, DepthBits(), _parameters.Text(Description.FrameFile))?.Dispose();
    }

    /// <summary>The host drops the instance. A job goes on: the project has its name.</summary>
    public void Leave() => _generation?.Leave();

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
        if (_generation is not { } generation) return OfxStatus.Ok;
        var state = generation.State;
        SetText(Description.Status, state.Text);
        if (state.Job.Length > 0) SetText(Description.Job, state.Job);
        if (state.FrameFile.Length > 0) SetText(Description.FrameFile, state.FrameFile);
        if (state.IsOver) _generation = null;
        return OfxStatus.Ok;
    }

    private OfxStatus Generate()
    {
        TellParameters();
        if (_generation is { State.IsOver: false }) return Refuse("A clip is being made already; press Cancel first, or wait.");
        var wish = Gather(out var problem);
        if (wish is null) return Refuse(problem);
        SetText(Description.Status, "Sending the job.");
        _generation = Generation.Begin(wish, DepthBits());
        Follow(_generation);
        if (wish.Warning.Length > 0 && _generation.State is { IsOver: false } or { FrameFile.Length: > 0 }) Say(wish.Warning, "OfxMessageWarning"u8);
        TellParameters();
        return OfxStatus.Ok;
    }

    private OfxStatus CancelJob()
    {
        if (_generation is not { State.IsOver: false } generation)
        {
            SetText(Description.Status, "No job runs.");
            return OfxStatus.Ok;
        }

        generation.Cancel();
        generation.WaitUntilOver(TimeSpan.FromSeconds(5));
        return TellParameters();
    }

    // With a progress bar the host's own cancel ends the job; without one the job goes on by itself, and its end shows when frames are rendered.
    private void Follow(Generation generation)
    {
        if (Suites.Progress is null)
        {
            // So that the project knows the job's name at once.
            generation.WaitUntilStored(TimeSpan.FromSeconds(5));
            return;
        }

        var isShown = false;
        fixed (byte* title = "Generating frames"u8, id = "org.editorbridge.Generate.progress"u8) isShown = Suites.Progress->Start(_handle, title, id) == (int)OfxStatus.Ok;
        try
        {
            while (!generation.WaitUntilOver(TimeSpan.FromMilliseconds(40)))
            {
                var wantsMore = !isShown || Suites.Progress->Update(_handle, generation.State.Fraction) != (int)OfxStatus.ReplyNo;
                if (wantsMore && Suites.Effect->Abort(_handle) == 0) continue;
                generation.Cancel();
                generation.WaitUntilOver(TimeSpan.FromSeconds(5));
                break;
            }
        }
        finally
        {
            if (isShown) _ = Suites.Progress->End(_handle);
        }

        if (generation.State is { Failure.Length: > 0 } state) Say(state.Failure, "OfxMessageError"u8);
    }

    private OfxStatus Refuse(string why)
    {
        SetText(Description.Status, why);
        Say(why, "OfxMessageError"u8);
        return OfxStatus.Ok;
    }

    private void Say(string sentence, ReadOnlySpan<byte> kind)
    {
        if (Suites.Message is null) return;
        fixed (byte* type = kind, id = "org.editorbridge.Generate.message"u8, text = PropertySet.Terminated(sentence.Replace("%", "%%", StringComparison.Ordinal)))
            _ = Suites.Message->Message(_handle, type, id, text);
    }

    private void SetText(ReadOnlySpan<byte> name, string value)
    {
        if (_parameters.Text(name) != value) _parameters.Set(name, value);
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
