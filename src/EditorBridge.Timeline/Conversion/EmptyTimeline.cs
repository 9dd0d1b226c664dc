using System.Globalization;
using System.Text;
using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Edl;
using EditorBridge.Timeline.Fcpx;
using EditorBridge.Timeline.Json;
using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Conversion;

/// <summary>Documents without a clip, to begin with.</summary>
internal static class EmptyTimeline
{
    public static byte[] Of(string ending, TimelineIndex index) => Encoding.UTF8.GetBytes(ending switch
    {
        ".otio" => Otio(index),
        ".fcpxml" => Fcpxml(index),
        ".xml" => Xmeml(index),
        ".mlt" => Mlt(index),
        _ => Osp(index),
    });

    private static readonly JsonStyle Style = new() { NewLine = "\n", Indent = "    ", Colon = ": ", Comma = ", " };

    private static string Otio(TimelineIndex index)
    {
        var rate = ((double)index.Rate.Numerator / index.Rate.Denominator).ToString("R", CultureInfo.InvariantCulture);
        if (!rate.Contains('.', StringComparison.Ordinal)) rate += ".0";
        return new JsonTextWriter(Style, "").Open('{')
            .Name("OTIO_SCHEMA").String("Timeline.1").Name("metadata").Open('{').Close('}').Name("name").String(index.Name)
            .Name("global_start_time").Open('{').Name("OTIO_SCHEMA").String("RationalTime.1").Name("rate").Raw(rate).Name("value").Raw($"{index.StartFrame.ToString(CultureInfo.InvariantCulture)}.0").Close('}')
            .Name("tracks").Open('{').Name("OTIO_SCHEMA").String("Stack.1").Name("metadata").Open('{').Close('}').Name("name").String("tracks").Name("source_range").Raw("null")
            .Name("effects").Open('[').Close(']').Name("markers").Open('[').Close(']').Name("enabled").Raw("true").Name("children").Open('[').Close(']').Close('}')
            .Close('}') + "\n";
    }

    private static string Fcpxml(TimelineIndex index)
    {
        var (rate, start) = (index.Rate, FcpTime.Frames(index.StartFrame, index.Rate).Spell(index.Rate.Numerator));
        var name = XmlText.Escape(index.Name.Length > 0 ? index.Name : "Timeline");
        return string.Create(CultureInfo.InvariantCulture, $"""
            <?xml version="1.0" encoding="UTF-8"?>
            <!DOCTYPE fcpxml>

            <fcpxml version="1.10">
                <resources>
                    <format id="r1" frameDuration="{FcpTime.Frames(1, rate).Spell(rate.Numerator)}"/>
                </resources>
                <library>
                    <event name="{name}">
                        <project name="{name}">
                            <sequence format="r1" duration="0s" tcStart="{start}" tcFormat="{(index.DropFrame ? "DF" : "NDF")}">
                                <spine>
                                </spine>
                            </sequence>
                        </project>
                    </event>
                </library>
            </fcpxml>

            """).ReplaceLineEndings("\n");
    }

    private static string Xmeml(TimelineIndex index)
    {
        var rate = $"<rate>\n\t\t\t<timebase>{index.Rate.Nominal}</timebase>\n\t\t\t<ntsc>{(index.Rate.Denominator == 1001 ? "TRUE" : "FALSE")}</ntsc>\n\t\t</rate>";
        return string.Create(CultureInfo.InvariantCulture,
            $"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE xmeml>\n<xmeml version=\"5\">\n\t<sequence id=\"sequence-1\">\n\t\t<name>{XmlText.Escape(index.Name)}</name>\n\t\t<duration>0</duration>\n\t\t{rate}\n"
            + $"\t\t<timecode>\n\t\t\t<string>{index.Label(0)}</string>\n\t\t\t<frame>{index.StartFrame}</frame>\n\t\t\t<displayformat>{(index.DropFrame ? "DF" : "NDF")}</displayformat>\n\t\t</timecode>\n"
            + $"\t\t<media>\n\t\t\t<video>\n\t\t\t</video>\n\t\t\t<audio>\n\t\t\t</audio>\n\t\t</media>\n\t</sequence>\n</xmeml>\n");
    }

