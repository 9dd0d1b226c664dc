using System.Globalization;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Parity;

/// <summary>Holds numbers of ours against those of the reference and remembers how far off they were.</summary>
/// <param name="golden">The reference's numbers.</param>
public sealed class GoldenComparison(GoldenFile golden)
{
    private readonly HashSet<string> compared = new(StringComparer.Ordinal);
    private readonly List<string> failures = [];
    private double worstRatio = -1;

    /// <summary>The error that came nearest to its tolerance, or went furthest beyond it.</summary>
    public double Worst { get; private set; }

    /// <summary>That error's tolerance; 0 where the numbers must be equal.</summary>
    public double Tolerance { get; private set; }

    /// <summary>What was out of tolerance, one sentence each.</summary>
    public IReadOnlyList<string> Failures => failures;

    /// <summary>Intermediates and results of the file that nothing was compared with.</summary>
    public IReadOnlyList<string> Left => [.. golden.Names.Where(name => !name.StartsWith("in.", StringComparison.Ordinal)
        && !name.StartsWith("const.", StringComparison.Ordinal) && !compared.Contains(name)).Order(StringComparer.Ordinal)];

    /// <summary>What comparisons are said to be about, such as the naming of the weights; in front of the names in <see cref="Failures"/>.</summary>
    public string Subject { get; set; } = "";

    /// <summary>Compares with a tensor of the file: max|actual − golden| may be tolerance · max|golden|.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="actual">Ours, of the same shape.</param>
    /// <param name="tolerance">Largest relative error.</param>
    public void Relative(string name, Tensor actual, double tolerance)
    {
        using var scope = NewDisposeScope();
        Relative(name, golden[name], actual, tolerance);
    }

    /// <summary>Compares with a part of a tensor of the file.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="expected">The part.</param>
    /// <param name="actual">Ours, of the same shape.</param>
    /// <param name="tolerance">Largest relative error.</param>
    public void Relative(string name, Tensor expected, Tensor actual, double tolerance) => Compare(name, expected, actual, tolerance, relative: true);

    /// <summary>Compares with a tensor of the file: max|actual − golden| may be the tolerance itself.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="actual">Ours, of the same shape.</param>
    /// <param name="tolerance">Largest difference; 0: the numbers must be equal.</param>
    public void Absolute(string name, Tensor actual, double tolerance)
    {
        using var scope = NewDisposeScope();
        Absolute(name, golden[name], actual, tolerance);
    }

    /// <summary>Compares with a part of a tensor of the file, by the difference itself.</summary>
    /// <inheritdoc cref="Relative(string, Tensor, Tensor, double)" path="/param"/>
    public void Absolute(string name, Tensor expected, Tensor actual, double tolerance) => Compare(name, expected, actual, tolerance, relative: false);

    /// <summary>Notes something that must be equal and is not a tensor.</summary>
    /// <param name="what">What it is.</param>
    /// <param name="equal">Whether it is.</param>
    public void Equal(string what, bool equal) => Note(equal ? 0 : 1, 0, () => $"{what} differs");

    private void Compare(string name, Tensor expected, Tensor actual, double tolerance, bool relative)
    {
        compared.Add(name);
        if (!expected.shape.SequenceEqual(actual.shape))
        {
            Note(double.PositiveInfinity, tolerance, () => $"{name} is [{string.Join(", ", actual.shape)}], not [{string.Join(", ", expected.shape)}]");
            return;
        }

        if (expected.numel() == 0) return;
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var reference = expected.to(CPU).to(float64);
        var error = (actual.detach().to(CPU).to(float64) - reference).abs().max().item<double>();
        if (relative)
        {
            var largest = reference.abs().max().item<double>();
            error = largest > 0 ? error / largest : error > 0 ? double.PositiveInfinity : error;
        }

        Note(error, tolerance, () => string.Create(CultureInfo.InvariantCulture, $"{name} is off by {error:g3}, {tolerance:g3} is allowed"));
    }

    private void Note(double error, double tolerance, Func<string> failure)
    {
        if (double.IsNaN(error)) error = double.PositiveInfinity;
        var ratio = tolerance > 0 ? error / tolerance : error > 0 ? double.PositiveInfinity : 0;
        if (ratio > worstRatio || (double.IsPositiveInfinity(ratio) && error > Worst)) (worstRatio, Worst, Tolerance) = (ratio, error, tolerance);
        if (error > tolerance) failures.Add(Subject.Length == 0 ? failure() : $"{Subject}: {failure()}");
    }
}
