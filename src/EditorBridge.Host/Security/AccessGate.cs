using System.Net;

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
        if (WebPage.Trace(request, options.PanelOrigin) is { } trace) return trace;
        // A form can send these without a preflight; JSON and gRPC it cannot.
        if (HttpMethods.IsPost(request.Method) && request.ContentType is { Length: > 0 } type
            && !type.StartsWith("application/json", StringComparison.OrdinalIgnoreCase)
            && !type.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase))
            return "A request's body is JSON or gRPC.";
        return null;
    }

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
