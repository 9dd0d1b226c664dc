using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace EditorBridge.Diffusion.Weights;

/// <summary>A linear layer that computes in a type of choice and whose weight may stay in its file.</summary>
internal sealed class LinearLayer : Module<Tensor, Tensor>, IStoredLayer
{
    private readonly Parameter weight; // [out, in]
    private readonly Parameter? bias; // [out]
    private readonly bool island;

    /// <summary>Makes it with weights of zero.</summary>
    /// <param name="inputs">Channels in.</param>
    /// <param name="outputs">Channels out.</param>
    /// <param name="hasBias">Whether a bias is added.</param>
    /// <param name="island">Whether it stays float32 whatever the others do.</param>
    public LinearLayer(long inputs, long outputs, bool hasBias = true, bool island = false)
        : base(nameof(LinearLayer))
    {
        this.island = island;
        weight = NewWeights.Large([outputs, inputs]);
        if (hasBias)
            bias = NewWeights.Small(zeros(outputs));
        RegisterComponents();
    }

    /// <summary>Type of the product; null for that of the weight, float32 where the weight stays in its file.</summary>
    public ScalarType? ComputeType { get; set; }

    /// <inheritdoc/>
    public StoredWeight? Stored { get; set; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x) // [..., in] → [..., out]
    {
        if (Stored is null)
            return Map(x, weight, bias, island ? float32 : ComputeType ?? weight.dtype);
        using var scope = NewDisposeScope();
        var type = island ? float32 : ComputeType ?? float32;
        return Stored.Linear(x.to(type), bias?.to(type)).MoveToOuterDisposeScope();
    }

    /// <summary><c>x·Wᵀ + b</c> in a type of choice.</summary>
    public static Tensor Map(Tensor x, Tensor weight, Tensor? bias, ScalarType type)
    {
        using var scope = NewDisposeScope();
        return functional.linear(x.to(type), weight.to(type), bias?.to(type)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            Stored?.Dispose();
        base.Dispose(disposing);
    }
}
