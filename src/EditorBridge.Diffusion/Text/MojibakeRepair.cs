using System.Buffers;
using System.Text;

namespace EditorBridge.Diffusion.Text;

/// <summary>
/// Repairs UTF-8 that was read as Latin-1 or Windows-1252 ("schÃ¶n" for "schön"), a line at a time.
/// </summary>
/// <remarks>
/// A run of two to four characters whose bytes form one UTF-8 sequence is a candidate. Most candidates occur in no language and are
/// evidence by themselves; those an author may have typed (a letter and closing punctuation: "Brontë…”", "AHÅ™") are decoded only when
/// the line holds such evidence elsewhere. A candidate behind a stray continuation byte is left alone: the text is broken there.
/// The reference's ftfy 6.3 also tries Windows-1250 to 1257, Mac Roman and code page 437, with a statistical test; that is not done here.
/// </remarks>
internal static class MojibakeRepair
{
    // What may stand after a letter in honest text. Everything else that serves as a continuation byte is evidence.
    private const string OrdinaryAfterLetter =
        "\u00A0\u00A1\u00A9\u00AA\u00AB\u00AD\u00AE\u00B0\u00B2\u00B3\u00B4\u00B7\u00B9\u00BA\u00BB\u00BF"
        + "\u2018\u2019\u201A\u201C\u201D\u201E\u2013\u2014\u2022\u2026\u2039\u203A\u2122";

    /// <summary>The text with every misread sequence decoded, repeatedly, as layers of misreading occur too.</summary>
    public static string Repair(string line)
    {
        while (true)
        {
            var repaired = RepairOnce(line);
            if (repaired == line)
                return line;
            line = repaired;
        }
    }

    private static string RepairOnce(string line)
    {
        if (line.All(char.IsAscii))
            return line;
        var sequences = Sequences(line);
        return sequences.Exists(s => IsEvidence(line.AsSpan(s.Start, s.Length))) ? Decode(line, sequences) : line;
    }

    /// <summary>Where the line spells UTF-8 sequences, in order, those behind stray continuation bytes left out.</summary>
    private static List<(int Start, int Length)> Sequences(string line)
    {
        var sequences = new List<(int Start, int Length)>();
        var stray = false;
        var expected = 0; // continuation bytes that a broken lead still announces
        for (var i = 0; i < line.Length;)
        {
            if (!stray && SequenceAt(line, i) is { } length)
            {
                sequences.Add((i, length));
                expected = 0;
                i += length;
                continue;
            }
            var code = Windows1252.ToByte(line[i]);
            stray = expected > 0 && code is >= 0x80 and <= 0xBF && (line[i] <= '\u00BF' || !OrdinaryAfterLetter.Contains(line[i]));
            expected = code is >= 0xC2 and <= 0xF4 ? 3 : stray ? expected - 1 : 0;
            i++;
        }
        return sequences;
    }

    private static string Decode(string line, List<(int Start, int Length)> sequences)
    {
        var decoded = new StringBuilder(line.Length);
        var next = 0;
        Span<byte> bytes = stackalloc byte[4];
        for (var i = 0; i < line.Length;)
        {
            if (next < sequences.Count && sequences[next].Start == i)
            {
                var length = sequences[next++].Length;
                for (var k = 0; k < length; k++)
                    bytes[k] = (byte)Windows1252.ToByte(line[i + k]);
                decoded.Append(Encoding.UTF8.GetString(bytes[..length]));
                i += length;
            }
            else if (line[i] == '\u00C3' && i + 1 < line.Length && line[i + 1] == ' ')
            {
                // "à" was C3 A0, and some program turned the A0, a no-break space, into a plain one. Where only one space
                // is left it had swallowed the space between words as well.
                decoded.Append('\u00E0');
                if (i + 2 >= line.Length || line[i + 2] != ' ')
                    decoded.Append(' ');
                i += 2;
            }
            else
            {
                decoded.Append(line[i++]);
            }
        }
        return decoded.ToString();
    }

    /// <summary>The length of the UTF-8 sequence that the characters at a place spell, if they do.</summary>
    private static int? SequenceAt(string line, int start)
    {
        var length = Windows1252.ToByte(line[start]) switch
        {
            >= 0xC2 and <= 0xDF => 2,
            >= 0xE0 and <= 0xEF => 3,
            >= 0xF0 and <= 0xF4 => 4,
            _ => 0,
        };
        if (length == 0 || start + length > line.Length)
            return null;
        Span<byte> bytes = stackalloc byte[4];
        for (var k = 0; k < length; k++)
        {
            var code = Windows1252.ToByte(line[start + k]);
            if (k > 0 && code is < 0x80 or > 0xBF)
                return null;
            bytes[k] = (byte)code;
        }
        return Rune.DecodeFromUtf8(bytes[..length], out _, out var used) == OperationStatus.Done && used == length ? length : null;
    }

    private static bool IsEvidence(ReadOnlySpan<char> sequence)
    {
        foreach (var continuation in sequence[1..])
        {
            if (!OrdinaryAfterLetter.Contains(continuation))
                return true;
        }
        // "Ã©" and "Â°" are the commonest of all; as a letter and a sign they belong to no spelling.
        return sequence.Length == 2 && sequence[0] is '\u00C2' or '\u00C3' && sequence[1] <= '\u00BF' && sequence[1] != '\u00BB';
    }
}
