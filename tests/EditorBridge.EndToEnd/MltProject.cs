using System.Globalization;
using System.Text;
using System.Xml.Linq;
using EditorBridge.Timeline;
using EditorBridge.Timeline.Otio;

namespace EditorBridge.EndToEnd;

/// <summary>Says what a timeline shows as an MLT project, so that melt, which reads no OpenTimelineIO, can render it.</summary>
internal static class MltProject
{
    public static string Write(OtioDocument document, string folder, int width, int height)
    {
        var index = document.Index;
        var mlt = new XElement("mlt", new XAttribute("LC_NUMERIC", "C"),
            new XElement("profile", new XAttribute("width", width), new XAttribute("height", height), new XAttribute("progressive", 1),
                new XAttribute("sample_aspect_num", 1), new XAttribute("sample_aspect_den", 1),
                new XAttribute("display_aspect_num", width), new XAttribute("display_aspect_den", height),
                new XAttribute("frame_rate_num", index.Rate.Numerator), new XAttribute("frame_rate_den", index.Rate.Denominator), new XAttribute("colorspace", 709)));
        var tractor = new XElement("tractor", new XAttribute("id", "timeline"));
        foreach (var track in index.VideoTracks)
        {
            var playlist = new XElement("playlist", new XAttribute("id", track.Label));
            foreach (var item in track.Items.Where(item => item.Kind != ItemKind.Transition && !item.RecordRange.IsEmpty))
            {
                if (item.Kind == ItemKind.Gap)
                {
                    playlist.Add(new XElement("blank", new XAttribute("length", item.RecordRange.Duration)));
                    continue;
                }

                var id = string.Create(CultureInfo.InvariantCulture, $"{track.Label}-{item.Index}");
                var start = item.SourceRange!.Value.Start - (item.Media!.AvailableRange?.Start ?? 0);
                mlt.Add(new XElement("producer", new XAttribute("id", id), Property("resource", MediaPath.Resolve(item.Media.Url!, folder).Value), Property("mlt_service", "avformat")));
                playlist.Add(new XElement("entry", new XAttribute("producer", id), new XAttribute("in", start), new XAttribute("out", start + item.RecordRange.Duration - 1)));
            }

            mlt.Add(playlist);
            tractor.Add(new XElement("track", new XAttribute("producer", track.Label)));
        }

        mlt.Add(tractor);
        var path = Path.Combine(folder, $"{Guid.NewGuid():N}.mlt");
        File.WriteAllText(path, mlt.ToString(), new UTF8Encoding(false));
        return path;
    }

    private static XElement Property(string name, string value) => new("property", new XAttribute("name", name), value);
}
