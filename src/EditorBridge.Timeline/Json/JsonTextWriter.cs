using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace EditorBridge.Timeline.Json;

/// <summary>Writes JSON text in a document's own style. The first line carries no indentation: it stands where the text is put.</summary>
internal sealed class JsonTextWriter(JsonStyle style, string outerIndent)
{
    private readonly StringBuilder text = new();
    private readonly Stack<bool> filled = new();
    private bool afterName;

    public JsonTextWriter Open(char bracket)
    {
        BeginValue();
        text.Append(bracket);
        filled.Push(false);
        return this;
    }

    public JsonTextWriter Close(char bracket)
    {
        if (filled.Pop()) NewLine();
        text.Append(bracket);
        return this;
    }

    public JsonTextWriter Name(string name)
    {
        Separate();
        text.Append(Quote(name)).Append(style.Colon);
        afterName = true;
        return this;
    }

    /// <summary>A value that is spelled already.</summary>
    public JsonTextWriter Raw(string value)
    {
        BeginValue();
        text.Append(value);
        return this;
    }

    public JsonTextWriter String(string value) => Raw(Quote(value));

    public JsonTextWriter Value(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                Open('{');
                foreach (var member in element.EnumerateObject()) Name(member.Name).Value(member.Value);
                return Close('}');
            case JsonValueKind.Array:
                Open('[');
                foreach (var item in element.EnumerateArray()) Value(item);
                return Close(']');
            case JsonValueKind.String:
                return String(element.GetString()!);
            default:
                return Raw(element.GetRawText());
        }
    }

    public override string ToString() => text.ToString();

    /// <summary>A string as JSON spells it.</summary>
    public static string Quote(string value) => $"\"{JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";

    private void BeginValue()
    {
        if (afterName) afterName = false;
        else if (filled.Count > 0) Separate();
    }

    private void Separate()
    {
        if (filled.Pop()) text.Append(style.NewLine.Length > 0 ? "," : style.Comma);
        filled.Push(true);
        NewLine();
    }

    private void NewLine()
    {
        if (style.NewLine.Length == 0) return;
        text.Append(style.NewLine).Append(outerIndent);
        for (var i = 0; i < filled.Count; i++) text.Append(style.Indent);
    }
}
