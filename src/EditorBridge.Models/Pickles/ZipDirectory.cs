using System.Buffers.Binary;
using System.Text;

namespace EditorBridge.Models.Pickles;

/// <summary>A file in a zip archive, stored as it is.</summary>
/// <param name="Name">Its path in the archive.</param>
/// <param name="Offset">First byte, counted from the start of the archive.</param>
/// <param name="Length">Bytes.</param>
internal sealed record ZipMember(string Name, long Offset, long Length);

/// <summary>
/// The directory of a zip archive whose members are mapped where they lie (PKWARE, .ZIP File Format Specification 6.3): none may be compressed,
/// overlap another or leave the file.
/// </summary>
internal sealed class ZipDirectory
{
    private const int MaximumLength = 64 << 20;

    private readonly Stream stream;
    private readonly long fileLength;

    private ZipDirectory(Stream stream) => (this.stream, fileLength) = (stream, stream.Length);

    /// <summary>Reads the members.</summary>
    /// <exception cref="PickleException">The archive is damaged or of another kind.</exception>
    public static IReadOnlyDictionary<string, ZipMember> Read(Stream stream) => new ZipDirectory(stream).Read();

    private Dictionary<string, ZipMember> Read()
    {
        var (start, length, count) = FindDirectory();
        if (start < 0 || length < 0 || length > MaximumLength || start > fileLength - length || count > length / 46)
            throw new PickleException("has an archive directory that does not fit into the file; download it again");
        var directory = At(start, (int)length);
        var members = new List<(ZipMember Member, long Start)>();
        var at = 0;
        for (long i = 0; i < count; i++)
        {
            if (directory.Length - at < 46 || U32(directory, at) != 0x02014b50)
                throw new PickleException("has a damaged archive directory");
            var (name, extra, comment) = (U16(directory, at + 28), U16(directory, at + 30), U16(directory, at + 32));
            var next = at + 46 + name + extra + comment;
            if (next > directory.Length)
                throw new PickleException("has a damaged archive directory");
            members.Add(Member(directory, at, Encoding.UTF8.GetString(directory, at + 46, name), directory.AsSpan(at + 46 + name, extra), start));
            at = next;
        }

        return Separate(members);
    }

    private static Dictionary<string, ZipMember> Separate(List<(ZipMember Member, long Start)> members)
    {
        var byName = new Dictionary<string, ZipMember>(StringComparer.Ordinal);
        long end = 0;
        foreach (var (member, start) in members.OrderBy(pair => pair.Start))
        {
            if (start < end)
                throw new PickleException($"has '{member.Name}' overlap another member of its archive");
            if (!byName.TryAdd(member.Name, member))
                throw new PickleException($"has '{member.Name}' twice in its archive");
            end = member.Offset + member.Length;
        }
        return byName;
    }

    private (long Start, long Length, long Count) FindDirectory()
    {
        var tail = At(Math.Max(0, fileLength - 22 - 65535 - 20), (int)Math.Min(fileLength, 22 + 65535 + 20));
        for (var at = tail.Length - 22; at >= 0; at--)
        {
            if (U32(tail, at) != 0x06054b50 || at + 22 + U16(tail, at + 20) != tail.Length)
                continue;
            (long start, long length, long count) = (U32(tail, at + 16), U32(tail, at + 12), U16(tail, at + 10));
            if (start != uint.MaxValue && length != uint.MaxValue && count != ushort.MaxValue)
                return (start, length, count);
            if (at < 20 || U32(tail, at - 20) != 0x07064b50)
                throw new PickleException("has a damaged archive directory");
            var position = BinaryPrimitives.ReadInt64LittleEndian(tail.AsSpan(at - 12));
            if (position < 0 || position > fileLength - 56)
                throw new PickleException("has an archive directory that does not fit into the file; download it again");
            var record = At(position, 56);
            if (U32(record, 0) != 0x06064b50)
                throw new PickleException("has a damaged archive directory");
            return (I64(record, 48), I64(record, 40), I64(record, 32));
        }
        throw new PickleException("ends before its archive's directory; download it again");
    }

    private (ZipMember Member, long Start) Member(byte[] directory, int at, string name, ReadOnlySpan<byte> extra, long directoryStart)
    {
        if ((U16(directory, at + 8) & 1) != 0)
            throw new PickleException($"has an encrypted member '{name}'");
        if (U16(directory, at + 10) != 0)
            throw new PickleException($"has a compressed member '{name}', which cannot be mapped; save it again with torch.save");
        (long packed, long length, long start) = (U32(directory, at + 20), U32(directory, at + 24), U32(directory, at + 42));
        Widen(extra, ref length, ref packed, ref start);
        if (packed != length || length < 0 || start < 0 || start > directoryStart - 30)
            throw new PickleException($"has member '{name}' outside the file");
        var local = At(start, 30);
        var offset = start + 30 + U16(local, 26) + U16(local, 28);
        if (U32(local, 0) != 0x04034b50 || offset > directoryStart || length > directoryStart - offset)
            throw new PickleException($"has member '{name}' outside the file; download it again");
        return (new ZipMember(name, offset, length), start);
    }

    // Extra field 1 holds, in this order, those of the three that 32 bits could not.
    private static void Widen(ReadOnlySpan<byte> extra, ref long length, ref long packed, ref long start)
    {
        while (extra.Length >= 4)
        {
            var size = BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]);
            if (size > extra.Length - 4)
                throw new PickleException("has a damaged archive directory");
            if (BinaryPrimitives.ReadUInt16LittleEndian(extra) == 1)
            {
                var field = extra.Slice(4, size);
                Take(ref field, ref length);
                Take(ref field, ref packed);
                Take(ref field, ref start);
                return;
            }
            extra = extra[(4 + size)..];
        }

        static void Take(ref ReadOnlySpan<byte> field, ref long value)
        {
            if (value != uint.MaxValue)
                return;
            if (field.Length < 8)
                throw new PickleException("has a damaged archive directory");
            value = BinaryPrimitives.ReadInt64LittleEndian(field);
            field = field[8..];
        }
    }

    private byte[] At(long position, int length)
    {
        var bytes = new byte[length];
        stream.Position = position;
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static ushort U16(byte[] bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at));

    private static uint U32(byte[] bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));

    private static long I64(byte[] bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at));
}
