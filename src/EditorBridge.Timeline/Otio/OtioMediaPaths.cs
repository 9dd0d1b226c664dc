using System.Text;
using EditorBridge.Timeline.Json;

namespace EditorBridge.Timeline.Otio;

/// <summary>Spells the places of a document's media anew, wherever in it a reference to a medium stands.</summary>
internal static class OtioMediaPaths
{
    public static OtioEdited Respell(OtioDocument document, Func<string, string> spell)
    {
        var splices = new List<TextSplice>();
        Collect(document.Root, spell, splices);
        var text = TextSplice.Apply(document.Bytes.Span, splices);
        if (!OtioDocument.Read(text, document.Index.Rate).TryGet(out var result, out var unreadable))
            throw new InvalidOperationException($"The timeline cannot be read back: {unreadable.Message}");
        return new OtioEdited(result, splices);
    }

    // In the order of the text, so the splices are ascending. Of members of one name all are spelled anew, since readers differ in which they take.
    private static void Collect(JsonValue node, Func<string, string> spell, List<TextSplice> splices)
    {
        var member = OtioIndexer.SchemaName(node) switch { "ExternalReference" => "target_url", "ImageSequenceReference" => "target_url_base", _ => null };
        foreach (var (name, _, value) in node.Members)
        {
            if (name != member || value.AsString() is not { Length: > 0 } old)
            {
                Collect(value, spell, splices);
                continue;
            }

            var now = spell(old);
            if (now != old) splices.Add(new TextSplice(value.Start, value.End - value.Start, Encoding.UTF8.GetBytes(JsonTextWriter.Quote(now))));
        }

        foreach (var item in node.Items) Collect(item, spell, splices);
    }
}
