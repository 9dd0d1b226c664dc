using EditorBridge.Protocol.V1;

namespace EditorBridge.Host.Assets;

/// <summary>Names of uploaded files: "assets/" and the SHA-256 of their bytes, so that the same file is stored once and cannot be another one.</summary>
internal static class AssetName
{
    private const string Collection = "assets/";
    private const int HashLength = 64;

    /// <summary>The hash in <paramref name="name"/>; null when it is none.</summary>
    public static string? HashOf(string name) =>
        name.StartsWith(Collection, StringComparison.Ordinal) && name[Collection.Length..] is { Length: HashLength } hash
        && hash.All(c => c is (>= '0' and <= '9') or (>= 'a' and <= 'f'))
            ? hash
            : null;

    /// <summary>The name of the file with that hash.</summary>
    public static string Of(string hash) => Collection + hash;

    /// <summary>Hashes of the uploaded files that a job is made of.</summary>
    public static IEnumerable<string> HashesIn(JobSpec spec) =>
        new[] { spec.ContextBefore?.Segment?.Media, spec.ContextAfter?.Segment?.Media, spec.Mask?.Segment?.Media, spec.SourceVideo?.Segment?.Media, spec.ControlVideo?.Segment?.Media }
            .Concat(spec.References.Select(r => r.Media)).Concat(spec.Keyframes.Select(k => k.Media))
            .Where(m => m?.SourceCase == MediaSource.SourceOneofCase.Asset).Select(m => HashOf(m!.Asset)).OfType<string>();
}