    private static string Mlt(TimelineIndex index)
    {
        var end = Math.Max(0, index.Duration - 1);
        return string.Create(CultureInfo.InvariantCulture,
            $"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<mlt LC_NUMERIC=\"C\" title=\"{XmlText.Escape(index.Name)}\">\n  <profile width=\"1920\" height=\"1080\" progressive=\"1\" sample_aspect_num=\"1\" sample_aspect_den=\"1\" display_aspect_num=\"16\" display_aspect_den=\"9\""
            + $" frame_rate_num=\"{index.Rate.Numerator}\" frame_rate_den=\"{index.Rate.Denominator}\" colorspace=\"709\"/>\n"
            + $"  <producer id=\"black\" in=\"0\" out=\"{end}\">\n    <property name=\"length\">{end + 1}</property>\n    <property name=\"resource\">black</property>\n    <property name=\"mlt_service\">color</property>\n  </producer>\n"
            + $"  <playlist id=\"background\">\n    <entry producer=\"black\" in=\"0\" out=\"{end}\"/>\n  </playlist>\n  <tractor id=\"tractor0\" in=\"0\" out=\"{end}\">\n    <track producer=\"background\"/>\n  </tractor>\n</mlt>\n");
    }

    private static string Osp(TimelineIndex index)
    {
        var writer = new JsonTextWriter(Style with { Indent = " " }, "").Open('{').Name("id").String("T0")
            .Name("fps").Open('{').Name("num").Raw(index.Rate.Numerator.ToString(CultureInfo.InvariantCulture)).Name("den").Raw(index.Rate.Denominator.ToString(CultureInfo.InvariantCulture)).Close('}')
            .Name("display_ratio").Open('{').Name("num").Raw("16").Name("den").Raw("9").Close('}')
            .Name("pixel_ratio").Open('{').Name("num").Raw("1").Name("den").Raw("1").Close('}')
            .Name("width").Raw("1920").Name("height").Raw("1080").Name("sample_rate").Raw("48000").Name("channels").Raw("2").Name("channel_layout").Raw("3")
            .Name("settings").Open('{').Close('}').Name("duration").Raw("0.0").Name("scale").Raw("15.0").Name("playhead_position").Raw("0");
        foreach (var name in new[] { "clips", "effects", "files", "layers", "markers" }) writer.Name(name).Open('[').Close(']');
        foreach (var name in new[] { "export_path", "export_settings" }) writer.Name(name).Raw(name == "export_path" ? "\"\"" : "null");
        writer.Name("progress").Open('[').Close(']').Name("history").Open('{').Name("undo").Open('[').Close(']').Name("redo").Open('[').Close(']').Close('}');
        return writer.Name("version").Open('{').Name("openshot-qt").String("2.6.1").Name("libopenshot").String("0.2.7").Close('}').Close('}') + "\n";
    }

    /// <summary>A whole list: an EDL without events is none.</summary>
    public static byte[] Edl(TimelineIndex index, IReadOnlyList<ConversionTrack> tracks)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"TITLE: {OneLine(index.Name.Length > 0 ? index.Name : "TIMELINE")}\nFCM: {(index.DropFrame ? "DROP FRAME" : "NON-DROP FRAME")}\n\n");
        var number = 0;
        var reels = new Dictionary<string, string>();
        var taken = new HashSet<string>();
        foreach (var track in tracks)
        {
            var channel = track.Kind == TrackKind.Video ? "V" : track.Number == 1 ? "A" : $"A{track.Number}";
            var at = index.StartFrame;
            foreach (var piece in track.Pieces)
            {
                if (piece is ClipPiece { Clip: var clip })
                {
                    if (!reels.TryGetValue(clip.MediaUrl, out var reel)) reels.Add(clip.MediaUrl, reel = EdlReel.NameOf(clip.Name, "AX", taken));
                    var source = clip.SourceRange;
                    text.Append(CultureInfo.InvariantCulture, $"{++number:000}  {reel,-8} {channel,-5} C        {Label(source.Start)} {Label(source.End)} {Label(at)} {Label(at + piece.Duration)}\n");
                    text.Append(CultureInfo.InvariantCulture, $"* FROM CLIP NAME: {EdlSplicer.ClipNameOf(clip)}\n* SOURCE FILE: {EdlSplicer.PathOf(clip)}\n");
                }

                at += piece.Duration;
            }
        }

        return Encoding.UTF8.GetBytes(text.ToString());

        string Label(long frame) => new Timecode(frame, index.Rate, index.DropFrame).ToString();
    }

    private static string OneLine(string text) => string.Concat(text.Select(letter => char.IsControl(letter) ? ' ' : letter));
}
