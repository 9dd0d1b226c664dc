using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Samplers;

/// <summary>
/// A solver that walks a latent from noise to a clean sample along the velocity a network predicts. It starts at index 0 and goes
/// on by one with every <see cref="Step"/>.
/// </summary>
/// <remarks>Not thread safe. Holds history tensors until disposed.</remarks>
public interface ISampler : IDisposable
{
    /// <summary>Noise levels and timesteps of the run.</summary>
    FlowSchedule Schedule { get; }

    /// <summary>The step that comes next, 0 at the start, <see cref="FlowSchedule.Steps"/> when done.</summary>
    int Index { get; }

    /// <summary>Whether every step has been taken.</summary>
    bool IsDone => Index >= Schedule.Steps;

    /// <summary>The timestep to give the network for the next step.</summary>
    float Timestep => Schedule.Timesteps[Index];

    /// <summary>Takes one step.</summary>
    /// <param name="velocity">What the network predicts at <see cref="Timestep"/>, <c>ε − x0</c>; any shape.</param>
    /// <param name="sample">The latent at the noise level of the step; same shape, float32.</param>
    /// <returns>The latent at the next noise level, in the caller's dispose scope.</returns>
    /// <exception cref="InvalidOperationException">All steps have been taken.</exception>
    Tensor Step(Tensor velocity, Tensor sample);

    /// <summary>The clean latent that a velocity implies at the next step's noise level: <c>x0 = x − σ·v</c>. For previews.</summary>
    /// <inheritdoc cref="Step" path="/param"/>
    Tensor PredictClean(Tensor velocity, Tensor sample);

    /// <summary>A copy of everything that the remaining steps depend on. The caller disposes it.</summary>
    SamplerState Save();

    /// <summary>Goes back to a saved state; the remaining steps then give the same bits as they would have given.</summary>
    /// <param name="state">Saved by a sampler of the same kind and the same number of steps; copied, so the caller still owns it.</param>
    /// <exception cref="ArgumentException">The state is of another kind of sampler or does not fit the schedule.</exception>
    void Restore(SamplerState state);
}
