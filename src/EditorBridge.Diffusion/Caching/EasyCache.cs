using EditorBridge.Diffusion.Wan;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Caching;

/// <summary>
/// EasyCache (Zhou et al., "Less is Enough: Training-Free Video Diffusion Acceleration via Runtime-Adaptive Caching", 2025): the ratio k of the output's change to the
/// input's, measured between computed steps, turns each step's change of input into an expected relative change of output. While these add up to less than the threshold,
/// the difference of output and input of the last computed pass is added to the new input. Needs nothing fitted to the model.
/// </summary>
/// <remarks>The pass with the prompt decides for both. Changes are measured on the latents that are generated. It keeps latents only, so it is small.</remarks>
public sealed class EasyCache(double threshold, int firstSteps) : StepCache(threshold, firstSteps)
{
    private const string Input = "input";
    private const string ComputedInput = "computed_input";
    private const string ComputedOutput = "computed_output";
    private const string Conditional = "conditional.difference";
    private const string Unconditional = "unconditional.difference";
    private const string Ratio = "ratio";
    private const string Accumulated = "accumulated";
    private bool reuse;

    /// <inheritdoc/>
    public override string Name => "easycache";

    private protected override Tensor Predict(CachedPass pass, bool due, Func<BlockResidual?, Tensor> compute, out bool computed)
    {
        using var scope = NewDisposeScope();
        if (pass.Conditional)
            reuse = Reusable(pass, due);
        var name = pass.Conditional ? Conditional : Unconditional;
        computed = !reuse || Remembered(name) is null;
        if (!computed)
            return (pass.Latents + Remembered(name)!).MoveToOuterDisposeScope();

        var output = compute(null);
        if (pass.Conditional)
            Learn(pass, output);
        Remember(name, output - pass.Latents);
        return output.MoveToOuterDisposeScope();
    }

    private bool Reusable(CachedPass pass, bool due)
    {
        var input = pass.Generated(pass.Latents);
        var sum = Number(Accumulated) ?? 0;
        var known = Number(Ratio) is not null && Remembered(Input) is not null;
        if (known && !due)
            sum += Number(Ratio)!.Value * Change(input, Remembered(Input)!) / Mean(Remembered(ComputedOutput)!);
        var reusable = known && !due && sum < Threshold;
        Note(Accumulated, reusable ? sum : 0);
        // The sampler lets go of the latents it has stepped from.
        Remember(Input, input.clone());
        return reusable;
    }

    private void Learn(CachedPass pass, Tensor output)
    {
        var (input, velocity) = (Remembered(Input)!, pass.Generated(output).clone());
        if (Remembered(ComputedInput) is { } before && Change(input, before) is > 0 and var moved)
            Note(Ratio, Change(velocity, Remembered(ComputedOutput)!) / moved);
        Remember(ComputedInput, input);
        Remember(ComputedOutput, velocity);
    }
}
