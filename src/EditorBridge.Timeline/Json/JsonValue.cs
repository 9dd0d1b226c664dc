using System.Text;

namespace EditorBridge.Timeline.Json;

/// <summary>What a JSON value is.</summary>
public enum JsonKind
{
    /// <summary>The literal null.</summary>
    Null,

    /// <summary>The literal false.</summary>
    False,

    /// <summary>The literal true.</summary>
    True,

    /// <summary>A number, or one of NaN, Infinity and Inf, which OpenTimelineIO writes.</summary>
    Number,

    /// <summary>A string.</summary>
    String,

    /// <summary>An array.</summary>
    Array,

    /// <summary>An object.</summary>
    Object,
}

/// <summary>A JSON value together with the bytes of the document that spell it.</summary>
public sealed class JsonValue
{
    private readonly byte[] document;

    internal JsonValue(byte[] document, JsonKind kind, int start, int end)
    {
        this.document = document;
        Kind = kind;
        Start = start;
        End = end;
    }

    /// <summary>What the value is.</summary>
    public JsonKind Kind { get; }

    /// <summary>First byte of the value in the document.</summary>
    public int Start { get; }

    /// <summary>First byte after it.</summary>
    public int End { get; internal set; }

    /// <summary>The members of an object as written, duplicate names included; empty for anything else.</summary>
    public IReadOnlyList<JsonMember> Members { get; internal set; } = [];

    /// <summary>The elements of an array; empty for anything else.</summary>
    public IReadOnlyList<JsonValue> Items { get; internal set; } = [];

    /// <summary>The bytes that spell the value.</summary>
    public ReadOnlyMemory<byte> Raw => document.AsMemory(Start, End - Start);

    /// <summary>The spelling of a number or literal.</summary>
    public string RawText => Encoding.UTF8.GetString(Raw.Span);

    /// <summary>The member called <paramref name="name"/>; of several, the last, as OpenTimelineIO reads it. Null when there is none.</summary>
    public JsonValue? this[string name]
    {
        get
        {
            for (var i = Members.Count - 1; i >= 0; i--)
            {
                if (Members[i].Name == name) return Members[i].Value;
            }

            return null;
        }
    }

    /// <summary>The string, escapes resolved (a lone surrogate becomes U+FFFD); null for anything else.</summary>
    public string? AsString() => Kind == JsonKind.String ? JsonReader.Unescape(document.AsSpan(Start + 1, End - Start - 2)) : null;

    /// <summary>The number; null for anything else.</summary>
    public double? AsNumber() => Kind == JsonKind.Number ? JsonReader.ParseNumber(Raw.Span) : null;

    /// <summary>True or false; null for anything else. OpenTimelineIO takes numbers for neither.</summary>
    public bool? AsBoolean() => Kind switch { JsonKind.True => true, JsonKind.False => false, _ => null };
}

/// <summary>A member of a JSON object.</summary>
/// <param name="Name">Its name, escapes resolved.</param>
/// <param name="NameStart">First byte of the name (its quote) in the document.</param>
/// <param name="Value">Its value.</param>
public sealed record JsonMember(string Name, int NameStart, JsonValue Value);
