using System.Buffers.Binary;
using System.Text;

namespace EditorBridge.Timeline.Bundles;

/// <summary>Writes a zip file again with one entry changed and others added. All other entries are copied as they are stored, to the byte.</summary>
internal static class ZipRewrite
{
    private const uint Narrow = 0xFFFFFFFF;

    /// <summary>A new entry, stored without compression.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Open">Opens what it holds; read twice.</param>
    public sealed record NewEntry(string Name, Func<Stream> Open);

    /// <exception cref="IOException">Reading or writing fails, or a new entry has more than 4 GiB.</exception>
    public static void Write(Stream original, ZipDirectory directory, Stream target, IReadOnlyList<NewEntry> entries)
    {
        var names = entries.Select(entry => entry.Name).ToHashSet(StringComparer.Ordinal);
        var byPlace = directory.Entries.OrderBy(entry => entry.LocalOffset).ToList();
        var records = new Dictionary<ZipEntryRecord, byte[]>();
        for (var i = 0; i < byPlace.Count; i++)
        {
            var entry = byPlace[i];
            if (names.Contains(entry.Name)) continue;
            var end = i + 1 < byPlace.Count ? byPlace[i + 1].LocalOffset : directory.Start;
            var record = (byte[])entry.Record.Clone();
            // Taking entries out only moves others towards the start, so an offset that fitted goes on fitting.
            if (entry.OffsetField.Wide) BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(entry.OffsetField.At), (ulong)target.Position);
            else BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(entry.OffsetField.At), (uint)target.Position);
            records.Add(entry, record);
            Copy(original, entry.LocalOffset, end - entry.LocalOffset, target);
        }

        var added = entries.Select(entry => Add(entry, target)).ToList();
        var start = target.Position;
        var kept = directory.Entries.Where(records.ContainsKey).Select(entry => records[entry]).ToList();
        foreach (var record in kept.Concat(added)) target.Write(record);
        End(target, start, kept.Count + added.Count);
    }

    private static byte[] Add(NewEntry entry, Stream target)
    {
        var (crc, length) = (0xFFFFFFFFu, 0L);
        using (var first = entry.Open())
        {
            var buffer = new byte[1 << 16];
            for (int read; (read = first.Read(buffer)) > 0; length += read) crc = Crc32.Update(crc, buffer.AsSpan(0, read));
        }

        if (length >= Narrow) throw new IOException($"{entry.Name} has more than 4 GiB, which is not written into bundles");
        var name = Encoding.UTF8.GetBytes(entry.Name);
        var offset = target.Position;
        var wide = offset >= Narrow;
        var header = new byte[30];
        Fields(header, 0x04034b50, 4, crc, length, name.Length);
        target.Write(header);
        target.Write(name);
        using (var content = entry.Open()) content.CopyTo(target);
        if (target.Position - offset != 30 + name.Length + length) throw new IOException($"{entry.Name} changed while it was copied");

        var record = new byte[46 + name.Length + (wide ? 12 : 0)];
        BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(4), 45);
        Fields(record, 0x02014b50, 6, crc, length, name.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(30), (ushort)(wide ? 12 : 0));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(42), wide ? Narrow : (uint)offset);
        name.CopyTo(record, 46);
        if (wide)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(46 + name.Length), 1);
            BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(48 + name.Length), 8);
            BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(50 + name.Length), (ulong)offset);
        }

        return record;
    }

    // The fields that local headers and directory records share, from "version needed" on; names are UTF-8, the time is 1980.
    private static void Fields(Span<byte> header, uint signature, int at, uint crc, long length, int nameLength)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(header, signature);
        BinaryPrimitives.WriteUInt16LittleEndian(header[at..], 45);
        BinaryPrimitives.WriteUInt16LittleEndian(header[(at + 2)..], 0x0800);
        BinaryPrimitives.WriteUInt16LittleEndian(header[(at + 8)..], 0x21);
        BinaryPrimitives.WriteUInt32LittleEndian(header[(at + 10)..], ~crc);
        BinaryPrimitives.WriteUInt32LittleEndian(header[(at + 14)..], (uint)length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[(at + 18)..], (uint)length);
        BinaryPrimitives.WriteUInt16LittleEndian(header[(at + 22)..], (ushort)nameLength);
    }

    private static void End(Stream target, long start, int count)
    {
        var size = target.Position - start;
        if (count >= 0xFFFF || start >= Narrow || size >= Narrow)
        {
            var at = target.Position;
            var wide = new byte[76];
            BinaryPrimitives.WriteUInt32LittleEndian(wide, 0x06064b50);
            BinaryPrimitives.WriteUInt64LittleEndian(wide.AsSpan(4), 44);
            BinaryPrimitives.WriteUInt16LittleEndian(wide.AsSpan(12), 45);
            BinaryPrimitives.WriteUInt16LittleEndian(wide.AsSpan(14), 45);
            BinaryPrimitives.WriteUInt64LittleEndian(wide.AsSpan(24), (ulong)count);
            BinaryPrimitives.WriteUInt64LittleEndian(wide.AsSpan(32), (ulong)count);
            BinaryPrimitives.WriteUInt64LittleEndian(wide.AsSpan(40), (ulong)size);
            BinaryPrimitives.WriteUInt64LittleEndian(wide.AsSpan(48), (ulong)start);
            BinaryPrimitives.WriteUInt32LittleEndian(wide.AsSpan(56), 0x07064b50);
            BinaryPrimitives.WriteUInt64LittleEndian(wide.AsSpan(64), (ulong)at);
            BinaryPrimitives.WriteUInt32LittleEndian(wide.AsSpan(72), 1);
            target.Write(wide);
        }

        var end = new byte[22];
        BinaryPrimitives.WriteUInt32LittleEndian(end, 0x06054b50);
        BinaryPrimitives.WriteUInt16LittleEndian(end.AsSpan(8), (ushort)Math.Min(count, 0xFFFF));
        BinaryPrimitives.WriteUInt16LittleEndian(end.AsSpan(10), (ushort)Math.Min(count, 0xFFFF));
        BinaryPrimitives.WriteUInt32LittleEndian(end.AsSpan(12), (uint)Math.Min(size, Narrow));
        BinaryPrimitives.WriteUInt32LittleEndian(end.AsSpan(16), (uint)Math.Min(start, Narrow));
        target.Write(end);
    }

    private static void Copy(Stream from, long start, long length, Stream to)
    {
        from.Position = start;
        var buffer = new byte[1 << 16];
        for (var left = length; left > 0;)
        {
            var read = from.Read(buffer, 0, (int)Math.Min(buffer.Length, left));
            if (read == 0) throw new IOException("the bundle ends too early");
            to.Write(buffer, 0, read);
            left -= read;
        }
    }
}

/// <summary>The checksum of zip files: CRC-32 of ISO 3309, reflected polynomial 0xEDB88320.</summary>
internal static class Crc32
{
    private static readonly uint[] Table = [.. Enumerable.Range(0, 256).Select(value =>
    {
        var crc = (uint)value;
        for (var bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
        return crc;
    })];

    public static uint Update(uint crc, ReadOnlySpan<byte> bytes)
    {
        foreach (var octet in bytes) crc = Table[(crc ^ octet) & 0xFF] ^ (crc >> 8);
        return crc;
    }
}
