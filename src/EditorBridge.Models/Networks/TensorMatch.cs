using EditorBridge.Models.Checkpoints;

namespace EditorBridge.Models.Networks;

/// <summary>A tensor of a network.</summary>
/// <param name="Shape">Lengths of its axes.</param>
/// <param name="Real">Whether it holds real numbers.</param>
public readonly record struct WantedTensor(IReadOnlyList<long> Shape, bool Real = true);

/// <summary>Where a checkpoint has a tensor of a network.</summary>
/// <param name="Stored">The checkpoint's tensor.</param>
/// <param name="Part">Which part of it, along the first axis.</param>
/// <param name="Parts">How many parts it has.</param>
public readonly record struct MatchedTensor(NamedTensor Stored, int Part, int Parts);

/// <summary>What a network is made of, looked up in a checkpoint by names and shapes alone.</summary>
public sealed record TensorMatch
{
    private const int Told = 5;

    /// <summary>The tensors that are there, by the network's names.</summary>
    public required IReadOnlyDictionary<string, MatchedTensor> Found { get; init; }

    /// <summary>What is missing, left over, there twice or of another shape, a clause each; empty where the checkpoint fits.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    /// <summary>The first problems and the number of the others, without a full stop.</summary>
    public string Summary => string.Join("; ", Problems.Take(Told)) + (Problems.Count > Told ? $"; and {Problems.Count - Told} more" : "");

    /// <summary>Looks every tensor up.</summary>
    /// <param name="weights">The checkpoint.</param>
    /// <param name="wanted">The network's tensors by name.</param>
    /// <param name="rename">From the checkpoint's key to the network's: several for a tensor that is split evenly along its first axis, none to leave it out.</param>
    public static TensorMatch Of(INamedTensors weights, IReadOnlyDictionary<string, WantedTensor> wanted, Func<string, IReadOnlyList<string>> rename)
    {
        ArgumentNullException.ThrowIfNull(weights);
        var found = new Dictionary<string, MatchedTensor>(StringComparer.Ordinal);
        var problems = new List<string>();
        foreach (var stored in weights.Tensors.Values)
        {
            var keys = rename(stored.Name);
            for (var part = 0; part < keys.Count; part++)
            {
                var key = keys[part];
                if (!wanted.TryGetValue(key, out var target))
                    problems.Add($"{Both(stored, key, weights)} is not part of the network");
                else if (!Fits(stored.Shape, keys.Count, target.Shape))
                    problems.Add($"{Both(stored, key, weights)} is [{string.Join(", ", stored.Shape)}], the network has [{string.Join(", ", target.Shape)}]");
                else if (target.Real && !stored.Type.IsReal())
                    problems.Add($"{Both(stored, key, weights)} is stored as {stored.Type}, a quantisation that is not known here");
                else if (!found.TryAdd(key, new MatchedTensor(stored, part, keys.Count)))
                    problems.Add($"{Both(stored, key, weights)} is there twice");
            }
        }
        problems.AddRange(wanted.Keys.Where(key => !found.ContainsKey(key)).Select(key => $"'{key}' is missing"));
        return new TensorMatch { Found = found, Problems = problems };
    }

    // Axes of length one in front do not matter.
    private static bool Fits(IReadOnlyList<long> shape, int parts, IReadOnlyList<long> target)
    {
        long[] own = [.. shape];
        if (parts > 1)
        {
            if (own.Length == 0 || own[0] % parts != 0)
                return false;
            own[0] /= parts;
        }

        var ones = own.Length - target.Count;
        return ones >= 0 && own.Take(ones).All(size => size == 1) && own.Skip(ones).SequenceEqual(target);
    }

    private static string Both(NamedTensor stored, string key, INamedTensors weights)
        => (stored.Name == key ? $"'{key}'" : $"'{stored.Name} ({key})'") + (stored.File.Path == weights.Path ? "" : $" of '{Path.GetFileName(stored.File.Path)}'");
}
