using System.Buffers.Binary;

namespace EditorBridge.Tests.Shared;

/// <summary>An mp4 or mov whose header says that its picture is to be turned, as telephones write it. Not by ffmpeg: each of its versions has another option for that.</summary>
internal static class TurnedFilm
{
    // From the name of the box: version, times, track, duration, layer, group and volume lie before (ISO/IEC 14496-12, 8.3.2, version 0).
    private const int ToMatrix = 44;

    /// <summary>Copies a film with one track and writes into its track header by how much the picture is turned.</summary>
    /// <param name="stored">The film as it is.</param>
    /// <param name="path">The film to write.</param>
    /// <param name="degrees">90, 180 or 270, clockwise.</param>
    public static void Write(string stored, string path, int degrees)
    {
        var bytes = File.ReadAllBytes(stored);
        var matrix = bytes.AsSpan(bytes.AsSpan().IndexOf("tkhd"u8) + ToMatrix);
        var (cosine, sine) = degrees switch { 90 => (0, 1), 180 => (-1, 0), _ => (0, -1) };
        foreach (var (place, value) in new[] { (0, cosine), (1, sine), (3, -sine), (4, cosine) }) BinaryPrimitives.WriteInt32BigEndian(matrix[(4 * place)..], value << 16);
        File.WriteAllBytes(path, bytes);
    }
}
