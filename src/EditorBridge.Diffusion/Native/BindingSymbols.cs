using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace EditorBridge.Diffusion.Native;

/// <summary>Compares what TorchSharp's Linux binding calls with what loaded libraries have.</summary>
/// <remarks>
/// The loader binds functions when they are first called and then ends the process if one is missing, so another libtorch than the
/// binding was built for would break a job in its middle. Mangled names hold the whole signature: a changed one is a missing one.
/// </remarks>
internal static class BindingSymbols
{
    private const uint DynamicSymbols = 11; // SHT_DYNSYM
    private const int EntrySize = 24; // Elf64_Sym: name, info, other, section, value, size
    private const int Weak = 2; // STB_WEAK

    /// <summary>Functions and variables of libtorch that the binding needs and none of the libraries has.</summary>
    /// <param name="binding">The binding's file. Anything but a 64-bit little-endian ELF image counts as needing nothing.</param>
    /// <param name="libraries">Handles of loaded libraries.</param>
    public static IReadOnlyList<string> Missing(ReadOnlySpan<byte> binding, IReadOnlyList<nint> libraries)
    {
        var missing = new List<string>();
        foreach (var name in Undefined(binding))
        {
            if (IsOfTorch(name) && !libraries.Any(library => NativeLibrary.TryGetExport(library, name, out _)))
                missing.Add(name);
        }

        return missing;
    }

    // Namespaces at, c10, caffe2 and torch in a mangled name; the rest belongs to the C and C++ libraries.
    private static bool IsOfTorch(string name) =>
        name.StartsWith("_Z", StringComparison.Ordinal)
        && (name.Contains("2at", StringComparison.Ordinal) || name.Contains("3c10", StringComparison.Ordinal)
            || name.Contains("6caffe2", StringComparison.Ordinal) || name.Contains("5torch", StringComparison.Ordinal));

    private static List<string> Undefined(ReadOnlySpan<byte> image)
    {
        var names = new List<string>();
        if (image.Length < 64 || !image[..6].SequenceEqual((ReadOnlySpan<byte>)[0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1]))
            return names;
        try
        {
            var sections = (int)U64(image, 40);
            int size = U16(image, 58), count = U16(image, 60);
            for (var i = 0; i < count; i++)
            {
                var header = image.Slice(checked(sections + i * size), size);
                if (U32(header, 4) != DynamicSymbols)
                    continue;
                var strings = image.Slice(checked(sections + (int)U32(header, 40) * size), size); // sh_link
                var text = image.Slice((int)U64(strings, 24), (int)U64(strings, 32));
                var table = image.Slice((int)U64(header, 24), (int)U64(header, 32));
                for (var at = 0; at + EntrySize <= table.Length; at += EntrySize)
                {
                    var undefined = U16(table, at + 6) == 0 && table[at + 4] >> 4 != Weak;
                    var name = undefined ? Text(text[(int)U32(table, at)..]) : "";
                    if (name.Length > 0)
                        names.Add(name);
                }
            }
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or OverflowException or IndexOutOfRangeException)
        {
            names.Clear(); // Offsets that point outside the file: the loader will say what is wrong with it.
        }

        return names;
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.ASCII.GetString(bytes[..Math.Max(0, bytes.IndexOf((byte)0))]);

    private static ushort U16(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt16LittleEndian(image[at..]);

    private static uint U32(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt32LittleEndian(image[at..]);

    private static ulong U64(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt64LittleEndian(image[at..]);
}
