using System.Buffers.Binary;
using System.Text;

namespace EditorBridge.Media;

/// <summary>
/// The XMP packet of a clip, in a box of its own at the end of the file (ISO 16684-3 / XMP part 3: a top-level "uuid" box); offsets inside the file do
/// not change. It says by IPTC's vocabulary that the pictures come from a trained model.
/// </summary>
internal static class XmpBox
{
    // be7acfcb-97a9-42e8-9c71-999491e3afac
    private static ReadOnlySpan<byte> Identifier => [0xBE, 0x7A, 0xCF, 0xCB, 0x97, 0xA9, 0x42, 0xE8, 0x9C, 0x71, 0x99, 0x94, 0x91, 0xE3, 0xAF, 0xAC];

    /// <summary>The address of one of IPTC's digital source types.</summary>
    /// <exception cref="ArgumentException">Not a word.</exception>
    public static string Address(string digitalSourceType) =>
        digitalSourceType.Length > 0 && digitalSourceType.All(char.IsAsciiLetter)
            ? "http://cv.iptc.org/newscodes/digitalsourcetype/" + digitalSourceType
            : throw new ArgumentException($"'{digitalSourceType}' is not a digital source type.", nameof(digitalSourceType));

    /// <summary>Appends the box.</summary>
    public static void Append(string path, string digitalSourceType)
    {
        var packet = Encoding.UTF8.GetBytes(
            "<?xpacket begin=\"\uFEFF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>"
            + "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
            + "<rdf:Description rdf:about=\"\" xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\">"
            + $"<Iptc4xmpExt:DigitalSourceType>{Address(digitalSourceType)}</Iptc4xmpExt:DigitalSourceType>"
            + "</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end=\"r\"?>");
        Span<byte> head = stackalloc byte[24];
        BinaryPrimitives.WriteUInt32BigEndian(head, (uint)(head.Length + packet.Length));
        "uuid"u8.CopyTo(head[4..]);
        Identifier.CopyTo(head[8..]);
        using var stream = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.None);
        stream.Write(head);
        stream.Write(packet);
    }
}
