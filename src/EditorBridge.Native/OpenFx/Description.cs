namespace EditorBridge.Native.OpenFx;

/// <summary>What the plugin says of itself: contexts, clips, depths and parameters.</summary>
internal static unsafe class Description
{
    /// <summary>Names of the parameters; projects keep them, so they never change.</summary>
    public static ReadOnlySpan<byte> Prompt => "prompt"u8;
    public static ReadOnlySpan<byte> Negative => "negative"u8;
    public static ReadOnlySpan<byte> Model => "model"u8;
    public static ReadOnlySpan<byte> Seed => "seed"u8;
    public static ReadOnlySpan<byte> Start => "start"u8;
    public static ReadOnlySpan<byte> Frames => "frames"u8;
    public static ReadOnlySpan<byte> Takes => "takes"u8;
    public static ReadOnlySpan<byte> Take => "take"u8;
    public static ReadOnlySpan<byte> Generate => "generate"u8;
    public static ReadOnlySpan<byte> Cancel => "cancel"u8;
    public static ReadOnlySpan<byte> Status => "status"u8;
    public static ReadOnlySpan<byte> Job => "job"u8;
    public static ReadOnlySpan<byte> FrameFile => "frameFile"u8;

    /// <summary>The most takes of a job.</summary>
    public const int MostTakes = 16;

    /// <summary>OfxActionDescribe.</summary>
    public static OfxStatus Describe(nint descriptor)
    {
        nint handle = 0;
        if (descriptor == 0) return OfxStatus.BadHandle;
        if (Suites.Effect->GetPropertySet(descriptor, &handle) != (int)OfxStatus.Ok) return OfxStatus.Failed;
        var effect = new PropertySet(handle);
        effect.Set("OfxPropLabel"u8, "EditorBridge"u8);
        effect.Set("OfxPropShortLabel"u8, "EditorBridge"u8);
        effect.Set("OfxPropLongLabel"u8, "EditorBridge: generated frames"u8);
        effect.Set("OfxPropPluginDescription"u8, "Generates frames on this machine from words and from the frames around them, and shows them."u8);
        effect.Set("OfxImageEffectPluginPropGrouping"u8, "EditorBridge"u8);
        effect.Set("OfxImageEffectPropSupportedContexts"u8, "OfxImageEffectContextGenerator"u8, 0);
        effect.Set("OfxImageEffectPropSupportedContexts"u8, "OfxImageEffectContextFilter"u8, 1);
        effect.Set("OfxImageEffectPropSupportedContexts"u8, "OfxImageEffectContextTransition"u8, 2);
        effect.Set("OfxImageEffectPropSupportedContexts"u8, "OfxImageEffectContextGeneral"u8, 3);
        effect.Set("OfxImageEffectPropSupportedPixelDepths"u8, "OfxBitDepthByte"u8, 0);
        effect.Set("OfxImageEffectPropSupportedPixelDepths"u8, "OfxBitDepthShort"u8, 1);
        effect.Set("OfxImageEffectPropSupportedPixelDepths"u8, "OfxBitDepthHalf"u8, 2);
        effect.Set("OfxImageEffectPropSupportedPixelDepths"u8, "OfxBitDepthFloat"u8, 3);
        effect.Set("OfxImageEffectPropTemporalClipAccess"u8, 1);
        effect.Set("OfxImageEffectPropSupportsTiles"u8, 0);
        effect.Set("OfxImageEffectPropSupportsMultiResolution"u8, 1);
        effect.Set("OfxImageEffectPropSupportsMultipleClipDepths"u8, 0);
        effect.Set("OfxImageEffectPluginRenderThreadSafety"u8, "OfxImageEffectRenderInstanceSafe"u8);
        effect.Set("OfxImageEffectPluginPropHostFrameThreading"u8, 0);
        return OfxStatus.Ok;
    }

    /// <summary>OfxImageEffectActionDescribeInContext.</summary>
    public static OfxStatus DescribeInContext(nint descriptor, PropertySet given)
    {
        if (descriptor == 0) return OfxStatus.BadHandle;
        if (Contexts.IsForeign(given)) return OfxStatus.Unsupported;
        var context = Contexts.Read(given);
        Clip(descriptor, "Output"u8, isInput: false);
        if (context is EffectContext.Filter or EffectContext.General) Clip(descriptor, "Source"u8, isInput: true, isOptional: context == EffectContext.General);
        if (context == EffectContext.Transition)
        {
            Clip(descriptor, "SourceFrom"u8, isInput: true);
            Clip(descriptor, "SourceTo"u8, isInput: true);
        }

        nint set = 0;
        if (Suites.Effect->GetParamSet(descriptor, &set) != (int)OfxStatus.Ok) return OfxStatus.Failed;
        Define(set, context);
        return OfxStatus.Ok;
    }

    private static void Clip(nint descriptor, ReadOnlySpan<byte> name, bool isInput, bool isOptional = false)
    {
        nint handle = 0;
        fixed (byte* n = name)
            if (Suites.Effect->ClipDefine(descriptor, n, &handle) != (int)OfxStatus.Ok) return;
        var clip = new PropertySet(handle);
        clip.Set("OfxImageEffectPropSupportedComponents"u8, "OfxImageComponentRGBA"u8, 0);
        clip.Set("OfxImageEffectPropSupportedComponents"u8, "OfxImageComponentRGB"u8, 1);
        clip.Set("OfxImageEffectPropSupportedComponents"u8, "OfxImageComponentAlpha"u8, 2);
        clip.Set("OfxImageEffectPropSupportsTiles"u8, 0);
        if (isInput) clip.Set("OfxImageEffectPropTemporalClipAccess"u8, 1);
        if (isOptional) clip.Set("OfxImageClipPropOptional"u8, 1);
    }

