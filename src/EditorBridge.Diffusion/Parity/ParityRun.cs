using EditorBridge.Diffusion.Native;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Safetensors;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Parity;

/// <summary>Runs the networks on every golden file of a folder and holds their numbers against the reference's.</summary>
public static class ParityRun
{
    private static readonly (Func<string, bool> Folder, Func<GoldenFile, GoldenComparison, bool> Run)[] Kinds =
    [
        (name => name is "vae21" or "vae22", VaeParity.Run),
        (name => name.StartsWith("dit_", StringComparison.Ordinal), TransformerParity.Run),
        (name => name == "clip", ClipParity.Run),
        (name => name == "umt5", TextEncoderParity.Run),
        (name => name == "schedulers", SchedulerParity.Run),
        (name => name == "tokenizer", TokenizerParity.Run),
        (name => name == "e2e", EndToEndParity.Run),
    ];

    private const string Strings = "tokenizer/cases.json";

    /// <summary>The golden files of a folder: one folder per kind below it, in each safetensors files that are no weights, and the tokenizer's strings.</summary>
    /// <param name="folder">The folder.</param>
    /// <returns>Paths below the folder, with slashes and extension, in order.</returns>
    public static IReadOnlyList<string> Cases(string folder) =>
    [
        .. Directory.GetDirectories(folder)
            .SelectMany(kind => Directory.GetFiles(kind, "*.safetensors").Where(path => !IsWeights(path)))
            .Select(path => Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/'))
            .Concat(File.Exists(Path.Combine(folder, Strings)) ? [Strings] : []).Order(StringComparer.Ordinal),
    ];

    /// <summary>Whether the kind of a case is one that is known here; others are not run.</summary>
    /// <param name="name">One of <see cref="Cases"/>.</param>
    public static bool IsKnown(string name) => KindOf(name) is not null;

    /// <summary>Runs one case, with the weights in every naming that is there.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="name">One of <see cref="Cases"/>, of a known kind.</param>
    /// <param name="placement">Where networks keep their weights.</param>
    public static ParityResult Run(string folder, string name, WeightPlacement placement = WeightPlacement.Unpacked)
    {
        var title = Path.ChangeExtension(name, null);
        try
        {
            if (name == Strings)
            {
                var differences = TokenizerParity.RunCases(Path.Combine(folder, name));
                return new ParityResult(title, differences.Count > 0 ? 1 : 0, 0, differences.Count == 0, differences.Count > 0 ? Sentence(differences) : null);
            }

            using var pause = CollectorPause.Begin();
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            using var golden = GoldenFile.Open(Path.Combine(folder, name), placement);
            var comparison = new GoldenComparison(golden);
            if (KindOf(name) is not { } run || !run(golden, comparison))
                return new ParityResult(title, double.PositiveInfinity, 0, Pass: false, "This file was not run: nothing here knows what to make of it.");
            var left = comparison.Left.Where(tensor => tensor.StartsWith("out.", StringComparison.Ordinal)).ToList();
            var problem = comparison.Failures.Count > 0 ? Sentence(comparison.Failures)
                : left.Count > 0 ? $"{string.Join(", ", left)} of this file was not compared." : null;
            return new ParityResult(title, comparison.Worst, comparison.Tolerance, problem is null, problem);
        }
        // A file may hold anything: whatever comes of it, the files behind it are still run.
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return new ParityResult(title, double.PositiveInfinity, 0, Pass: false, $"This file was not run: {e.Message.Split('\n')[0].TrimEnd('.')}.");
        }
    }

    private static Func<GoldenFile, GoldenComparison, bool>? KindOf(string name) => Kinds.FirstOrDefault(kind => kind.Folder(name.Split('/')[0])).Run;

    // NAME.NAMING.safetensors beside NAME.config.json, or what says so itself.
    private static bool IsWeights(string path)
    {
        var (folder, name) = (Path.GetDirectoryName(path)!, Path.GetFileNameWithoutExtension(path));
        if (File.Exists(Path.Combine(folder, Path.GetFileNameWithoutExtension(name) + ".config.json")))
            return true;
        using var file = SafetensorsFile.Open(path) is { Ok: true } opened ? opened.Value : null;
        return file?.Header.Metadata.ContainsKey("naming") ?? false;
    }

    private static string Sentence(IReadOnlyList<string> failures) =>
        string.Join("; ", failures.Take(3)) + (failures.Count > 3 ? $"; and {failures.Count - 3} more." : ".");
}
