using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Safetensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace EditorBridge.Training.Optimisation;

/// <summary>
/// Updates a network whose working copy may be bf16: keeps fp32 masters, an exponential moving average of them, and the moments.
/// Matrices take orthogonalised momentum (Muon: Jordan et al. 2024; update scale of Liu et al. 2025, arXiv:2502.16982),
/// everything else AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101).
/// </summary>
public sealed class WeightOptimizer : IDisposable
{
    private readonly List<Slot> _slots = [];
    private readonly double _decay;
    private readonly double _average;

    /// <summary>Takes over a network's parameters.</summary>
    /// <param name="network">Its parameters become the working copy; they are rounded from the masters after each step.</param>
    /// <param name="matrix">Which parameters (by name) are updated as matrices.</param>
    /// <param name="weightDecay">Decoupled decay of matrices, per unit of learning rate.</param>
    /// <param name="average">Decay of the moving average, per step.</param>
    public WeightOptimizer(nn.Module network, Func<string, Tensor, bool> matrix, double weightDecay = 0.01, double average = 0.998)
    {
        (_decay, _average) = (weightDecay, average);
        using var noGrad = no_grad();
        foreach (var (name, parameter) in network.named_parameters())
        {
            var master = parameter.detach().to(float32).clone().DetachFromDisposeScope();
            bool isMatrix = matrix(name, master);
            _slots.Add(new Slot(name, parameter, master, master.clone().DetachFromDisposeScope(), zeros_like(master).DetachFromDisposeScope(),
                isMatrix ? null : zeros_like(master).DetachFromDisposeScope()));
        }
    }

    /// <summary>Steps taken.</summary>
    public long Steps { get; private set; }

    /// <summary>Rounds the masters into a network of another precision that has the same parameters.</summary>
    public void CopyAverageTo(nn.Module network)
    {
        using var noGrad = no_grad();
        var targets = network.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        foreach (var slot in _slots)
        {
            using var scope = NewDisposeScope();
            targets[slot.Name].copy_(slot.Average);
        }
    }

    /// <summary>One update from the gradients, which are cleared.</summary>
    /// <param name="rate">Learning rate: root mean square of an update is about a fifth of it for matrices, about it otherwise.</param>
    /// <param name="clip">Largest norm of all gradients together.</param>
    /// <returns>The norm before clipping; when it is not finite, nothing was changed.</returns>
    public double Step(double rate, double clip = 1)
    {
        using var noGrad = no_grad();
        using var outer = NewDisposeScope();
        var gradients = new Tensor?[_slots.Count];
        var squares = new List<Tensor>();
        for (int i = 0; i < _slots.Count; i++)
        {
            if (_slots[i].Parameter.grad is { } gradient)
            {
                gradients[i] = gradient.to(float32);
                squares.Add(gradients[i]!.square().sum());
            }
        }

        double norm = Math.Sqrt(stack(squares).sum().item<float>());
        bool usable = double.IsFinite(norm);
        double scale = norm > clip ? clip / norm : 1;
        if (usable)
        {
            Steps++;
        }

        double average = Math.Min(_average, (1.0 + Steps) / (10 + Steps));
        for (int i = 0; i < _slots.Count; i++)
        {
            if (gradients[i] is { } gradient && usable)
            {
                using var scope = NewDisposeScope();
                Update(_slots[i], gradient.mul_(scale), rate);
                _slots[i].Average.lerp_(_slots[i].Master, 1 - average);
                _slots[i].Parameter.copy_(_slots[i].Master);
            }

            _slots[i].Parameter.grad?.zero_();
        }

        return norm;
    }

    /// <summary>Saves masters, average and moments, so that training goes on as if it had not stopped.</summary>
    public void Save(string path)
    {
        Dictionary<string, Tensor> tensors = [];
        foreach (var slot in _slots)
        {
            tensors[$"master.{slot.Name}"] = slot.Master;
            tensors[$"average.{slot.Name}"] = slot.Average;
            tensors[$"first.{slot.Name}"] = slot.First;
            if (slot.Second is { } second)
            {
                tensors[$"second.{slot.Name}"] = second;
            }
        }

        WeightSaver.Save(tensors, path, null, new Dictionary<string, string> { ["steps"] = $"{Steps}" });
    }

    /// <summary>Goes on from a saved state.</summary>
    /// <exception cref="InvalidDataException">The file is of another network.</exception>
    public void Load(string path)
    {
        using var noGrad = no_grad();
        using var file = SafetensorsFile.Open(path).OrThrow();
        void Fill(Tensor target, string name)
        {
            using var scope = NewDisposeScope();
            if (!file.Tensors.TryGetValue(name, out var entry))
            {
                throw new InvalidDataException($"'{path}' has no '{name}': it is the state of another network.");
            }

            target.copy_(MappedTensors.View(entry));
        }

        foreach (var slot in _slots)
        {
            Fill(slot.Master, $"master.{slot.Name}");
            Fill(slot.Average, $"average.{slot.Name}");
            Fill(slot.First, $"first.{slot.Name}");
            if (slot.Second is { } second)
            {
                Fill(second, $"second.{slot.Name}");
            }

            slot.Parameter.copy_(slot.Master);
        }

        Steps = long.Parse(file.Header.Metadata["steps"]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var slot in _slots)
        {
            slot.Master.Dispose();
            slot.Average.Dispose();
            slot.First.Dispose();
            slot.Second?.Dispose();
        }
    }

    private void Update(Slot slot, Tensor gradient, double rate)
    {
        if (slot.Second is { } second)
        {
            const double Beta1 = 0.9, Beta2 = 0.98;
            slot.First.lerp_(gradient, 1 - Beta1);
            second.mul_(Beta2).addcmul_(gradient, gradient, 1 - Beta2);
            double bias1 = 1 - Math.Pow(Beta1, Steps), bias2 = 1 - Math.Pow(Beta2, Steps);
            slot.Master.addcdiv_(slot.First, (second / bias2).sqrt_().add_(1e-8), -rate / bias1);
            return;
        }

        const double Momentum = 0.95;
        slot.First.mul_(Momentum).add_(gradient, 1 - Momentum);
        var ahead = lerp(gradient, slot.First, Momentum).flatten(1);
        double scale = 0.2 * Math.Sqrt(Math.Max(ahead.size(0), ahead.size(1)));
        slot.Master.mul_(1 - rate * _decay).add_(Orthogonal(ahead).view(slot.Master.shape), -rate * scale);
    }

    // Five steps of a quintic Newton-Schulz iteration bring all singular values near 1; bf16 is precise enough.
    private static Tensor Orthogonal(Tensor g)
    {
        bool tall = g.size(0) > g.size(1);
        var x = (tall ? g.t() : g).to(ProductType.Fastest(g.device));
        x = x / (x.norm() + 1e-7);
        for (int i = 0; i < 5; i++)
        {
            var a = mm(x, x.t());
            var b = a * -4.7750 + mm(a, a) * 2.0315;
            x = x * 3.4445 + mm(b, x);
        }

        return (tall ? x.t() : x).to(float32);
    }

    private sealed record Slot(string Name, Parameter Parameter, Tensor Master, Tensor Average, Tensor First, Tensor? Second);
}
