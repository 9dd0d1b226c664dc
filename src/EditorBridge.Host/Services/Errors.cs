using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace EditorBridge.Host.Services;

/// <summary>Errors after AIP-193: a code, one sentence, an ErrorInfo with a fixed reason, and the field at fault where there is one.</summary>
internal static class Errors
{
    /// <summary>Domain of every reason.</summary>
    public const string Domain = "editorbridge.local";

    /// <summary>A field of the request cannot be used.</summary>
    public static RpcException Invalid(string field, string reason, string message) => Invalid([(field, message)], reason);

    /// <summary>Fields of the request cannot be used; the message is what is wrong with the first.</summary>
    public static RpcException Invalid(IReadOnlyList<(string Field, string Message)> violations, string reason, Code code = Code.InvalidArgument)
    {
        var bad = new BadRequest();
        bad.FieldViolations.AddRange(violations.Select(v =>
            new BadRequest.Types.FieldViolation { Field = v.Field, Description = v.Message, Reason = reason }));
        return Make(code, reason, violations[0].Message, new Dictionary<string, string> { ["field"] = violations[0].Field }, bad);
    }

    /// <summary>There is no such thing.</summary>
    public static RpcException NotFound(string what, string name) =>
        Make(Code.NotFound, $"{what.ToUpperInvariant()}_NOT_FOUND", $"There is no {what} {name}.", new() { ["name"] = name });

    /// <summary>The thing is not in the state for this.</summary>
    public static RpcException Precondition(string reason, string message, Dictionary<string, string>? metadata = null) =>
        Make(Code.FailedPrecondition, reason, message, metadata);

    /// <summary>Nothing can be written into the data folder.</summary>
    public static RpcException DiskFull(DataFolder folder) =>
        Make(Code.ResourceExhausted, "DISK_FULL", $"The disk of the data folder {folder.Root} is full; free some space and try again.");

    /// <summary>An error of any code.</summary>
    public static RpcException Make(
        Code code, string reason, string message, Dictionary<string, string>? metadata = null, params Google.Protobuf.IMessage[] details) =>
        Describe(code, reason, message, metadata, details).ToRpcException();

    /// <summary>The same as data, for the error of a job.</summary>
    public static Google.Rpc.Status Describe(
        Code code, string reason, string message, IEnumerable<KeyValuePair<string, string>>? metadata = null,
        params Google.Protobuf.IMessage[] details)
    {
        var info = new ErrorInfo { Domain = Domain, Reason = reason };
        foreach (var (key, value) in metadata ?? []) info.Metadata[key] = value;
        var status = new Google.Rpc.Status { Code = (int)code, Message = message };
        status.Details.Add(Any.Pack(info));
        status.Details.AddRange(details.Select(Any.Pack));
        return status;
    }
}
