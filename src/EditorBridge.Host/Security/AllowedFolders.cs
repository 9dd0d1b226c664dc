using System.ComponentModel.DataAnnotations;

namespace EditorBridge.Host.Security;

/// <summary>The folders that files named by requests may lie in: everywhere the host's user may read, unless it was told fewer.</summary>
public static class AllowedFolders
{
    /// <summary>Why a file may not be opened; null when it may.</summary>
    /// <param name="options">The host's.</param>
    /// <param name="path">A full path that a request names. Links in it are followed: what counts is where the file really is.</param>
    internal static string? Refusal(HostOptions options, string path)
    {
        if (options.AllowedFolders.Length == 0) return null;
        string real;
        try
        {
            real = Real(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return $"'{path}' cannot be looked up: {error.Message}";
        }

        var comparison = OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;
        return Split(options.AllowedFolders).Any(folder => (real + Path.DirectorySeparatorChar).StartsWith(Path.TrimEndingDirectorySeparator(Real(folder)) + Path.DirectorySeparatorChar, comparison))
            ? null
            : $"'{path}' lies outside the folders that the host may read ({options.AllowedFolders}): copy it into one, or change the host's setting allowed-folders.";
    }

    /// <summary>Whether the setting names folders by full paths.</summary>
    public static ValidationResult? Validate(string? setting, ValidationContext context) =>
        Split(setting ?? "").FirstOrDefault(folder => !Path.IsPathFullyQualified(folder)) is { } relative
            ? new ValidationResult($"AllowedFolders names '{relative}', which is not a full path.")
            : ValidationResult.Success;

    private static string[] Split(string setting) => setting.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    // Each part from the root on, its link resolved where it is one; what is not there has no links.
    private static string Real(string path)
    {
        var full = Path.GetFullPath(path);
        var real = Path.GetPathRoot(full)!;
        foreach (var part in full[real.Length..].Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries))
        {
            var next = Path.Combine(real, part);
            real = new FileInfo(next).LinkTarget is null ? next : Real(File.ResolveLinkTarget(next, returnFinalTarget: true)!.FullName);
        }

        return real;
    }
}
