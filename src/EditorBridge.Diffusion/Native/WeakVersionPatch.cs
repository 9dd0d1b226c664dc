using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace EditorBridge.Diffusion.Native;

/// <summary>Makes a private copy of TorchSharp's Linux binding that loads with an older libstdc++.</summary>
/// <remarks>
/// TorchSharp 0.107 was built with GCC 15 and lists the version <c>GLIBCXX_3.4.32</c> among its needs. The only symbol behind it,
/// <c>std::ios_base_library_init</c>, is a marker that no relocation uses, so marking the need as weak (VER_FLG_WEAK in the entry
/// of <c>.gnu.version_r</c>) is enough: the loader then warns to nobody and goes on. The package's own file is never touched: output
/// folders hold links to it.
/// </remarks>
public static class WeakVersionPatch
{
    /// <summary>The symbol version that older systems lack.</summary>
    public const string Version = "GLIBCXX_3.4.32";

    private const int VersionNeedSection = 0x6ffffffe; // SHT_GNU_verneed
    private const ushort Weak = 2; // VER_FLG_WEAK

    /// <summary>Returns the path of a patched copy of <paramref name="original"/> in a folder of this user, made when it is not there.</summary>
    /// <param name="original">Full path of the binding as it was delivered.</param>
    /// <exception cref="DllNotFoundException">The file is not the one expected, so it cannot be patched.</exception>
    public static string CopyFor(string original)
    {
        var bytes = File.ReadAllBytes(original);
        var hash = Convert.ToHexStringLower(SHA256.HashData(bytes));
        if (!TryMarkWeak(bytes, Version))
            throw new DllNotFoundException(
                $"'{original}' needs {Version}, which this system's libstdc++ lacks, and has no such entry to relax; install libstdc++ of GCC 13 or newer.");

        foreach (var root in CacheRoots())
        {
            var folder = Path.Combine(root, "editorbridge", "native", hash);
            var copy = Path.Combine(folder, Path.GetFileName(original));
            try
            {
                // Compared whole: a truncated or foreign file under this name must not be loaded.
                if (File.Exists(copy) && File.ReadAllBytes(copy).AsSpan().SequenceEqual(bytes))
                    return copy;
                Directory.CreateDirectory(folder);
                var temporary = Path.Combine(folder, $".{Path.GetRandomFileName()}");
                File.WriteAllBytes(temporary, bytes);
                File.Move(temporary, copy, overwrite: true);
                return copy;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A read-only home: the next place will do.
            }
        }
        throw new DllNotFoundException($"No folder for a private copy of '{original}' is writable; set XDG_CACHE_HOME to one that is.");
    }

    /// <summary>Sets the weak flag on the need for <paramref name="version"/> in a 64-bit little-endian ELF image.</summary>
    /// <param name="image">The whole file; changed in place.</param>
    /// <param name="version">Name of the version, such as <c>GLIBCXX_3.4.32</c>.</param>
    /// <returns>False when the image is not such a file or has no such need; the image is then unchanged.</returns>
    public static bool TryMarkWeak(Span<byte> image, string version)
    {
        if (image.Length < 64 || !image[..6].SequenceEqual((ReadOnlySpan<byte>)[0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1]))
            return false;
        try
        {
            var sections = (int)U64(image, 40);
            int size = U16(image, 58), count = U16(image, 60);
            for (var i = 0; i < count; i++)
            {
                var header = image.Slice(checked(sections + i * size), size);
                if (U32(header, 4) != VersionNeedSection)
                    continue;
                var strings = image.Slice(checked(sections + (int)U32(header, 40) * size), size); // sh_link
                return MarkWeak(image, (int)U64(header, 24), (int)U32(header, 44), (int)U64(strings, 24), version);
            }
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or OverflowException or IndexOutOfRangeException)
        {
            return false; // Offsets that point outside the file: not a library we know.
        }
        return false;
    }

    private static bool MarkWeak(Span<byte> image, int offset, int needs, int strings, string version)
    {
        var name = Encoding.ASCII.GetBytes(version + '\0');
        for (var i = 0; i < needs; i++) // Elf64_Verneed: version, cnt, file, aux, next
        {
            var entries = U16(image, offset + 2);
            var entry = offset + (int)U32(image, offset + 8);
            for (var j = 0; j < entries; j++) // Elf64_Vernaux: hash, flags, other, name, next
            {
                if (image.Slice(strings + (int)U32(image, entry + 8), name.Length).SequenceEqual(name))
                {
                    BinaryPrimitives.WriteUInt16LittleEndian(image[(entry + 4)..], (ushort)(U16(image, entry + 4) | Weak));
                    return true;
                }
                entry += (int)U32(image, entry + 12);
            }
            offset += (int)U32(image, offset + 12);
        }
        return false;
    }

    private static IEnumerable<string> CacheRoots()
    {
        if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache)
            yield return cache;
        if (Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 0 } home)
            yield return Path.Combine(home, ".cache");
        // A shared /tmp would let another user put a library there first, so the name is new each time.
        yield return Directory.CreateTempSubdirectory("editorbridge-").FullName;
    }

    private static ushort U16(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt16LittleEndian(image[at..]);

    private static uint U32(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt32LittleEndian(image[at..]);

    private static ulong U64(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt64LittleEndian(image[at..]);
}
