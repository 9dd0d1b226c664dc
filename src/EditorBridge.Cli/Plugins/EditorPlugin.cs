namespace EditorBridge.Cli.Plugins;

/// <summary>A place a plugin goes to: one for each version of an editor that keeps them apart.</summary>
/// <param name="Editor">The editor and its version, as people call it.</param>
/// <param name="Folder">The folder the package's files go into.</param>
internal sealed record PluginTarget(string Editor, string Folder);

/// <summary>A package of ours and the editors that load it.</summary>
internal sealed record EditorPlugin
{
    /// <summary>The word on the command line.</summary>
    public required string Name { get; init; }

    /// <summary>The editor, as people call it.</summary>
    public required string Title { get; init; }

    /// <summary>The package, below the folder of packages; what lies in it goes into the target.</summary>
    public required string Package { get; init; }

    /// <summary>What the package's folder is called in the target; empty when its files go there themselves.</summary>
    public required string FolderName { get; init; }

    /// <summary>Where it goes on this machine; empty when no such editor was found.</summary>
    public required Func<IReadOnlyList<PluginTarget>> FindTargets { get; init; }

    /// <summary>Where we look for the editor, for whoever has it elsewhere.</summary>
    public required string LooksIn { get; init; }

    /// <summary>What is left to do in the editor, one sentence.</summary>
    public required string Afterwards { get; init; }

    /// <summary>Texts in files that are filled in: file name, the text, and what stands in its place.</summary>
    public Func<IReadOnlyList<(string File, string Text, string Replacement)>> FillIn { get; init; } = () => [];

    /// <summary>Files that are written beside the package's own: path below the package, and content.</summary>
    public Func<IReadOnlyList<(string File, string Content)>> Extra { get; init; } = () => [];

    /// <summary>The name of the one archive that the package goes into the target as; null when its files go there as they are.</summary>
    public string? PackAs { get; init; }

    /// <summary>A file of the package that is built, not kept in the source tree, and what builds it; null when there is none.</summary>
    public (string Pattern, string BuiltBy)? Built { get; init; }

    /// <summary>What is left to do in the editor when the files are gone again, one sentence; null when nothing is.</summary>
    public string? AfterRemoval { get; init; }
}
