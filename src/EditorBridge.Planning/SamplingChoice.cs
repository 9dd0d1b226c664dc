using System.Globalization;

namespace EditorBridge.Planning;

/// <summary>The sampling of a job: what the request says, else its preset, else the model.</summary>
internal static class SamplingChoice
{
    private const double DefaultThreshold = 0.05;

    /// <summary>Chooses.</summary>
    public static SamplingPlan Choose(JobRequest request, ModelCapabilities model)
    {
        var name = SamplingPresets.Named(request.Preset) ?? SamplingPresets.Standard;
        var preset = SamplingPresets.Of(model, name);
        var sampler = request.Sampler ?? preset.Sampler ?? model.DefaultSampler;
        // A preset's timesteps are for its own steps, and for solvers that walk few.
        var timesteps = request.Timesteps.Count > 0 ? request.Timesteps : request.Steps is null && SamplingCheck.WalksTimesteps(sampler) ? preset.Timesteps ?? [] : [];
        var steps = timesteps.Count > 0 ? timesteps.Count : request.Steps ?? preset.Steps ?? model.DefaultSteps;
        var guidance = request.Guidance ?? preset.Guidance ?? model.DefaultGuidance;
        // The draft that every model has is a cut of a long schedule: few distilled steps have none to spare.
        var cache = request.StepCache ?? (timesteps.Count == 0 && sampler != "lcm" || model.Presets.ContainsKey(name) ? preset.StepCache : null);
        return new SamplingPlan
        {
            Preset = name,
            Sampler = sampler,
            Steps = steps,
            Timesteps = timesteps,
            Guidance = guidance,
            LowNoiseGuidance = model.Boundary is null ? null
                : request.LowNoiseGuidance ?? request.Guidance ?? preset.LowNoiseGuidance ?? preset.Guidance ?? model.DefaultLowNoiseGuidance ?? model.DefaultGuidance,
            GuidanceUntil = request.GuidanceUntil ?? preset.GuidanceUntil ?? 1,
            Shift = request.Shift ?? preset.Shift ?? model.DefaultShift,
            StepCache = Cache(cache, steps, model),
        };
    }

    /// <summary>Why the model cannot be sampled as the request says, or null.</summary>
    public static PlanRefusal? Unsupported(JobRequest request, ModelCapabilities model)
    {
        if (request.LowNoiseGuidance is not null && model.Boundary is null)
            return new PlanRefusal("guidance_unsupported", "sampler.low_noise_guidance", $"The model '{model.Name}' has one transformer for all noise levels; leave the guidance of the second out.");
        var chosen = Choose(request, model);
        if (request.Timesteps.Count > 0 && request.Sampler is null && !SamplingCheck.WalksTimesteps(chosen.Sampler))
            return new PlanRefusal("timesteps_unusable", "sampler.timesteps", $"Timesteps are walked by euler or lcm, not by the {chosen.Sampler} of '{model.Name}'; name one of them.");
        if (chosen.Timesteps.Count > 0 && request.StepCache is not (null or { Method: "none" }))
            return new PlanRefusal("step_cache_unsupported", "sampler.step_cache", $"The {chosen.Timesteps.Count} timesteps of a distilled schedule differ too much for a step cache; leave one of the two out.");
        return request.StepCache is { Method: "teacache" } && model.TeaCacheCoefficients.Count == 0
            ? new PlanRefusal("step_cache_unsupported", "sampler.step_cache", $"Nothing is known of how far TeaCache may go with '{model.Name}'; use easycache, which needs nothing to be known.")
            : null;
    }

    private static StepCachePlan? Cache(StepCacheRequest? asked, int steps, ModelCapabilities model) => asked is null or { Method: "none" } ? null : new StepCachePlan
    {
        Method = asked.Method,
        Threshold = asked.Threshold ?? DefaultThreshold,
        FirstSteps = asked.FirstSteps ?? Math.Max(2, (steps + 4) / 5),
        Coefficients = asked.Method == "teacache" ? model.TeaCacheCoefficients : [],
    };
}

/// <summary>What is wrong with sampling settings, in a request or in a model's own presets.</summary>
internal static class SamplingCheck
{
    /// <summary>The step caches by name.</summary>
    public static readonly IReadOnlyList<string> Caches = ["none", "easycache", "teacache"];

    /// <summary>Whether a solver can walk the few timesteps that a model was distilled to.</summary>
    public static bool WalksTimesteps(string sampler) => sampler is "euler" or "lcm";

    /// <summary>What is wrong with a step cache, or null.</summary>
    public static string? Problem(StepCacheRequest cache) =>
        !Caches.Contains(cache.Method) ? $"There is no step cache '{cache.Method}'; use none, easycache or teacache."
        : cache.Threshold is { } threshold && !(threshold is >= 0 and <= 1)
            ? string.Create(CultureInfo.InvariantCulture, $"The threshold {threshold} of the step cache is out of range; use 0 (every step is computed) to 1.")
        : cache.FirstSteps is < 0 or > 200 ? $"{cache.FirstSteps} first steps of the step cache are out of range; use 0 to 200."
        : null;

    /// <summary>What is wrong with a list of timesteps, or null.</summary>
    /// <param name="timesteps">The list; empty for none.</param>
    /// <param name="sampler">The solver that was named, if one was.</param>
    /// <param name="steps">The number of steps that was given, if one was.</param>
    public static string? Problem(IReadOnlyList<double> timesteps, string? sampler, int? steps)
    {
        if (timesteps.Count == 0) return null;
        if (timesteps.Count > 200 || timesteps.Any(t => !(t is > 0 and <= 1000)) || timesteps.Zip(timesteps.Skip(1)).Any(pair => pair.First <= pair.Second))
            return "The timesteps must fall from at most 1000 and stay above 0, such as 1000, 750, 500, 250.";
        if (steps is { } count && count != timesteps.Count)
            return $"{timesteps.Count} timesteps and {count} steps were given; leave the steps out.";
        return sampler is not null && !WalksTimesteps(sampler) ? $"Timesteps are walked by euler or lcm, not by {sampler}; name one of them." : null;
    }
}
