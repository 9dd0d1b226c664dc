using System.Text.RegularExpressions;

namespace EditorBridge.Models.Store;

/// <summary>What a model may be called: lower-case letters, digits, and between them dots, dashes and underscores.</summary>
public static partial class ModelName
{
    /// <summary>Whether <paramref name="name"/> can be one: it is a folder's name and a part of a resource name too.</summary>
    public static bool IsValid(string name) => name.Length <= 64 && Form().IsMatch(name);

    /// <summary>A name made from what a folder, file or repository is called.</summary>
    public static string From(string text)
    {
        var name = Others().Replace(text.ToLowerInvariant(), "-").Trim('-', '.', '_');
        return name.Length == 0 ? "model" : name[..Math.Min(name.Length, 64)].TrimEnd('-', '.', '_');
    }

    [GeneratedRegex("^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$")]
    private static partial Regex Form();

    [GeneratedRegex("[^a-z0-9._-]+")]
    private static partial Regex Others();
}
