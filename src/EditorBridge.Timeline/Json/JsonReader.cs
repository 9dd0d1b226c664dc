using System.Globalization;
using System.Text;

namespace EditorBridge.Timeline.Json;

/// <summary>
/// Reads JSON (RFC 8259) keeping the place of every value. As OpenTimelineIO does, it also takes NaN and infinities, and
/// leaves duplicate names in; a byte order mark is skipped.
/// </summary>
public sealed class JsonReader
{
    /// <summary>Deepest nesting taken.</summary>
    public const int MostDepth = 256;

    /// <summary>Largest document taken, bytes.</summary>
    public const int MostBytes = 256 << 20;

    private readonly byte[] bytes;
    private int at;

    private JsonReader(byte[] bytes) => this.bytes = bytes;

    /// <summary>Reads a document.</summary>
    /// <param name="document">UTF-8 text. It is not copied and must not change afterwards.</param>
    /// <returns>Its value, or the line and column where it stops being JSON.</returns>
    public static Outcome<JsonValue> Read(byte[] document)
    {
        ArgumentNullException.ThrowIfNull(document);
        if (document.Length > MostBytes)
            return new Refusal("DOCUMENT_TOO_LARGE", $"The document has {document.Length >> 20} MiB; at most {MostBytes >> 20} MiB are read.");
        if (document is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..])
            return new Refusal("DOCUMENT_MALFORMED", "The document is UTF-16: save it as UTF-8, which OpenTimelineIO needs.");
        var reader = new JsonReader(document);
        if (document is [0xEF, 0xBB, 0xBF, ..]) reader.at = 3;
        try
        {
            reader.SkipSpace();
            var value = reader.ReadValue(0);
            reader.SkipSpace();
            return reader.at == document.Length ? value : reader.Fail("something follows the end of the document").Refusal;
        }
        catch (Malformed malformed)
        {
            return malformed.Refusal;
        }
    }

    internal static double ParseNumber(ReadOnlySpan<byte> raw)
    {
        var text = Encoding.ASCII.GetString(raw);
        return text.TrimStart('-') switch
        {
            "NaN" => double.NaN,
            "Infinity" or "Inf" => text[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity,
            _ => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture),
        };
    }

    internal static string Unescape(ReadOnlySpan<byte> raw)
    {
        if (!raw.Contains((byte)'\\')) return Encoding.UTF8.GetString(raw);
        var text = Encoding.UTF8.GetString(raw);
        var builder = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                builder.Append(text[i]);
                continue;
            }

            switch (text[++i])
            {
                case 'b': builder.Append('\b'); break;
                case 'f': builder.Append('\f'); break;
                case 'n': builder.Append('\n'); break;
                case 'r': builder.Append('\r'); break;
                case 't': builder.Append('\t'); break;
                case 'u':
                    builder.Append((char)ushort.Parse(text.AsSpan(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                    i += 4;
                    break;
                default: builder.Append(text[i]); break;
            }
        }

        for (var i = 0; i < builder.Length; i++)
        {
            if (char.IsHighSurrogate(builder[i]) && i + 1 < builder.Length && char.IsLowSurrogate(builder[i + 1])) i++;
            else if (char.IsSurrogate(builder[i])) builder[i] = '\uFFFD';
        }

        return builder.ToString();
    }

    private JsonValue ReadValue(int depth)
    {
        if (depth > MostDepth) throw Fail($"it is nested more than {MostDepth} deep");
        if (at >= bytes.Length) throw Fail("it ends where a value should be");
        var start = at;
        switch (bytes[at])
        {
            case (byte)'{': return ReadObject(depth);
            case (byte)'[': return ReadArray(depth);
            case (byte)'"':
                SkipString();
                return new JsonValue(bytes, JsonKind.String, start, at);
            case (byte)'t' when Take("true"): return new JsonValue(bytes, JsonKind.True, start, at);
            case (byte)'f' when Take("false"): return new JsonValue(bytes, JsonKind.False, start, at);
            case (byte)'n' when Take("null"): return new JsonValue(bytes, JsonKind.Null, start, at);
            default:
                SkipNumber();
                return new JsonValue(bytes, JsonKind.Number, start, at);
        }
    }

    private JsonValue ReadObject(int depth)
    {
        var value = new JsonValue(bytes, JsonKind.Object, at++, 0);
        var members = new List<JsonMember>();
        SkipSpace();
        while (!TryTake('}'))
        {
            if (members.Count > 0)
            {
                Expect(',', "',' or '}'");
                SkipSpace();
            }

            if (at >= bytes.Length || bytes[at] != '"') throw Fail("a member's name in quotes should be here");
            var nameStart = at;
            SkipString();
            var name = Unescape(bytes.AsSpan(nameStart + 1, at - nameStart - 2));
            SkipSpace();
            Expect(':', "':'");
            SkipSpace();
            members.Add(new JsonMember(name, nameStart, ReadValue(depth + 1)));
            SkipSpace();
        }

        value.Members = members;
        value.End = at;
        return value;
    }

    private JsonValue ReadArray(int depth)
    {
        var value = new JsonValue(bytes, JsonKind.Array, at++, 0);
        var items = new List<JsonValue>();
        SkipSpace();
        while (!TryTake(']'))
        {
            if (items.Count > 0)
            {
                Expect(',', "',' or ']'");
                SkipSpace();
            }

            items.Add(ReadValue(depth + 1));
            SkipSpace();
        }

        value.Items = items;
        value.End = at;
        return value;
    }

    private void SkipString()
    {
        var start = at++;
        while (true)
        {
            if (at >= bytes.Length)
            {
                at = start;
                throw Fail("a string begins that does not end");
            }

            var octet = bytes[at++];
            if (octet == '"') return;
            if (octet < 0x20)
            {
                at--;
                throw Fail("a string holds a control character that is not escaped");
            }

            if (octet != '\\') continue;
            var escape = at < bytes.Length ? bytes[at++] : (byte)0;
            if (escape == 'u')
            {
                for (var digit = 0; digit < 4; digit++)
                {
                    if (at >= bytes.Length || !char.IsAsciiHexDigit((char)bytes[at])) throw Fail("\\u needs four hexadecimal digits");
                    at++;
                }
            }
            else if (!"\"\\/bfnrt".Contains((char)escape, StringComparison.Ordinal))
            {
                at--;
                throw Fail("a string holds an unknown escape");
            }
        }
    }

    private void SkipNumber()
    {
        var start = at;
        TryTake('-');
        if (Take("NaN") || Take("Infinity") || Take("Inf")) return;
        if (!TryTake('0') && SkipDigits() == 0)
        {
            at = start;
            throw Fail("a value should be here");
        }

        if (TryTake('.') && SkipDigits() == 0) throw Fail("a digit should follow the decimal point");
        if (at < bytes.Length && bytes[at] is (byte)'e' or (byte)'E')
        {
            at++;
            if (!TryTake('+')) TryTake('-');
            if (SkipDigits() == 0) throw Fail("a digit should follow the exponent's 'e'");
        }

        if (at < bytes.Length && char.IsAsciiDigit((char)bytes[at])) throw Fail("a number may not begin with a zero");
    }

    private int SkipDigits()
    {
        var start = at;
        while (at < bytes.Length && char.IsAsciiDigit((char)bytes[at])) at++;
        return at - start;
    }

    private void SkipSpace()
    {
        while (at < bytes.Length && bytes[at] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n') at++;
    }

    private bool Take(string literal)
    {
        if (at + literal.Length > bytes.Length) return false;
        for (var i = 0; i < literal.Length; i++)
        {
            if (bytes[at + i] != literal[i]) return false;
        }

        at += literal.Length;
        return true;
    }

    private bool TryTake(char wanted)
    {
        if (at >= bytes.Length || bytes[at] != wanted) return false;
        at++;
        return true;
    }

    private void Expect(char wanted, string said)
    {
        if (!TryTake(wanted)) throw Fail(at >= bytes.Length ? $"it ends where {said} should be" : $"{said} should be here");
    }

    private Malformed Fail(string why)
    {
        var line = 1;
        var lineStart = 0;
        for (var i = 0; i < at && i < bytes.Length; i++)
        {
            if (bytes[i] != '\n') continue;
            line++;
            lineStart = i + 1;
        }

        if (line == 1 && bytes is [0xEF, 0xBB, 0xBF, ..]) lineStart = Math.Min(3, at);
        var column = Encoding.UTF8.GetCharCount(bytes, lineStart, Math.Min(at, bytes.Length) - lineStart) + 1;
        return new Malformed(new Refusal("DOCUMENT_MALFORMED", $"The document is not valid JSON at line {line}, column {column}: {why}."));
    }

    // Never leaves this class: it ends a recursion from any depth.
    private sealed class Malformed(Refusal refusal) : Exception(refusal.Message)
    {
        public Refusal Refusal { get; } = refusal;
    }
}
