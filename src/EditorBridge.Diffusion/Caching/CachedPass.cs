using EditorBridge.Diffusion.Wan;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Caching;

/// <summary>One pass of a transformer that a step cache may spare.</summary>
/// <param name="Network">The transformer.</param>
/// <param name="Step">The step, from 0.</param>
/// <param name="Steps">Steps in all.</param>
/// <param name="Timestep">What the network is told, on the scale 0..1000.</param>
/// <param name="Conditional">Whether it is the pass with the prompt, which comes first in every step.</param>
/// <param name="Latents">The main sequence: [B, C, T, h, w].</param>
/// <param name="Generated">Takes the latents that are generated out of a main sequence, as a view; given ones never change and would hide how fast these do.</param>
public readonly record struct CachedPass(WanTransformer Network, int Step, int Steps, double Timestep, bool Conditional, Tensor Latents, Func<Tensor, Tensor> Generated);
