using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Mlt;

/// <summary>Where an MLT document names files that count from its folder.</summary>
internal static class MltPaths
{
    // The properties that MLT's XML producer completes with the document's folder, and those that Kdenlive adds to them.
    private static readonly HashSet<string> Names =
    [
        "resource", "warp_resource", "luma", "luma.resource", "composite.luma", "producer.resource", "filter.resource", "av.file", "filename", "kdenlive:originalurl", "kdenlive:proxy",
    ];

    /// <summary>Each path as it stands, and the splice that spells it otherwise.</summary>
    public static IEnumerable<(string Path, Func<string, TextSplice> Spelled)> Of(XmlNode root)
    {
        foreach (var node in root.SelfAndInner().Where(node => node.Name == "property" && node.Children.Count == 0 && node["name"] is { } name && Names.Contains(name)))
        {
            var text = node.Text;
            var isTimewarp = node["name"] == "resource" && node.Parent is { } owner && MltIndexer.Property(owner, "mlt_service") == "timewarp";
            // A timewarp's resource is its speed, a colon and the file.
            var start = isTimewarp ? text.IndexOf(':', StringComparison.Ordinal) + 1 : 0;
            var path = text[start..];
            if (IsFile(path)) yield return (path, now => node.WithText(text[..start] + now));
        }
    }

    // Colours, numbers, and the shapes in MLT's own folder (%luma01.pgm) stand in the same properties.
    private static bool IsFile(string text) =>
        text.Length > 1 && text[0] is not ('%' or '#' or '<' or '-') && (Path.HasExtension(text) || text.Contains('/', StringComparison.Ordinal)) && !double.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out _);
}
