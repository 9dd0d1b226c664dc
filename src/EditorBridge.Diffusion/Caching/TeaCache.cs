using EditorBridge.Diffusion.Wan;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Caching;

/// <summary>
/// TeaCache (Liu et al., "Timestep Embedding Tells: It's Time to Cache for Video Diffusion Model", 2024): the change of what the timestep modulates the blocks by,
/// through a polynomial fitted to the model, says how far the output changes. While these changes add up to less than the threshold, the blocks'
/// residual of the last computed pass stands in for the blocks.
/// </summary>
/// <remarks>
/// As the authors' code with retention steps, but for three things that can only make it compute more: a negative value of the polynomial counts as 0, the last step is always
/// computed, and the signal is that of the noisy latents alone, which matters where given ones have timestep 0.
/// </remarks>
public sealed class TeaCache : StepCache
{
    private const string Signal = "signal";
    private const string Accumulated = "accumulated";
    private const string Residual = "residual";
    private readonly double[] coefficients;
    private readonly Dictionary<string, BlockResidual> residuals = new(StringComparer.Ordinal) { [Pass(true)] = new(), [Pass(false)] = new() };

    /// <summary>Begins with nothing remembered.</summary>
    /// <param name="threshold">How much relative change may add up before a step is computed.</param>
    /// <param name="firstSteps">Steps at the start that are always computed; the authors use 5.</param>
    /// <param name="coefficients">The polynomial, highest power first; <c>[1, 0]</c> takes the change as it is.</param>
    public TeaCache(double threshold, int firstSteps, IReadOnlyList<double> coefficients)
        : base(threshold, firstSteps)
    {
        if (coefficients.Count == 0 || !coefficients.All(double.IsFinite))
            throw new ArgumentException("The polynomial needs at least one coefficient, all finite.", nameof(coefficients));
        this.coefficients = [.. coefficients];
    }

    /// <inheritdoc/>
    public override string Name => "teacache";

    /// <summary>The relative change of the output that a relative change of the signal stands for, never below 0.</summary>
    /// <param name="change">Relative mean absolute change of the signal.</param>
    public double Expected(double change) => Math.Max(0, coefficients.Aggregate(0.0, (sum, coefficient) => sum * change + coefficient));

    private protected override Tensor Predict(CachedPass pass, bool due, Func<BlockResidual?, Tensor> compute, out bool computed)
    {
        var which = Pass(pass.Conditional);
        var (signalName, sumName, residual) = (Named(Signal, which), Named(Accumulated, which), residuals[which]);
        using (var signal = pass.Network.Modulation(pass.Timestep))
        {
            if (Remembered(signalName) is { } before && residual.Tokens is not null && !due)
            {
                var sum = (Number(sumName) ?? 0) + Expected(Change(signal, before) / Mean(before));
                residual.Reuse = sum < Threshold;
                Note(sumName, residual.Reuse ? sum : 0);
            }
            else
            {
                residual.Reuse = false;
                Note(sumName, 0);
            }

            Remember(signalName, signal);
        }

        computed = !residual.Reuse;
        return compute(residual);
    }

    private protected override void Place(string name, Tensor tensor)
    {
        if (residuals.FirstOrDefault(pair => Named(Residual, pair.Key) == name).Value is { } residual)
            residual.Keep(tensor);
        else
            base.Place(name, tensor);
    }

    private protected override IEnumerable<(string Name, Tensor Tensor)> All() =>
        [.. base.All(), .. residuals.Where(pair => pair.Value.Tokens is not null).Select(pair => (Named(Residual, pair.Key), pair.Value.Tokens!))];

    private protected override void Forget()
    {
        base.Forget();
        foreach (var residual in residuals.Values)
            residual.Keep(null);
    }

    private static string Pass(bool conditional) => conditional ? "conditional" : "unconditional";

    private static string Named(string what, string pass) => $"{pass}.{what}";
}
