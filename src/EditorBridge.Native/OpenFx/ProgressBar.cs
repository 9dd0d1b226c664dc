namespace EditorBridge.Native.OpenFx;

/// <summary>The editor's progress bar while a button's work lasts, and its Cancel. In an editor without one only what it says of an abort is obeyed.</summary>
internal sealed unsafe class ProgressBar : IDisposable
{
    private readonly nint _effect;
    private volatile bool _isStopped;
    private volatile bool _hasLeft;

    /// <summary>Shows it.</summary>
    /// <param name="effect">The host's handle of the instance.</param>
    public ProgressBar(nint effect)
    {
        _effect = effect;
        if (Suites.Progress is null) return;
        fixed (byte* title = "Generating frames"u8, id = "org.editorbridge.Generate.progress"u8) IsShown = Suites.Progress->Start(effect, title, id) == (int)OfxStatus.Ok;
    }

    /// <summary>Whether the user sees it: else nothing may be waited for that takes long.</summary>
    public bool IsShown { get; }

    /// <summary>Whether the instance has gone.</summary>
    public bool HasLeft => _hasLeft;

    /// <summary>Tells the editor how far it is.</summary>
    /// <param name="fraction">0 to 1.</param>
    /// <returns>False when the user has cancelled, or the instance has gone. Hosts let users do other things meanwhile.</returns>
    public bool GoesOn(double fraction)
    {
        if (IsOver) return false;
        if (IsShown) _isStopped |= Suites.Progress->Update(_effect, fraction) == (int)OfxStatus.ReplyNo;
        if (!IsOver) _isStopped |= Suites.Effect->Abort(_effect) == 1;
        return !IsOver;
    }

    /// <summary>As if its Cancel were pressed.</summary>
    public void Stop() => _isStopped = true;

    /// <summary>The instance is gone: nothing more is told to the host.</summary>
    public void Leave() => _hasLeft = true;

    /// <summary>Takes it away.</summary>
    public void Dispose()
    {
        if (IsShown && !_hasLeft) _ = Suites.Progress->End(_effect);
    }

    private bool IsOver => _isStopped || _hasLeft;
}
