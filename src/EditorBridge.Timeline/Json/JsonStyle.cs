using System.Text;

namespace EditorBridge.Timeline.Json;

/// <summary>How a document lays out its JSON, so that new text looks like the text around it.</summary>
internal sealed record JsonStyle
{
    /// <summary>The line ending between members; empty where objects are written on one line.</summary>
    public required string NewLine { get; init; }

    /// <summary>What one level is indented by.</summary>
    public required string Indent { get; init; }

    /// <summary>What stands between a name and its value.</summary>
    public required string Colon { get; init; }

    /// <summary>What stands between members on one line.</summary>
    public required string Comma { get; init; }

    /// <summary>The style of the first of some values that shows one.</summary>
    public static JsonStyle Of(ReadOnlySpan<byte> document, params ReadOnlySpan<JsonValue?> examples)
    {
        foreach (var example in examples)
        {
            if (example is { Kind: JsonKind.Object, Members.Count: > 0 }) return Of(document, example);
        }

        return new JsonStyle { NewLine = "\n", Indent = "    ", Colon = ": ", Comma = ", " };
    }

    /// <summary>The white space that the line of a byte begins with.</summary>
    public static string LineIndent(ReadOnlySpan<byte> document, int at)
    {
        var start = document[..at].LastIndexOf((byte)'\n') + 1;
        if (start == 0 && document is [0xEF, 0xBB, 0xBF, ..]) start = 3;
        var end = start;
        while (end < at && document[end] is (byte)' ' or (byte)'\t') end++;
        return Encoding.UTF8.GetString(document[start..end]);
    }

    private static JsonStyle Of(ReadOnlySpan<byte> document, JsonValue example)
    {
        var first = example.Members[0];
        var lead = document[(example.Start + 1)..first.NameStart];
        var colonStart = document[..first.Value.Start].LastIndexOf((byte)'"') + 1;
        var colon = Encoding.UTF8.GetString(document[colonStart..first.Value.Start]);
        if (colon.Contains('\n', StringComparison.Ordinal)) colon = ": ";
        var comma = colon.EndsWith(' ') ? ", " : ",";
        var lineEnd = lead.LastIndexOf((byte)'\n');
        if (lineEnd < 0)
        {
            if (example.Members.Count > 1)
            {
                var between = Encoding.UTF8.GetString(document[first.Value.End..example.Members[1].NameStart]);
                if (!between.Contains('\n', StringComparison.Ordinal)) comma = between;
            }

            return new JsonStyle { NewLine = "", Indent = "", Colon = colon, Comma = comma };
        }

        var member = Encoding.UTF8.GetString(lead[(lineEnd + 1)..]);
        var outer = LineIndent(document, example.Start);
        return new JsonStyle
        {
            NewLine = lineEnd > 0 && lead[lineEnd - 1] == '\r' ? "\r\n" : "\n",
            Indent = member.StartsWith(outer, StringComparison.Ordinal) ? member[outer.Length..] : "    ",
            Colon = colon,
            Comma = comma,
        };
    }
}
