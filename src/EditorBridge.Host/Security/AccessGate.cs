using System.Net;
using Microsoft.Extensions.Primitives;

namespace EditorBridge.Host.Security;

/// <summary>
/// The one door in front of everything the host serves. A web page that got hold of the port (by guessing it, or by rebinding a name to
/// 127.0.0.1) is turned away by Host, Origin and Sec-Fetch-Site; another program of another user by the token. Nothing is exempt.
/// </summary>
internal sealed class AccessGate(RequestDelegate next, AccessToken token, HostOptions options, ILogger<AccessGate> log)
{
    private const int UnauthenticatedCode = 16;
    private const int PermissionDeniedCode = 7;

    /// <summary>Lets the request in or answers it.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        if (Foreign(request) is { } why)
        {
            log.LogWarning("Turned away a request for {Path}: {Why}", request.Path, why);
            await RefuseAsync(context, HttpStatusCode.Forbidden, PermissionDeniedCode, why).ConfigureAwait(false);
            return;
        }

        if (!token.IsIn(request.Headers.Authorization))
        {
            log.LogWarning("Turned away a request for {Path}: no token, or a wrong one", request.Path);
            await RefuseAsync(context, HttpStatusCode.Unauthorized, UnauthenticatedCode,
                "The request carries no valid token; read it from endpoint.json in the data folder.").ConfigureAwait(false);
            return;
        }

        await next(context).ConfigureAwait(false);
    }

    private string? Foreign(HttpRequest request)
    {
        if (!IsLoopback(request.Host.Host)) return "The Host header names another machine.";
        var origins = request.Headers.Origin;
        var isPanel = options.PanelOrigin.Length > 0 && origins.Count == 1 && origins[0] == options.PanelOrigin;
        if (origins.Count > 0 && !isPanel && !IsOwn(origins, request.Host)) return $"Requests from web pages are not answered, and this one comes from {Shown(origins)}.";
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (!isPanel && site is not ("" or "same-origin" or "none")) return "Requests from other sites are not answered.";
        // A form can send these without a preflight; JSON and gRPC it cannot.
        if (HttpMethods.IsPost(request.Method) && request.ContentType is { Length: > 0 } type
            && !type.StartsWith("application/json", StringComparison.OrdinalIgnoreCase)
            && !type.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase))
            return "A request's body is JSON or gRPC.";
        return null;
    }

    // What a page calls itself goes into an answer and the log: short, and without anything but plain characters.
    private static string Shown(StringValues origins)
    {
        var text = string.Concat(origins.ToString().Where(c => c is > ' ' and < '\u007f'));
        return text.Length <= 100 ? text : text[..100] + "...";
    }

    private static bool IsLoopback(string host) =>
        host is "localhost" or "[::1]" || host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host == "127.0.0.1";

    private static bool IsOwn(StringValues origins, HostString host) =>
        origins.Count == 1 && Uri.TryCreate(origins[0], UriKind.Absolute, out var origin) && origin.Scheme == Uri.UriSchemeHttp
        && IsLoopback(origin.Host) && origin.Port == (host.Port ?? 80);

    private static Task RefuseAsync(HttpContext context, HttpStatusCode status, int code, string message)
    {
        if (context.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true)
        {
            // A trailers-only answer: gRPC clients read the code, whatever the HTTP status.
            context.Response.StatusCode = (int)HttpStatusCode.OK;
            context.Response.ContentType = "application/grpc";
            context.Response.Headers["grpc-status"] = code.ToString(System.Globalization.CultureInfo.InvariantCulture);
            context.Response.Headers["grpc-message"] = Uri.EscapeDataString(message);
            return Task.CompletedTask;
        }

        context.Response.StatusCode = (int)status;
        return context.Response.WriteAsJsonAsync(new { code, message });
    }
}
