using System.Text;

namespace EditorBridge.Timeline.Xml;

/// <summary>An attribute together with the bytes of its value, quotes not counted.</summary>
/// <param name="Name">Its name, prefix included.</param>
/// <param name="Value">Its value, references resolved.</param>
/// <param name="ValueStart">First byte of the value.</param>
/// <param name="ValueEnd">First byte after it, which is its quote.</param>
public sealed record XmlAttributeNode(string Name, string Value, int ValueStart, int ValueEnd);

/// <summary>An element together with the bytes of the document that spell it.</summary>
public sealed class XmlNode
{
    private readonly byte[] document;

    internal XmlNode(byte[] document, string name, int start)
    {
        this.document = document;
        Name = name;
        Start = start;
    }

    /// <summary>Its name, prefix included.</summary>
    public string Name { get; }

    /// <summary>Its parent; null for the document's element.</summary>
    public XmlNode? Parent { get; internal init; }

    /// <summary>First byte of its start tag.</summary>
    public int Start { get; }

    /// <summary>First byte after it.</summary>
    public int End { get; internal set; }

    /// <summary>First byte after its name in the start tag.</summary>
    public int NameEnd { get; internal set; }

    /// <summary>First byte of what it contains; for an empty-element tag the same as <see cref="ContentEnd"/>, after the tag.</summary>
    public int ContentStart { get; internal set; }

    /// <summary>First byte of its end tag.</summary>
    public int ContentEnd { get; internal set; }

    /// <summary>Whether it is written as one tag.</summary>
    public bool IsOneTag { get; internal set; }

    /// <summary>Its attributes in order.</summary>
    public IReadOnlyList<XmlAttributeNode> Attributes { get; internal set; } = [];

    /// <summary>The elements in it, in order.</summary>
    public IReadOnlyList<XmlNode> Children { get; internal set; } = [];

    /// <summary>Its own character data, references resolved, that of its children left out.</summary>
    public string Text { get; internal set; } = "";

    /// <summary>The bytes that spell it.</summary>
    public ReadOnlyMemory<byte> Raw => document.AsMemory(Start, End - Start);

    /// <summary>An attribute's value; null when there is none.</summary>
    public string? this[string attribute] => Attribute(attribute)?.Value;

    /// <summary>An attribute; null when there is none.</summary>
    public XmlAttributeNode? Attribute(string name) => Attributes.FirstOrDefault(attribute => attribute.Name == name);

    /// <summary>The first child of a name; null when there is none.</summary>
    public XmlNode? Child(string name) => Children.FirstOrDefault(child => child.Name == name);

    /// <summary>The children of a name.</summary>
    public IEnumerable<XmlNode> All(string name) => Children.Where(child => child.Name == name);

    /// <summary>The element and all in it, in document order.</summary>
    public IEnumerable<XmlNode> SelfAndInner()
    {
        // Enumerators within enumerators would take each element once for every level it lies below.
        var waiting = new Stack<XmlNode>();
        waiting.Push(this);
        while (waiting.TryPop(out var node))
        {
            yield return node;
            for (var i = node.Children.Count - 1; i >= 0; i--) waiting.Push(node.Children[i]);
        }
    }

    /// <summary>A splice that gives an attribute another value, adding the attribute where there is none.</summary>
    public TextSplice WithAttribute(string name, string value) => Attribute(name) is { } old
        ? new TextSplice(old.ValueStart, old.ValueEnd - old.ValueStart, Encoding.UTF8.GetBytes(XmlText.Escape(value)))
        : new TextSplice(NameEnd, 0, Encoding.UTF8.GetBytes($" {name}=\"{XmlText.Escape(value)}\""));

    /// <summary>A splice that gives an element without children another text.</summary>
    public TextSplice WithText(string value) => IsOneTag
        ? new TextSplice(Start, End - Start, Encoding.UTF8.GetBytes(
            $"{Encoding.UTF8.GetString(document, Start, End - Start - 2).TrimEnd()}>{XmlText.Escape(value)}</{Name}>"))
        : new TextSplice(ContentStart, ContentEnd - ContentStart, Encoding.UTF8.GetBytes(XmlText.Escape(value)));

    /// <summary>The line break and white space before its start tag; empty where something else stands there.</summary>
    public string Lead => XmlText.LeadOf(document, Start);
}
