using EditorBridge.Diffusion.Wan;

namespace EditorBridge.Diffusion.Samplers;

/// <summary>A transformer and the noise levels it is for. Wan 2.2 A14B has two; every other model one, for all of them.</summary>
/// <param name="Network">The transformer.</param>
/// <param name="Guidance">g in <c>uncond + g·(cond − uncond)</c>; 1 means one pass a step.</param>
/// <param name="FromTimestep">Lowest timestep it is for, on the scale 0..1000; 0 for the expert of low noise, or for the only one.</param>
public sealed record Expert(WanTransformer Network, double Guidance, double FromTimestep = 0);
