using System.Text;

namespace EditorBridge.Timeline.Json;

/// <summary>Puts elements into arrays and takes them out, minding commas and white space.</summary>
internal static class JsonList
{
    /// <summary>Puts texts in the place of <paramref name="removed"/> elements.</summary>
    /// <param name="document">The document.</param>
    /// <param name="list">The array.</param>
    /// <param name="at">The first element that gives way, or before which the texts go.</param>
    /// <param name="removed">How many give way.</param>
    /// <param name="texts">New elements.</param>
    /// <param name="style">How the document lays out its elements.</param>
    /// <param name="splices">Receives the splices.</param>
    public static void Replace(byte[] document, JsonValue list, int at, int removed, IReadOnlyList<string> texts, JsonStyle style, List<TextSplice> splices)
    {
        if (removed == 0 && texts.Count == 0) return;
        var old = list.Items;
        var inner = InnerIndent(document, list, style);
        var separator = old.Count > 1 ? Text(old[0].End, old[1].Start)
            : old.Count == 1 ? "," + Text(list.Start + 1, old[0].Start)
            : "," + (style.NewLine.Length > 0 ? style.NewLine + inner : "");
        var joined = string.Join(separator, texts);
        var (before, after) = (at > 0, at + removed < old.Count);
        if (removed > 0 && texts.Count > 0) Put(old[at].Start, old[at + removed - 1].End, joined);
        else if (removed > 0 && after) Put(old[at].Start, old[at + removed].Start, "");
        else if (removed > 0 && before) Put(old[at - 1].End, old[at + removed - 1].End, "");
        else if (removed > 0) Put(old[at].Start, old[at + removed - 1].End, "");
        else if (after) Put(old[at].Start, old[at].Start, joined + separator);
        else if (before) Put(old[at - 1].End, old[at - 1].End, separator + joined);
        else if (style.NewLine.Length == 0) Put(list.Start + 1, list.End - 1, joined);
        else Put(list.Start + 1, list.End - 1, style.NewLine + inner + joined + style.NewLine + JsonStyle.LineIndent(document, list.Start));

        string Text(int start, int end) => Encoding.UTF8.GetString(document, start, end - start);

        void Put(int start, int end, string text) => splices.Add(new TextSplice(start, end - start, Encoding.UTF8.GetBytes(text)));
    }

    /// <summary>The indentation of an array's elements.</summary>
    public static string InnerIndent(byte[] document, JsonValue list, JsonStyle style) => JsonStyle.LineIndent(document, list.Start) + style.Indent;
}
