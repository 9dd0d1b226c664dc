using EditorBridge.Models.Store;
using EditorBridge.Models.Store.Pull;
using EditorBridge.Planning;

namespace EditorBridge.Host.Models;

/// <summary>How a model came to be known.</summary>
internal enum ModelSource
{
    /// <summary>It is beside the program.</summary>
    Shipped,

    /// <summary>It lies in a folder that EDITORBRIDGE_MODELS names.</summary>
    Named,

    /// <summary>The user added it where it lies.</summary>
    Added,

    /// <summary>It was pulled into the host's own folder of models.</summary>
    Pulled,
}

/// <summary>A model that was found.</summary>
/// <param name="Place">Where it lies, and under which name.</param>
/// <param name="Source">How it came to be known.</param>
/// <param name="Capabilities">What it can do; null when it cannot be used.</param>
/// <param name="Problem">Why it cannot be used; empty when it can.</param>
/// <param name="Bytes">Bytes on disk.</param>
internal sealed record FoundModel(ModelPlace Place, ModelSource Source, ModelCapabilities? Capabilities, string Problem, long Bytes)
{
    /// <summary>Its name.</summary>
    public string Name => Place.Name;

    /// <summary>Where it lies.</summary>
    public string Folder => Place.Location;

    /// <summary>What it was recognised as; empty where that could not be told.</summary>
    public string Variant { get; init; } = "";

    /// <summary>Where it was pulled from; null for others.</summary>
    public ModelFiles? Origin { get; init; }
}