    private static void Define(nint set, EffectContext context)
    {
        var prompt = Parameter(set, Prompt, "OfxParamTypeString"u8, "Prompt"u8, "What is to be seen."u8);
        prompt.Set("OfxParamPropStringMode"u8, "OfxParamStringIsMultiLine"u8);
        // Typing must not render anything anew.
        Quiet(prompt);
        var negative = Parameter(set, Negative, "OfxParamTypeString"u8, "Not to be seen"u8, "What is not to be seen; empty for the model's own."u8);
        negative.Set("OfxParamPropStringMode"u8, "OfxParamStringIsMultiLine"u8);
        Quiet(negative);
        var model = Parameter(set, Model, "OfxParamTypeString"u8, "Model"u8, "A name as `editorbridge models list` shows it; empty for the host's default."u8);
        model.Set("OfxParamPropStringMode"u8, "OfxParamStringIsSingleLine"u8);
        Quiet(model);
        Quiet(Number(set, Seed, "Seed"u8, "The same seed makes the same clip; -1 draws one."u8, -1, -1, int.MaxValue, -1, 10_000));
        if (context is EffectContext.Filter or EffectContext.General)
            Number(set, Start, "First frame"u8, "The first frame to generate, counted from the clip's first; below 0 from its end. The frames before it lead in, those after the last lead out."u8,
                context == EffectContext.Filter ? -24 : 0, -1_000_000, 1_000_000, -240, 240);
        Quiet(Number(set, Frames, "Frames"u8, "How many frames to generate; 0 for all to the end."u8, 0, 0, 20_000, 0, 240));
        Quiet(Number(set, Takes, "Takes to make"u8, "Clips to make, each with its own seed."u8, 1, 1, MostTakes, 1, MostTakes));
        Number(set, Take, "Take shown"u8, "Which of the takes is shown."u8, 1, 1, MostTakes, 1, MostTakes);
        Parameter(set, Generate, "OfxParamTypePushButton"u8, "Generate"u8, "Makes the clip with the host on this machine."u8);
        Parameter(set, Cancel, "OfxParamTypePushButton"u8, "Cancel"u8, "Ends the job."u8);
        var status = Parameter(set, Status, "OfxParamTypeString"u8, "Status"u8, "What became of the job."u8);
        status.Set("OfxParamPropStringMode"u8, "OfxParamStringIsLabel"u8);
        status.Set("OfxParamPropEnabled"u8, 0);
        status.Set("OfxParamPropPersistant"u8, 0);
        Quiet(status);
        // Not secret: hosts such as MLT do not keep what they do not show.
        var job = Parameter(set, Job, "OfxParamTypeString"u8, "Job"u8, "The job whose frames are shown, such as jobs/j0123456789ab; kept with the project."u8);
        job.Set("OfxParamPropStringMode"u8, "OfxParamStringIsSingleLine"u8);
        job.Set("OfxParamPropAnimates"u8, 0);
        var file = Parameter(set, FrameFile, "OfxParamTypeString"u8, "Frame file"u8, "Where the frames were laid out last."u8);
        file.Set("OfxParamPropSecret"u8, 1);
        file.Set("OfxParamPropPersistant"u8, 1);
        Quiet(file);
        // The standard wants it declared; nothing but the choice between two sources hangs on it.
        if (context == EffectContext.Transition) Parameter(set, "Transition"u8, "OfxParamTypeDouble"u8, "Transition"u8, "How far the transition has come; set by the editor."u8);
    }

    private static PropertySet Number(nint set, ReadOnlySpan<byte> name, ReadOnlySpan<byte> label, ReadOnlySpan<byte> hint, int value, int least, int most, int shownLeast, int shownMost)
    {
        var number = Parameter(set, name, "OfxParamTypeInteger"u8, label, hint);
        number.Set("OfxParamPropDefault"u8, value);
        number.Set("OfxParamPropMin"u8, least);
        number.Set("OfxParamPropMax"u8, most);
        number.Set("OfxParamPropDisplayMin"u8, shownLeast);
        number.Set("OfxParamPropDisplayMax"u8, shownMost);
        number.Set("OfxParamPropAnimates"u8, 0);
        return number;
    }

    private static void Quiet(PropertySet parameter)
    {
        parameter.Set("OfxParamPropAnimates"u8, 0);
        parameter.Set("OfxParamPropEvaluateOnChange"u8, 0);
    }

    // A host may refuse a parameter of a kind it does not know; what is then set lands nowhere.
    private static PropertySet Parameter(nint set, ReadOnlySpan<byte> name, ReadOnlySpan<byte> type, ReadOnlySpan<byte> label, ReadOnlySpan<byte> hint)
    {
        nint handle = 0;
        fixed (byte* t = type, n = name) _ = Suites.Parameter->Define(set, t, n, &handle);
        var parameter = new PropertySet(handle);
        if (handle == 0) return parameter;
        parameter.Set("OfxPropLabel"u8, label);
        parameter.Set("OfxParamPropHint"u8, hint);
        return parameter;
    }
}
