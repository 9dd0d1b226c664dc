using System.Buffers.Binary;
using System.IO.Compression;
using System.Numerics;
using System.Text;
using EditorBridge.Training.Scenes;

namespace EditorBridge.Training;

/// <summary>Writes 8-bit RGB pictures as PNG (ISO/IEC 15948) and lays pictures out on contact sheets.</summary>
public static class PngFile
{
    /// <summary>Writes one picture.</summary>
    public static void Write(string path, Picture picture)
    {
        using var rows = new MemoryStream();
        using (var deflate = new ZLibStream(rows, CompressionLevel.Fastest, leaveOpen: true))
        {
            var line = new byte[1 + 3 * picture.Width];
            for (int y = 0; y < picture.Height; y++)
            {
                for (int x = 0; x < picture.Width; x++)
                {
                    var c = Vector3.Clamp(picture.Pixels[y * picture.Width + x], Vector3.Zero, Vector3.One) * 255 + new Vector3(0.5f);
                    (line[1 + 3 * x], line[2 + 3 * x], line[3 + 3 * x]) = ((byte)c.X, (byte)c.Y, (byte)c.Z);
                }

                deflate.Write(line);
            }
        }

        using var file = File.Create(path);
        file.Write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, picture.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), picture.Height);
        (header[8], header[9]) = (8, 2);
        Chunk(file, "IHDR", header);
        Chunk(file, "IDAT", rows.ToArray());
        Chunk(file, "IEND", []);
    }

    /// <summary>Pictures in rows of <paramref name="columns"/>; all of one size.</summary>
    public static Picture Sheet(IReadOnlyList<Picture> pictures, int columns)
    {
        int width = pictures[0].Width, height = pictures[0].Height, lines = (pictures.Count + columns - 1) / columns;
        var sheet = new Picture(columns * (width + 2) - 2, lines * (height + 2) - 2);
        for (int i = 0; i < pictures.Count; i++)
        {
            int left = i % columns * (width + 2), top = i / columns * (height + 2);
            for (int y = 0; y < height; y++)
            {
                Array.Copy(pictures[i].Pixels, y * width, sheet.Pixels, (top + y) * sheet.Width + left, width);
            }
        }

        return sheet;
    }

    private static void Chunk(Stream file, string name, byte[] data)
    {
        var block = new byte[12 + data.Length];
        BinaryPrimitives.WriteInt32BigEndian(block, data.Length);
        Encoding.ASCII.GetBytes(name, block.AsSpan(4));
        data.CopyTo(block, 8);
        BinaryPrimitives.WriteUInt32BigEndian(block.AsSpan(8 + data.Length), Crc(block.AsSpan(4, 4 + data.Length)));
        file.Write(block);
    }

    private static uint Crc(ReadOnlySpan<byte> data)
    {
        uint crc = 0xFFFFFFFF;
        foreach (byte b in data)
        {
            crc ^= b;
            for (int k = 0; k < 8; k++)
            {
                crc = (crc & 1) != 0 ? 0xEDB88320 ^ (crc >> 1) : crc >> 1;
            }
        }

        return ~crc;
    }
}
