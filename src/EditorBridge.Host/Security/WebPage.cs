using Microsoft.Extensions.Primitives;

namespace EditorBridge.Host.Security;

/// <summary>Tells requests that a web page sends, or that were led here by a name that is not this machine's (DNS rebinding), from those of programs.</summary>
internal static class WebPage
{
    private const int LongestShown = 100;

    /// <summary>Why a request is one of a web page; null when it is not.</summary>
    /// <param name="request">The request.</param>
    /// <param name="panelOrigin">An origin that is let in all the same; empty for none.</param>
    public static string? Trace(HttpRequest request, string panelOrigin)
    {
        if (!IsLoopback(request.Host.Host)) return "The Host header names another machine.";
        var origins = request.Headers.Origin;
        var isPanel = panelOrigin.Length > 0 && origins.Count == 1 && origins[0] == panelOrigin;
        if (isPanel) return null;
        if (origins.Count > 0 && !IsOwn(origins, request.Host)) return $"Requests from web pages are not answered, and this one comes from {Shown(origins)}.";
        return request.Headers["Sec-Fetch-Site"].ToString() is "" or "same-origin" or "none" ? null : "Requests from other sites are not answered.";
    }

    // What a page calls itself goes into an answer and the log: short, and without anything but plain characters.
    private static string Shown(StringValues origins)
    {
        var text = string.Concat(origins.ToString().Where(c => c is > ' ' and < '\u007f'));
        return text.Length <= LongestShown ? text : text[..LongestShown] + "...";
    }

    private static bool IsLoopback(string host) =>
        host is "localhost" or "[::1]" || host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host == "127.0.0.1";

    private static bool IsOwn(StringValues origins, HostString host) =>
        origins.Count == 1 && Uri.TryCreate(origins[0], UriKind.Absolute, out var origin) && origin.Scheme == Uri.UriSchemeHttp
        && IsLoopback(origin.Host) && origin.Port == (host.Port ?? 80);
}
