using System.Runtime.InteropServices;
using System.Text;

namespace EditorBridge.Native.OpenFx;

/// <summary>One of the host's sets of properties. Names are UTF-8 literals, which end with a zero byte. What a host refuses to set is left as it is.</summary>
internal readonly unsafe struct PropertySet(nint handle)
{
    public bool IsThere => handle != 0;

    public void Set(ReadOnlySpan<byte> name, ReadOnlySpan<byte> literal, int index = 0)
    {
        if (handle == 0) return;
        // The pointer to an empty literal is null, which hosts do not expect.
        fixed (byte* n = name, text = literal.IsEmpty ? "\0"u8 : literal) _ = Suites.Property->SetString(handle, n, index, text);
    }

    public void Set(ReadOnlySpan<byte> name, int value, int index = 0)
    {
        if (handle == 0) return;
        fixed (byte* n = name) _ = Suites.Property->SetInt(handle, n, index, value);
    }

    public void Set(ReadOnlySpan<byte> name, double value, int index = 0)
    {
        if (handle == 0) return;
        fixed (byte* n = name) _ = Suites.Property->SetDouble(handle, n, index, value);
    }

    /// <summary>The text, copied at once: the host's own is valid until the next call only. Null when there is none.</summary>
    public string? Text(ReadOnlySpan<byte> name, int index = 0)
    {
        byte* text = null;
        if (handle == 0) return default;
        fixed (byte* n = name) return Suites.Property->GetString(handle, n, index, &text) == (int)OfxStatus.Ok && text is not null ? Marshal.PtrToStringUTF8((nint)text) : null;
    }

    /// <summary>Whether the text is that one.</summary>
    public bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int index = 0)
    {
        byte* text = null;
        if (handle == 0) return default;
        fixed (byte* n = name)
            return Suites.Property->GetString(handle, n, index, &text) == (int)OfxStatus.Ok && text is not null && MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text).SequenceEqual(value);
    }

    public int? Int(ReadOnlySpan<byte> name, int index = 0)
    {
        int value;
        if (handle == 0) return null;
        fixed (byte* n = name) return Suites.Property->GetInt(handle, n, index, &value) == (int)OfxStatus.Ok ? value : null;
    }

    public double? Double(ReadOnlySpan<byte> name, int index = 0)
    {
        double value;
        if (handle == 0) return null;
        fixed (byte* n = name) return Suites.Property->GetDouble(handle, n, index, &value) == (int)OfxStatus.Ok ? value : null;
    }

    public byte* Pointer(ReadOnlySpan<byte> name)
    {
        void* value = null;
        if (handle == 0) return null;
        fixed (byte* n = name) return Suites.Property->GetPointer(handle, n, 0, &value) == (int)OfxStatus.Ok ? (byte*)value : null;
    }

    /// <summary>A text as the host wants it: UTF-8 with a zero byte.</summary>
    public static byte[] Terminated(string text)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
        Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }
}
