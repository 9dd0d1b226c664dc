using System.Runtime.InteropServices;
using EditorBridge.Generation;
using EditorBridge.Media;
using EditorBridge.Protocol.Worker.V1;

namespace EditorBridge.Worker;

/// <summary>Tells the host in fixed words why a take failed.</summary>
internal static class FailureReasons
{
    /// <summary>The reason and the sentence for <paramref name="error"/>.</summary>
    public static TakeFailed Describe(Exception error) => error switch
    {
        // libtorch has no type for it: the text is all there is.
        ExternalException e when e.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase)
            || e.Message.Contains("not enough memory", StringComparison.OrdinalIgnoreCase) => OutOfMemory(e.Message.Contains("CUDA", StringComparison.Ordinal)),
        OutOfMemoryException => OutOfMemory(gpu: false),
        IOException e when DiskSpace.IsFull(e) => new TakeFailed
        {
            Reason = "DISK_FULL", Message = $"The disk is full: {e.Message} Free some space and run the job again.",
        },
        GenerationException e => new TakeFailed { Reason = e.Code.ToUpperInvariant(), Message = e.Message },
        MediaException e => new TakeFailed { Reason = e.Refusal.Reason, Message = e.Message, MayRetry = false },
        InvalidDataException or FileNotFoundException or DirectoryNotFoundException or System.Text.Json.JsonException => new TakeFailed
        {
            Reason = "INPUT_UNREADABLE", Message = error.Message,
        },
        _ => new TakeFailed { Reason = "PIPELINE_FAILED", Message = $"The pipeline failed: {error.Message}", MayRetry = true },
    };

    private static TakeFailed OutOfMemory(bool gpu) => new()
    {
        Reason = "OUT_OF_MEMORY",
        Message = gpu
            ? "The GPU's memory ran out; make the clip shorter or smaller, end other programs that use it, choose a smaller model, or run the host with --device cpu."
            : "Memory ran out; make the clip shorter or smaller, end other programs, or choose a smaller model.",
    };
}
