using System.Text.Json.Serialization;

namespace EditorBridge.Models.Store.Pull;

/// <summary>A file of a repository.</summary>
public sealed record HubFile
{
    /// <summary>Its path in the repository, with slashes.</summary>
    public required string Path { get; init; }

    /// <summary>Bytes.</summary>
    public required long Size { get; init; }

    /// <summary>SHA-256 of its content, in hex; null for small files, of which the hub tells only <see cref="Blob"/>.</summary>
    public string? Sha256 { get; init; }

    /// <summary>Git's name for its content: SHA-1 of "blob", size, a zero byte and the content.</summary>
    public string? Blob { get; init; }
}

/// <summary>The files of a model at one commit, as <c>editorbridge-files.json</c> in its folder keeps them.</summary>
public sealed record ModelFiles
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "editorbridge-files.json";

    /// <summary>Owner and repository.</summary>
    public required string Repository { get; init; }

    /// <summary>The commit.</summary>
    public required string Commit { get; init; }

    /// <summary>The licence that the hub names; null when it names none.</summary>
    public string? License { get; init; }

    /// <summary>The files.</summary>
    public required IReadOnlyList<HubFile> Files { get; init; }
}

internal sealed record HubModelAnswer
{
    public string? Sha { get; init; }
    public IReadOnlyList<HubSibling>? Siblings { get; init; }
    public HubCard? CardData { get; init; }
}

internal sealed record HubSibling
{
    public string? Rfilename { get; init; }
    public long? Size { get; init; }
    public string? BlobId { get; init; }
    public HubLfs? Lfs { get; init; }
}

internal sealed record HubLfs
{
    public string? Sha256 { get; init; }
    public long? Size { get; init; }
}

internal sealed record HubCard
{
    // A text, or a list of them.
    public System.Text.Json.JsonElement? License { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(HubModelAnswer))]
[JsonSerializable(typeof(ModelFiles))]
internal sealed partial class HubJson : JsonSerializerContext;
