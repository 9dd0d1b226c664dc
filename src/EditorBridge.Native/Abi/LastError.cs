using System.Runtime.InteropServices;
using System.Text;
using EditorBridge.Client;
using Google.Protobuf;

namespace EditorBridge.Native.Abi;

/// <summary>Why the last call on a thread failed, kept in memory that C can read.</summary>
internal static unsafe class LastError
{
    [ThreadStatic]
    private static byte* message;

    [ThreadStatic]
    private static byte* reason;

    private static readonly byte* Nothing = (byte*)NativeMemory.AllocZeroed(1);

    /// <summary>One sentence, ended by a zero byte.</summary>
    public static byte* Message => message is null ? Nothing : message;

    /// <summary>UPPER_SNAKE, ended by a zero byte.</summary>
    public static byte* Reason => reason is null ? Nothing : reason;

    /// <summary>Keeps what <paramref name="error"/> says.</summary>
    public static void Keep(Exception error)
    {
        var (name, sentence) = error switch
        {
            EditorBridgeException known => (known.Reason, known.Message),
            InvalidProtocolBufferException or InvalidJsonException => ("INVALID_JSON", $"The JSON is not a message of editorbridge.v1: {error.Message}"),
            OperationCanceledException => ("CANCELLED", "The client was disconnected while the call went on."),
            ObjectDisposedException => ("BAD_HANDLE", "The client was disconnected while the call went on."),
            ArgumentException => ("INVALID_ARGUMENT", error.Message),
            _ => ("INTERNAL", $"{error.GetType().Name}: {error.Message}"),
        };
        NativeMemory.Free(message);
        NativeMemory.Free(reason);
        message = Copy(sentence);
        reason = Copy(name);
    }

    /// <summary>Text as C has it, in memory that <see cref="NativeMemory.Free"/> frees.</summary>
    public static byte* Copy(string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        var copy = (byte*)NativeMemory.Alloc((nuint)length + 1);
        Encoding.UTF8.GetBytes(text, new Span<byte>(copy, length));
        copy[length] = 0;
        return copy;
    }
}
