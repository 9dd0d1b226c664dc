using System.Text;
using EditorBridge.Timeline.Json;
using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Tests;

/// <summary>Breaks a document at random: bytes, or what it is made of (elements, attributes, members, lines and words), so that it is often still well-formed.</summary>
internal sealed class BrokenDocument(Random random)
{
    private static readonly string[] Odd =
    [
        "", "0", "1", "-1", "-5", "2", "7", "1e308", "-1e308", "1e15", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1099511627775", "NaN", "Infinity", "-Infinity", "Inf",
        "0.5", "0/1s", "1/0s", "-1001/24000s", "9007199254740992/1s", "1/2147483648s", "5s", "99:99:99:99", "23:59:59:24", "00:00:00.001", "999999:59:59.999", "TRUE", "FALSE", "null", "a", "é\n日", "file:///m/red.mov", "..",
    ];

    /// <summary>Breaks it once to a few times.</summary>
    public byte[] Break(byte[] document)
    {
        for (var times = 1 + random.Next(3); times > 0; times--) document = Once(document);
        return document;
    }

    private byte[] Once(byte[] document)
    {
        if (document.Length == 0 || random.Next(4) == 0) return Bytes(document);
        if (XmlText.LooksLikeXml(document)) return XmlText.Read([.. document]).TryGet(out var root, out _) ? Xml(document, root) : Bytes(document);
        if (document.AsSpan().TrimStart("\uFEFF \t\r\n"u8) is [(byte)'{', ..]) return JsonReader.Read([.. document]).TryGet(out var value, out _) ? Json(document, value) : Bytes(document);
        return Lines(document);
    }

    private byte[] Bytes(byte[] document)
    {
        var at = random.Next(document.Length + 1);
        var removed = random.Next(3) switch { 0 => 0, 1 => random.Next(4), _ => random.Next(200) };
        byte[] put = random.Next(4) switch
        {
            0 => [],
            1 => [(byte)random.Next(256)],
            2 => document.Length == 0 ? [] : Part(document),
            _ => Encoding.UTF8.GetBytes(Pick(Odd)),
        };
        return [.. document[..at], .. put, .. document[Math.Min(document.Length, at + removed)..]];
    }

    private byte[] Part(byte[] document)
    {
        var start = random.Next(document.Length);
        return document[start..Math.Min(document.Length, start + random.Next(200))];
    }

    private byte[] Xml(byte[] document, XmlNode root)
    {
        var nodes = root.SelfAndInner().ToList();
        var (one, other) = (Pick(nodes), Pick(nodes));
        switch (random.Next(7))
        {
            case 0:
                return With(document, one.Start, one.End, []);
            case 1:
                return With(document, one.Start, one.Start, one.Raw.ToArray());
            case 2:
                return With(document, one.Start, one.End, other.Raw.ToArray());
            case 3 when !one.IsOneTag:
                return With(document, one.ContentEnd, one.ContentEnd, other.Raw.ToArray());
            case 4:
                return Apply(document, one.WithText(Value(nodes.Select(node => node.Text))));
            case 5 when one.Attributes.Count > 0:
                // Often the value that the same attribute has elsewhere, so that names lead into circles.
                var name = Pick(one.Attributes).Name;
                return Apply(document, one.WithAttribute(name, Value(nodes.SelectMany(node => node.Attributes).Where(attribute => attribute.Name == name || attribute.Name == "id").Select(attribute => attribute.Value))));
            case 6 when one.Attributes.Count > 0:
                var gone = Pick(one.Attributes);
                return With(document, gone.ValueStart - gone.Name.Length - 2, gone.ValueEnd + 1, []);
            default:
                return Bytes(document);
        }
    }

    private byte[] Json(byte[] document, JsonValue root)
    {
        var (values, members) = (new List<JsonValue>(), new List<JsonMember>());
        Collect(root, values, members);
        var (one, other) = (Pick(values), Pick(values));
        var member = members.Count > 0 ? Pick(members) : null;
        switch (random.Next(6))
        {
            case 0 when member is not null:
                // The value of the same name elsewhere: another rate, another schema.
                return With(document, member.Value.Start, member.Value.End, Pick(members.Where(same => same.Name == member.Name).ToList()).Value.Raw.ToArray());
            case 1 when member is not null:
                return With(document, member.NameStart, member.Value.End, Encoding.UTF8.GetBytes($"\"gone\": 0, \"{member.Name}\": {Spelled()}"));
            case 2:
                return With(document, one.Start, one.End, other.Raw.ToArray());
            case 3:
                return With(document, one.Start, one.End, Encoding.UTF8.GetBytes(Spelled()));
            case 4 when one.Kind == JsonKind.Array && one.Items.Count > 0:
                var item = Pick(one.Items.ToList());
                return With(document, item.Start, item.Start, [.. item.Raw.Span, (byte)',']);
            case 5 when one.Kind == JsonKind.Array:
                return With(document, one.Start, one.End, Encoding.UTF8.GetBytes($"[{string.Join(',', one.Items.Skip(1).Reverse().Select(value => value.RawText))}]"));
            default:
                return With(document, one.Start, one.End, Encoding.UTF8.GetBytes(Spelled()));
        }
    }

    private static void Collect(JsonValue value, List<JsonValue> values, List<JsonMember> members)
    {
        values.Add(value);
        members.AddRange(value.Members);
        foreach (var member in value.Members) Collect(member.Value, values, members);
        foreach (var item in value.Items) Collect(item, values, members);
    }

    private byte[] Lines(byte[] document)
    {
        var lines = Encoding.Latin1.GetString(document).Split('\n').ToList();
        var (one, other) = (random.Next(lines.Count), random.Next(lines.Count));
        switch (random.Next(5))
        {
            case 0:
                lines.RemoveAt(one);
                break;
            case 1:
                lines.Insert(other, lines[one]);
                break;
            case 2:
                (lines[one], lines[other]) = (lines[other], lines[one]);
                break;
            default:
                var (words, others) = (lines[one].Split(' '), lines[other].Split(' '));
                words[random.Next(words.Length)] = random.Next(2) == 0 ? Pick(Odd) : others[random.Next(others.Length)];
                lines[one] = string.Join(' ', words);
                break;
        }

        return Encoding.Latin1.GetBytes(string.Join('\n', lines));
    }

    private string Value(IEnumerable<string> others)
    {
        var own = others.ToList();
        return random.Next(2) == 0 || own.Count == 0 ? Pick(Odd) : Pick(own);
    }

    private string Spelled() => random.Next(6) switch
    {
        0 => "null",
        1 => Pick("[]", "{}", "true", "false", "[[]]", "{\"OTIO_SCHEMA\": \"Clip.2\"}", "{\"OTIO_SCHEMA\": \"Gap.1\"}", "{\"OTIO_SCHEMA\": \"Stack.1\", \"children\": []}"),
        2 => $"\"{Pick(Odd).Replace("\n", "\\n", StringComparison.Ordinal)}\"",
        _ => Pick("0", "1", "-1", "0.5", "1e308", "-1e308", "1e400", "9223372036854775808", "1125899906842623", "NaN", "Infinity", "-Infinity", "1e-320", "24.5", "0.001", "100000"),
    };

    private T Pick<T>(params IReadOnlyList<T> choices) => choices[random.Next(choices.Count)];

    private static byte[] Apply(byte[] document, TextSplice splice) => TextSplice.Apply(document, [splice]);

    private static byte[] With(byte[] document, int start, int end, byte[] put) => [.. document[..start], .. put, .. document[end..]];
}
