using System.Text;

namespace EditorBridge.Timeline;

/// <summary>Between the URLs that documents name media by and paths on this machine.</summary>
public static class MediaPath
{
    /// <summary>The path that a document's media URL stands for.</summary>
    /// <param name="url">file:///…, file://localhost/…, or a plain path, absolute or relative to the document.</param>
    /// <param name="documentFolder">The folder that relative paths count from.</param>
    /// <returns>A full path (nothing is looked up on disk), or why the URL is no local file.</returns>
    public static Outcome<string> Resolve(string url, string documentFolder)
    {
        ArgumentNullException.ThrowIfNull(url);
        if (url.Length == 0 || url.Contains('\0', StringComparison.Ordinal))
            return new Refusal("MEDIA_OFFLINE", "The clip names no media file: relink it in the editor.");
        var path = url;
        if (url.StartsWith("file:", StringComparison.OrdinalIgnoreCase))
        {
            path = url[5..];
            if (path.StartsWith("//", StringComparison.Ordinal))
            {
                var slash = path.IndexOf('/', 2);
                var host = slash < 0 ? path[2..] : path[2..slash];
                if (host.Length == 0 || host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
                    path = slash < 0 ? "" : path[slash..];
                else if (OperatingSystem.IsWindows())
                    path = path.Replace('/', '\\');
                else
                    return new Refusal("MEDIA_OFFLINE", $"'{url}' lies on another machine ({host}): mount it and relink the clip.");
            }

            path = Unescape(path);
            // file:///C:/x: the slash before the drive belongs to the URL.
            if (path.Length > 2 && path[0] == '/' && char.IsAsciiLetter(path[1]) && path[2] == ':') path = path[1..];
        }
        else if (url.IndexOf("://", StringComparison.Ordinal) is > 1)
        {
            return new Refusal("MEDIA_OFFLINE", $"'{url}' is not a local file: fetch it and relink the clip.");
        }

        if (path.Length == 0) return new Refusal("MEDIA_OFFLINE", $"'{url}' names no file: relink the clip in the editor.");
        if (!OperatingSystem.IsWindows() && path.Length > 1 && char.IsAsciiLetter(path[0]) && path[1] == ':')
            return new Refusal("MEDIA_OFFLINE", $"'{path}' is a path of a Windows machine: relink the clip.");
        return Path.GetFullPath(path, Path.GetFullPath(documentFolder));
    }

    /// <summary>Whether a document's media URL is a path that counts from the document's folder.</summary>
    public static bool IsRelative(string url)
    {
        ArgumentNullException.ThrowIfNull(url);
        return url.Length > 0 && !url.Contains(':', StringComparison.Ordinal) && url[0] is not ('/' or '\\') && !Path.IsPathRooted(url);
    }

    /// <summary>A relative media URL as a document in another folder has to spell it to mean the same file.</summary>
    /// <param name="url">The URL; anything but a relative path stays as it is.</param>
    /// <param name="from">The folder that it counts from.</param>
    /// <param name="to">The folder that it shall count from.</param>
    public static string Rebase(string url, string from, string to)
    {
        if (!IsRelative(url)) return url;
        var path = Path.GetFullPath(url, Path.GetFullPath(from));
        var rebased = Path.GetRelativePath(Path.GetFullPath(to), path);
        // Another drive: there is no relative path.
        return Path.IsPathRooted(rebased) ? ToUrl(rebased) : Path.DirectorySeparatorChar == '\\' ? rebased.Replace('\\', '/') : rebased;
    }

    /// <summary>The file URL of a path, percent-encoded as RFC 3986 has it.</summary>
    /// <param name="path">A full path.</param>
    public static string ToUrl(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var builder = new StringBuilder("file://");
        var slashes = Path.DirectorySeparatorChar == '\\' ? path.Replace('\\', '/') : path;
        if (slashes.StartsWith("//", StringComparison.Ordinal)) builder.Length -= 2;
        else if (!slashes.StartsWith('/')) builder.Append('/');
        foreach (var octet in Encoding.UTF8.GetBytes(slashes))
        {
            if (char.IsAsciiLetterOrDigit((char)octet) || "-._~/:!$&'()*+,;=@".Contains((char)octet, StringComparison.Ordinal)) builder.Append((char)octet);
            else builder.Append('%').Append(octet.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
        }

        return builder.ToString();
    }

    // Uri.UnescapeDataString leaves malformed escapes as they are, which is what a path with a bare '%' needs.
    private static string Unescape(string text) => Uri.UnescapeDataString(text);
}
