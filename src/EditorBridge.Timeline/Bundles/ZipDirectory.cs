using System.Buffers.Binary;
using System.Text;

namespace EditorBridge.Timeline.Bundles;

/// <summary>An entry of a zip file as its central directory has it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Record">Its record in the central directory, to the byte.</param>
/// <param name="LocalOffset">Where its local header begins.</param>
/// <param name="OffsetField">Where in the record that offset stands, and whether in eight bytes rather than four.</param>
internal sealed record ZipEntryRecord(string Name, byte[] Record, long LocalOffset, (int At, bool Wide) OffsetField);

/// <summary>The central directory of a zip file (PKWARE's APPNOTE 6.3, 4.3), which is enough to rewrite the file around one entry.</summary>
internal sealed record ZipDirectory(IReadOnlyList<ZipEntryRecord> Entries, long Start)
{
    private const uint EndSignature = 0x06054b50;
    private const uint WideEndSignature = 0x06064b50;
    private const uint WideLocatorSignature = 0x07064b50;
    private const uint RecordSignature = 0x02014b50;
    private const int MostEntries = 100_000;
    private const long MostBytes = 256 << 20;

    public static Outcome<ZipDirectory> Read(Stream zip)
    {
        var tail = new byte[(int)Math.Min(zip.Length, 65_557)];
        zip.Position = zip.Length - tail.Length;
        zip.ReadExactly(tail);
        var end = -1;
        for (var i = tail.Length - 22; i >= 0 && end < 0; i--)
        {
            if (U32(tail, i) == EndSignature) end = i;
        }

        if (end < 0) return Damaged("it has no directory");
        long count = U16(tail, end + 10), size = U32(tail, end + 12), start = U32(tail, end + 16);
        if (U16(tail, end + 4) is not (0 or 0xFFFF)) return Damaged("it is one of several parts");
        if (count == 0xFFFF || size == 0xFFFFFFFF || start == 0xFFFFFFFF)
        {
            if (end < 20 || U32(tail, end - 20) != WideLocatorSignature) return Damaged("its directory is cut short");
            var wide = new byte[56];
            var at = (long)U64(tail, end - 12);
            if (at < 0 || at > zip.Length - wide.Length) return Damaged("its directory lies outside it");
            zip.Position = at;
            zip.ReadExactly(wide);
            if (U32(wide, 0) != WideEndSignature) return Damaged("its directory is cut short");
            (count, size, start) = ((long)U64(wide, 32), (long)U64(wide, 40), (long)U64(wide, 48));
        }

        if (count is < 0 or > MostEntries || size is < 0 or > MostBytes) return Damaged($"it has more than {MostEntries} entries");
        if (start < 0 || start > zip.Length - size) return Damaged("its directory lies outside it");
        var directory = new byte[size];
        zip.Position = start;
        zip.ReadExactly(directory);
        var entries = new List<ZipEntryRecord>();
        var next = 0;
        for (var i = 0L; i < count; i++)
        {
            if (next + 46 > directory.Length || U32(directory, next) != RecordSignature) return Damaged("its directory is damaged");
            var length = 46 + U16(directory, next + 28) + U16(directory, next + 30) + U16(directory, next + 32);
            if (next + length > directory.Length) return Damaged("its directory is damaged");
            if (ReadRecord(directory[next..(next + length)], start) is not { } entry) return Damaged("its directory is damaged");
            entries.Add(entry);
            next += length;
        }

        return new ZipDirectory(entries, start);
    }

    public static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    public static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    public static ulong U64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);

    private static ZipEntryRecord? ReadRecord(byte[] record, long directory)
    {
        int nameLength = U16(record, 28), extraLength = U16(record, 30);
        var name = Encoding.UTF8.GetString(record, 46, nameLength);
        long offset = U32(record, 42);
        var field = (42, false);
        if (offset == 0xFFFFFFFF)
        {
            // In the extra field of kind 1, after those of the two sizes that are too wide as well.
            for (var at = 46 + nameLength; at + 4 <= 46 + nameLength + extraLength;)
            {
                int kind = U16(record, at), length = U16(record, at + 2);
                var inner = at + 4 + (U32(record, 24) == 0xFFFFFFFF ? 8 : 0) + (U32(record, 20) == 0xFFFFFFFF ? 8 : 0);
                if (kind == 1 && inner + 8 <= at + 4 + length && at + 4 + length <= record.Length)
                {
                    offset = (long)U64(record, inner);
                    field = (inner, true);
                    break;
                }

                at += 4 + length;
            }
        }

        return offset >= 0 && offset < directory ? new ZipEntryRecord(name, record, offset, field) : null;
    }

    private static Refusal Damaged(string why) => new("BUNDLE_UNREADABLE", $"The bundle is no zip file that can be read: {why}. Export it again.");
}
