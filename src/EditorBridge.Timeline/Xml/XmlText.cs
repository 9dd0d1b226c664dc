using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace EditorBridge.Timeline.Xml;

/// <summary>
/// Reads XML 1.0 keeping the place of every element and attribute. Only what timelines need: UTF-8, the five named entities and
/// character references, and no document type beyond its name, so nothing can expand or be fetched.
/// </summary>
public sealed class XmlText
{
    /// <summary>Deepest nesting taken.</summary>
    public const int MostDepth = 256;

    /// <summary>Largest document taken, bytes.</summary>
    public const int MostBytes = 256 << 20;

    // XML 1.0 has none of these, and other programs would not open what is written from a document with them.
    private static readonly SearchValues<byte> NoCharacters = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(code => (byte)code).Except("\t\r\n"u8.ToArray())]);

    private readonly byte[] bytes;
    private int at;

    private XmlText(byte[] bytes) => this.bytes = bytes;

    /// <summary>Whether a document begins as XML does, in whatever encoding.</summary>
    public static bool LooksLikeXml(ReadOnlySpan<byte> document)
    {
        if (document is [0xFF, 0xFE, (byte)'<', 0, ..] or [0xFE, 0xFF, 0, (byte)'<', ..] or [0, (byte)'<', ..] or [(byte)'<', 0, ..]) return true;
        if (document is [0xEF, 0xBB, 0xBF, ..]) document = document[3..];
        var first = document.IndexOfAnyExcept(" \t\r\n"u8);
        return first >= 0 && document[first] == (byte)'<';
    }

    /// <summary>Reads a document.</summary>
    /// <param name="document">Its text. It is not copied and must not change afterwards.</param>
    /// <returns>Its element, or the line and column where it stops being XML that is taken.</returns>
    public static Outcome<XmlNode> Read(byte[] document)
    {
        ArgumentNullException.ThrowIfNull(document);
        if (document.Length > MostBytes)
            return new Refusal("DOCUMENT_TOO_LARGE", $"The document has {document.Length >> 20} MiB; at most {MostBytes >> 20} MiB are read.");
        if (document is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] or [0, _, ..] or [_, 0, ..])
            return new Refusal("DOCUMENT_MALFORMED", "The document is UTF-16 or UTF-32: save it as UTF-8.");
        if (!Utf8.IsValid(document))
            return new Refusal("DOCUMENT_MALFORMED", "The document is not UTF-8: save it as UTF-8.");
        var reader = new XmlText(document);
        if (document is [0xEF, 0xBB, 0xBF, ..]) reader.at = 3;
        try
        {
            if (document.AsSpan().IndexOfAny(NoCharacters) is >= 0 and var place) throw reader.FailAt(place, $"it holds a control character (code {document[place]}): take it away");
            return reader.ReadDocument();
        }
        catch (Malformed malformed)
        {
            return malformed.Refusal;
        }
    }

    /// <summary>Text as an attribute's value or as character data.</summary>
    public static string Escape(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var builder = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            switch (rune.Value)
            {
                case '&': builder.Append("&amp;"); break;
                case '<': builder.Append("&lt;"); break;
                case '>': builder.Append("&gt;"); break;
                case '"': builder.Append("&quot;"); break;
                case '\'': builder.Append("&apos;"); break;
                case '\t' or '\n' or '\r': builder.Append(CultureInfo.InvariantCulture, $"&#{rune.Value};"); break;
                // XML 1.0 has no way to write these.
                case < 0x20 or 0xFFFE or 0xFFFF: builder.Append('\uFFFD'); break;
                default: builder.Append(rune); break;
            }
        }

        return builder.ToString();
    }

    internal static string LeadOf(byte[] document, int start)
    {
        var from = start;
        while (from > 0 && document[from - 1] is (byte)' ' or (byte)'\t') from--;
        if (from == 0 || document[from - 1] != '\n') return "";
        from -= from > 1 && document[from - 2] == '\r' ? 2 : 1;
        return Encoding.UTF8.GetString(document, from, start - from);
    }

    private XmlNode ReadDocument()
    {
        if (Peek("<?xml"u8) && IsSpace(at + 5)) ReadDeclaration();
        var doctype = false;
        while (true)
        {
            SkipSpace();
            if (Peek("<!--"u8)) SkipPast("-->"u8, "a comment");
            else if (Peek("<?"u8)) SkipPast("?>"u8, "a processing instruction");
            else if (Peek("<!DOCTYPE"u8) && !doctype) doctype = ReadDoctype();
            else break;
        }

        if (at >= bytes.Length || bytes[at] != '<' || Peek("</"u8) || Peek("<!"u8)) throw Fail("the document's element is missing");
        var root = ReadElement();
        while (true)
        {
            SkipSpace();
            if (Peek("<!--"u8)) SkipPast("-->"u8, "a comment");
            else if (Peek("<?"u8)) SkipPast("?>"u8, "a processing instruction");
            else break;
        }

        return at == bytes.Length ? root : throw Fail("something follows the end of the document");
    }

    private void ReadDeclaration()
    {
        var end = bytes.AsSpan(at).IndexOf("?>"u8);
        if (end < 0) throw Fail("the XML declaration does not end");
        var text = Encoding.UTF8.GetString(bytes, at, end);
        var encoding = text.IndexOf("encoding", StringComparison.Ordinal);
        if (encoding >= 0)
        {
            var open = text.IndexOfAny(['"', '\''], encoding);
            var close = open < 0 ? -1 : text.IndexOf(text[open], open + 1);
            var name = close < 0 ? "" : text[(open + 1)..close];
            if (!name.Equals("utf-8", StringComparison.OrdinalIgnoreCase) && !name.Equals("us-ascii", StringComparison.OrdinalIgnoreCase))
                throw new Malformed(new Refusal("DOCUMENT_MALFORMED", $"The document says that it is encoded as '{name}': save it as UTF-8."));
        }

        at += end + 2;
    }

    // <!DOCTYPE fcpxml> and <!DOCTYPE xmeml> are customary; anything more could define entities or fetch files.
    private bool ReadDoctype()
    {
        at += 9;
        if (!SkipSpace()) throw Fail("white space is missing before the document type's name");
        ReadName();
        SkipSpace();
        if (at >= bytes.Length || bytes[at] != '>') throw Fail("the document type defines or fetches something, which is not taken: save the document without it");
        at++;
        return true;
    }

    // Not recursive: a deep document must not exhaust the stack before it is refused.
    private XmlNode ReadElement()
    {
        var open = new Stack<(XmlNode Node, List<XmlNode> Children, StringBuilder Text)>();
        while (true)
        {
            if (at >= bytes.Length) throw Fail($"<{open.Peek().Node.Name}> does not end");
            if (bytes[at] != '<')
            {
                var end = bytes.AsSpan(at).IndexOf((byte)'<');
                if (end < 0) end = bytes.Length - at;
                open.Peek().Text.Append(Decode(at, at + end));
                at += end;
            }
            else if (Peek("<!--"u8))
            {
                SkipPast("-->"u8, "a comment");
            }
            else if (Peek("<![CDATA["u8))
            {
                var start = at + 9;
                SkipPast("]]>"u8, "a CDATA section");
                open.Peek().Text.Append(Encoding.UTF8.GetString(bytes, start, at - 3 - start));
            }
            else if (Peek("<?"u8))
            {
                SkipPast("?>"u8, "a processing instruction");
            }
            else if (Peek("</"u8))
            {
                var (node, children, text) = open.Pop();
                node.ContentEnd = at;
                at += 2;
                if (ReadName() != node.Name) throw Fail($"<{node.Name}> is ended by another name");
                SkipSpace();
                Expect('>');
                Close(node, children, text);
                if (open.Count == 0) return node;
                open.Peek().Children.Add(node);
            }
            else
            {
                if (open.Count >= MostDepth) throw Fail($"elements are nested more than {MostDepth} deep");
                var node = ReadStartTag(open.Count > 0 ? open.Peek().Node : null);
                if (!node.IsOneTag)
                {
                    open.Push((node, [], new StringBuilder()));
                    continue;
                }

                node.End = at;
                if (open.Count == 0) return node;
                open.Peek().Children.Add(node);
            }
        }
    }

    private void Close(XmlNode node, List<XmlNode> children, StringBuilder text)
    {
        node.End = at;
        node.Children = children;
        node.Text = text.ToString();
    }

    private XmlNode ReadStartTag(XmlNode? parent)
    {
        var start = at++;
        var node = new XmlNode(bytes, ReadName(), start) { Parent = parent };
        node.NameEnd = at;
        List<XmlAttributeNode>? attributes = null;
        while (true)
        {
            var spaced = SkipSpace();
            if (at >= bytes.Length) throw Fail($"the tag <{node.Name}> does not end");
            if (bytes[at] is (byte)'>' or (byte)'/')
            {
                node.IsOneTag = bytes[at] == '/';
                if (node.IsOneTag) at++;
                Expect('>');
                node.ContentStart = node.ContentEnd = at;
                if (attributes is not null) node.Attributes = attributes;
                return node;
            }

            if (!spaced) throw Fail("white space is missing before an attribute");
            var name = ReadName();
            SkipSpace();
            Expect('=');
            SkipSpace();
            if (at >= bytes.Length || bytes[at] is not ((byte)'"' or (byte)'\'')) throw Fail($"the value of {name} is not quoted");
            var quote = bytes[at++];
            var length = bytes.AsSpan(at).IndexOf(quote);
            if (length < 0) throw Fail($"the value of {name} does not end");
            if (bytes.AsSpan(at, length).IndexOf((byte)'<') >= 0) throw Fail($"the value of {name} holds a '<'");
            attributes ??= [];
            if (attributes.Exists(other => other.Name == name)) throw Fail($"the attribute {name} stands twice");
            attributes.Add(new XmlAttributeNode(name, Decode(at, at + length), at, at + length));
            at += length + 1;
        }
    }

    private string Decode(int start, int end)
    {
        var span = bytes.AsSpan(start, end - start);
        if (span.IndexOf((byte)'&') < 0) return Encoding.UTF8.GetString(span);
        var builder = new StringBuilder();
        while (true)
        {
            var reference = span.IndexOf((byte)'&');
            if (reference < 0) return builder.Append(Encoding.UTF8.GetString(span)).ToString();
            builder.Append(Encoding.UTF8.GetString(span[..reference]));
            var semicolon = span[reference..].IndexOf((byte)';');
            if (semicolon is < 2 or > 12) throw FailAt(end - span.Length + reference, "an '&' begins no reference");
            var name = Encoding.UTF8.GetString(span.Slice(reference + 1, semicolon - 1));
            builder.Append(name switch
            {
                "amp" => "&",
                "lt" => "<",
                "gt" => ">",
                "quot" => "\"",
                "apos" => "'",
                _ when Number(name) is { } rune => rune.ToString(),
                _ => throw FailAt(end - span.Length + reference, $"the entity &{name}; is not known"),
            });
            span = span[(reference + semicolon + 1)..];
        }
    }

    private static Rune? Number(string name)
    {
        int code;
        if (name.StartsWith("#x", StringComparison.Ordinal)
                ? !int.TryParse(name.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out code)
                : !int.TryParse(name.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out code) || name[0] != '#')
            return null;
        return code is >= 0x20 or '\t' or '\n' or '\r' && Rune.IsValid(code) ? new Rune(code) : null;
    }

    private string ReadName()
    {
        var start = at;
        while (at < bytes.Length && (bytes[at] >= 0x80 || char.IsAsciiLetterOrDigit((char)bytes[at]) || bytes[at] is (byte)'_' or (byte)':' or (byte)'-' or (byte)'.')) at++;
        if (at == start || char.IsAsciiDigit((char)bytes[start]) || bytes[start] is (byte)'-' or (byte)'.') throw FailAt(start, "a name is expected");
        return Encoding.UTF8.GetString(bytes, start, at - start);
    }

    private bool SkipSpace()
    {
        var start = at;
        while (IsSpace(at)) at++;
        return at > start;
    }

    private bool IsSpace(int place) => place < bytes.Length && bytes[place] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n';

    private bool Peek(ReadOnlySpan<byte> text) => bytes.AsSpan(at).StartsWith(text);

    private void SkipPast(ReadOnlySpan<byte> text, string what)
    {
        var end = bytes.AsSpan(at).IndexOf(text);
        if (end < 0) throw Fail($"{what} does not end");
        at += end + text.Length;
    }

    private void Expect(char wanted)
    {
        if (at >= bytes.Length || bytes[at] != wanted) throw Fail($"a '{wanted}' is expected");
        at++;
    }

    private Malformed Fail(string what) => FailAt(at, what);

    private Malformed FailAt(int place, string what)
    {
        var before = bytes.AsSpan(0, Math.Min(place, bytes.Length));
        var line = before.Count((byte)'\n') + 1;
        var column = before.Length - (before.LastIndexOf((byte)'\n') + 1) + 1;
        return new Malformed(new Refusal("DOCUMENT_MALFORMED", $"The document is not XML that can be read at line {line}, column {column}: {what}."));
    }

    private sealed class Malformed(Refusal refusal) : Exception(refusal.Message)
    {
        public Refusal Refusal { get; } = refusal;
    }
}
