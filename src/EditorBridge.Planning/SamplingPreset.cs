namespace EditorBridge.Planning;

/// <summary>A step cache as it is asked for.</summary>
public sealed record StepCacheRequest
{
    /// <summary>"easycache", "teacache", or "none": none even where the preset has one.</summary>
    public required string Method { get; init; }

    /// <summary>How much relative change of the output may add up before a step is computed, 0 to 1; null for 0.05.</summary>
    public double? Threshold { get; init; }

    /// <summary>Steps at the start that are always computed; null for a fifth of them, at least 2.</summary>
    public int? FirstSteps { get; init; }
}

/// <summary>What a preset changes of a model's own sampling; what it leaves out is the model's.</summary>
public sealed record SamplingPreset
{
    /// <summary>Solver steps.</summary>
    public int? Steps { get; init; }

    /// <summary>Guidance.</summary>
    public double? Guidance { get; init; }

    /// <summary>Guidance of the expert for low noise, for models with two.</summary>
    public double? LowNoiseGuidance { get; init; }

    /// <summary>The part of the steps, from the first, in which guidance is applied, 0 to 1.</summary>
    public double? GuidanceUntil { get; init; }

    /// <summary>Schedule shift.</summary>
    public double? Shift { get; init; }

    /// <summary>"unipc", "dpm++", "euler" or "lcm".</summary>
    public string? Sampler { get; init; }

    /// <summary>The timesteps that a model was distilled to, before the shift, falling from at most 1000.</summary>
    public IReadOnlyList<double>? Timesteps { get; init; }

    /// <summary>The step cache; null for none.</summary>
    public StepCacheRequest? StepCache { get; init; }
}

/// <summary>The presets every model has, by name. A model's <c>editorbridge.json</c> may say others of the same names.</summary>
public static class SamplingPresets
{
    /// <summary>A quick look.</summary>
    public const string Draft = "draft";

    /// <summary>The model as its authors run it.</summary>
    public const string Standard = "standard";

    /// <summary>For what stays in the film.</summary>
    public const string Final = "final";

    /// <summary>The names.</summary>
    public static readonly IReadOnlyList<string> Names = [Draft, Standard, Final];

    /// <summary>The name that <paramref name="asked"/> stands for, or null: "default" and "fine" are what "standard" and "final" were called first.</summary>
    public static string? Named(string asked) => asked switch
    {
        "default" => Standard,
        "fine" => Final,
        _ => Names.Contains(asked) ? asked : null,
    };

    /// <summary>A model's preset.</summary>
    /// <param name="model">The model.</param>
    /// <param name="name">One of <see cref="Names"/>; another stands for <see cref="Standard"/>.</param>
    public static SamplingPreset Of(ModelCapabilities model, string name) => model.Presets.GetValueOrDefault(name) ?? name switch
    {
        // Late steps hardly need guidance, and half of the steps differ little more from each other than all of them do.
        Draft => new SamplingPreset { Steps = (model.DefaultSteps + 1) / 2, GuidanceUntil = 0.6, StepCache = new StepCacheRequest { Method = "easycache" } },
        Final => new SamplingPreset { Steps = model.DefaultSteps * 2 },
        _ => new SamplingPreset(),
    };
}
