using System.Globalization;
using System.Text;
using System.Xml.Linq;

namespace EditorBridge.Timeline.Tests;

/// <summary>Spells a tree of elements as some program might: quotes and line endings of both kinds, comments, references, any indentation or none.</summary>
internal sealed class OddXml
{
    private readonly Random random;
    private readonly StringBuilder text = new();
    private readonly string newLine;
    private readonly string indent;
    private readonly char quote;
    private readonly bool comments;

    public OddXml(Random random)
    {
        this.random = random;
        newLine = Pick("\n", "\r\n", "");
        indent = Pick("    ", "  ", " ", "\t", "");
        quote = Pick('"', '\'');
        comments = random.Next(3) == 0;
    }

    public byte[] Write(XElement root, string? doctype)
    {
        if (random.Next(3) == 0) text.Append('\uFEFF');
        if (random.Next(4) > 0) text.Append("<?xml version='1.0' encoding='UTF-8'?>").Append(newLine);
        if (doctype is not null && random.Next(4) > 0) text.Append(CultureInfo.InvariantCulture, $"<!DOCTYPE {doctype}>{newLine}");
        Element(root, 0);
        text.Append(random.Next(2) == 0 ? "\n" : "");
        // A document has one kind of line ending.
        return Encoding.UTF8.GetBytes(newLine == "\r\n" ? text.ToString().ReplaceLineEndings("\r\n") : text.ToString());
    }

    private void Element(XElement element, int depth)
    {
        if (comments && depth > 0 && random.Next(6) == 0)
        {
            text.Append("<!-- <clip/> & so on -->");
            Break(depth);
        }

        text.Append('<').Append(element.Name);
        foreach (var attribute in element.Attributes()) text.Append(CultureInfo.InvariantCulture, $" {attribute.Name}={quote}{Escape(attribute.Value)}{quote}");
        if (!element.Nodes().Any() && random.Next(6) > 0)
        {
            text.Append(Pick("/>", " />"));
            return;
        }

        text.Append('>');
        foreach (var node in element.Nodes())
        {
            if (node is XText own)
            {
                text.Append(Escape(own.Value));
                continue;
            }

            Break(depth + 1);
            Element((XElement)node, depth + 1);
        }

        if (element.HasElements) Break(depth);
        text.Append(CultureInfo.InvariantCulture, $"</{element.Name}>");
    }

    private string Escape(string value) => Xml.XmlText.Escape(value).Replace("é", Pick("é", "&#233;", "&#xE9;"), StringComparison.Ordinal);

    private void Break(int depth)
    {
        text.Append(newLine);
        if (newLine.Length == 0) return;
        for (var i = 0; i < depth; i++) text.Append(indent);
    }

    private T Pick<T>(params T[] choices) => choices[random.Next(choices.Length)];
}
