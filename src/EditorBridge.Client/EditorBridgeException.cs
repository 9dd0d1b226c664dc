using Google.Rpc;
using Grpc.Core;

namespace EditorBridge.Client;

/// <summary>The host refused, or could not be reached. The message is one sentence for the user.</summary>
public sealed class EditorBridgeException : Exception
{
    /// <summary>Makes the exception from its reason and sentence.</summary>
    public EditorBridgeException(string reason, string message, Exception? inner = null) : base(message, inner) => Reason = reason;

    /// <summary>UPPER_SNAKE, fixed, for programs: HOST_UNREACHABLE, JOB_NOT_FOUND, CLIP_DAMAGED and so on.</summary>
    public string Reason { get; }

    /// <summary>Path of the request's field that is at fault, such as "spec.prompt"; null when it is none.</summary>
    public string? Field { get; init; }

    /// <summary>Every field that is at fault, with what is wrong with it.</summary>
    public IReadOnlyList<(string Field, string Problem)> Violations { get; init; } = [];

    /// <summary>Values the message names, by name.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>What <paramref name="error"/> says, read from its google.rpc details.</summary>
    public static EditorBridgeException From(RpcException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        var status = error.GetRpcStatus();
        var info = status?.GetDetail<ErrorInfo>();
        var bad = status?.GetDetail<BadRequest>();
        var message = status?.Message is { Length: > 0 } said ? said : error.Status.Detail;
        var reason = info?.Reason ?? error.StatusCode switch
        {
            StatusCode.Unavailable => "HOST_UNREACHABLE",
            StatusCode.DeadlineExceeded => "DEADLINE_EXCEEDED",
            StatusCode.Unauthenticated => "UNAUTHENTICATED",
            StatusCode.Cancelled => "CANCELLED",
            StatusCode.Unimplemented => "NOT_BUILT",
            _ => "INTERNAL",
        };
        if (info is null && error.StatusCode == StatusCode.Unavailable)
            message = "The EditorBridge host cannot be reached; `editorbridge doctor` says more.";
        return new EditorBridgeException(reason, message, error)
        {
            Field = bad?.FieldViolations.FirstOrDefault()?.Field,
            Violations = [.. bad?.FieldViolations.Select(v => (v.Field, v.Description)) ?? []],
            Metadata = info?.Metadata.ToDictionary(p => p.Key, p => p.Value) ?? [],
        };
    }

    /// <summary>What the error of a failed job says.</summary>
    public static EditorBridgeException From(Google.Rpc.Status status)
    {
        ArgumentNullException.ThrowIfNull(status);
        var info = status.GetDetail<ErrorInfo>();
        return new EditorBridgeException(info?.Reason ?? "INTERNAL", status.Message)
        {
            Metadata = info?.Metadata.ToDictionary(p => p.Key, p => p.Value) ?? [],
        };
    }
}
