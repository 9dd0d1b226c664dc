using System.Text;

namespace EditorBridge.Timeline.Xml;

/// <summary>What is to stand at a place among an element's children: a child that is there, or new text.</summary>
/// <param name="Node">The child; null for new text.</param>
/// <param name="Text">The new text.</param>
internal readonly record struct XmlPiece(XmlNode? Node, string Text = "");

/// <summary>Puts children into elements and takes them out, with the line breaks and indentation that their neighbours have.</summary>
internal static class XmlChildren
{
    /// <summary>Makes a run of children another: children that are not named again go, new texts come where they stand.</summary>
    /// <param name="parent">The element.</param>
    /// <param name="nodes">Some of its children, in order; the others stay.</param>
    /// <param name="wanted">What those are to be; children in the order they are in.</param>
    /// <param name="lead">The line break and indentation of new children.</param>
    /// <param name="splices">Receives the splices.</param>
    public static void Rewrite(XmlNode parent, IReadOnlyList<XmlNode> nodes, IEnumerable<XmlPiece> wanted, string lead, List<TextSplice> splices)
    {
        var places = new Dictionary<int, int>(nodes.Count);
        for (var i = 0; i < nodes.Count; i++) places.Add(nodes[i].Start, i);
        var next = 0;
        var pending = new List<string>();
        foreach (var piece in wanted)
        {
            if (piece.Node is null)
            {
                pending.Add(piece.Text);
                continue;
            }

            var index = places[piece.Node.Start];
            ReplaceRun(parent, nodes, next, index - next, pending, lead, splices);
            pending.Clear();
            next = index + 1;
        }

        ReplaceRun(parent, nodes, next, nodes.Count - next, pending, lead, splices);
    }

    /// <summary>Puts texts in the place of <paramref name="removed"/> children.</summary>
    public static void ReplaceRun(XmlNode parent, IReadOnlyList<XmlNode> nodes, int at, int removed, IReadOnlyList<string> texts, string lead, List<TextSplice> splices)
    {
        if (removed == 0 && texts.Count == 0) return;
        var text = string.Join(lead, texts);
        if (removed == 0)
        {
            if (at < nodes.Count) splices.Add(new TextSplice(nodes[at].Start, 0, Encoding.UTF8.GetBytes(text + lead)));
            else if (nodes.Count > 0) splices.Add(new TextSplice(nodes[^1].End, 0, Encoding.UTF8.GetBytes(lead + text)));
            else Append(parent, text, lead, splices);
            return;
        }

        for (var i = at; i < at + removed; i++)
        {
            var node = nodes[i];
            var written = i == at && texts.Count > 0;
            var start = node.Start - (written ? 0 : Encoding.UTF8.GetByteCount(node.Lead));
            splices.Add(new TextSplice(start, node.End - start, written ? Encoding.UTF8.GetBytes(text) : default));
        }
    }

    /// <summary>Puts text after the last child, opening an empty-element tag.</summary>
    public static void Append(XmlNode node, string text, string lead, List<TextSplice> splices) =>
        splices.Add(node.IsOneTag
            ? OpenTag(node, lead + text + node.Lead)
            : new TextSplice(node.Children.Count > 0 ? node.Children[^1].End : node.ContentStart, 0, Encoding.UTF8.GetBytes(lead + text)));

    /// <summary>Puts text before the first child, opening an empty-element tag.</summary>
    public static void Prepend(XmlNode node, string text, string lead, List<TextSplice> splices) =>
        splices.Add(node.IsOneTag ? OpenTag(node, lead + text + node.Lead) : new TextSplice(node.ContentStart, 0, Encoding.UTF8.GetBytes(lead + text)));

    /// <summary>Takes a child out, with the white space before it.</summary>
    public static TextSplice Remove(XmlNode node)
    {
        var lead = Encoding.UTF8.GetByteCount(node.Lead);
        return new TextSplice(node.Start - lead, node.End - node.Start + lead, default);
    }

    /// <summary>A line break and indentation one step deeper than another.</summary>
    public static string Inner(string lead) => lead.Length == 0 ? "" : lead + (lead.EndsWith('\t') ? "\t" : lead.EndsWith("    ", StringComparison.Ordinal) ? "    " : lead.EndsWith("  ", StringComparison.Ordinal) ? "  " : " ");

    private static TextSplice OpenTag(XmlNode node, string content)
    {
        var tag = Encoding.UTF8.GetString(node.Raw.Span[..^2]).TrimEnd();
        var length = Encoding.UTF8.GetByteCount(tag);
        return new TextSplice(node.Start + length, node.End - node.Start - length, Encoding.UTF8.GetBytes($">{content}</{node.Name}>"));
    }
}
