using System.Globalization;
using System.Xml.Linq;

namespace EditorBridge.Timeline.Tests;

/// <summary>A random FCP7 XML document: gaps, transitions that clips begin and end in, links, files named once, in a random spelling.</summary>
internal sealed class RandomXmeml
{
    private static readonly (int Timebase, bool Ntsc)[] Rates = [(24, true), (24, false), (25, false), (30, true), (60, true)];

    private readonly Random random;
    private readonly int timebase;
    private readonly bool ntsc;
    private readonly bool localhost;
    private readonly List<(XElement Clip, string Kind, int Track, int Place)> clips = [];
    private int names;

    public RandomXmeml(int seed)
    {
        random = new Random(seed);
        (timebase, ntsc) = Rates[random.Next(Rates.Length)];
        localhost = random.Next(2) == 0;
        var video = new XElement("video");
        var audio = new XElement("audio");
        for (var i = random.Next(1, 4); i > 0; i--) video.Add(Track("video", 4 - i));
        for (var i = random.Next(0, 3); i > 0; i--) audio.Add(Track("audio", 3 - i));
        // Some clips are linked in twos.
        for (var i = 0; i + 1 < clips.Count; i += 2)
        {
            if (random.Next(2) == 0) continue;
            var (one, other) = (clips[i], clips[i + 1]);
            foreach (var clip in new[] { one, other }) clip.Clip.Add(Link(one), Link(other));
        }

        var sequence = new XElement("sequence", new XAttribute("id", "s1"), new XElement("name", "Schnitt é"), new XElement("duration", 10), Rate(), new XElement("media", video, audio));
        if (random.Next(2) == 0) sequence.Add(new XElement("timecode", Rate(), new XElement("string", "01:00:00:00"), new XElement("displayformat", "NDF")));
        if (random.Next(2) == 0) sequence.Add(new XElement("marker", new XElement("in", 40), new XElement("out", -1)));
        Bytes = new OddXml(random).Write(new XElement("xmeml", new XAttribute("version", random.Next(4, 6)), random.Next(2) == 0 ? sequence : new XElement("project", new XElement("children", sequence))), "xmeml");
    }

    public byte[] Bytes { get; }

    private XElement Track(string kind, int number)
    {
        var track = new XElement("track");
        var at = 0;
        var free = 0;
        var place = 0;
        XElement? before = null;
        for (var i = random.Next(0, 6); i > 0; i--)
        {
            if (random.Next(3) == 0)
            {
                at += random.Next(1, 60);
                free = 0;
            }

            var length = random.Next(20, 90);
            var name = $"{(kind == "audio" ? 'A' : 'V')}{names++}";
            var source = random.Next(10, 60);
            var clip = new XElement("clipitem", new XAttribute("id", $"c{names}"), new XElement("name", name), new XElement("duration", 200), Rate(), new XElement("start", at), new XElement("end", at + length),
                new XElement("in", source), new XElement("out", source + length), new XElement("pproTicksIn", 1), File(name));
            if (free > 8 && random.Next(3) == 0)
            {
                var (first, second) = (random.Next(1, 8), random.Next(1, 8));
                var alignment = random.Next(3);
                if (alignment == 0) second = first;
                else if (alignment == 1) first = 0;
                else second = 0;
                track.Add(new XElement("transitionitem", new XElement("start", at - first), new XElement("end", at + second), new XElement("alignment", alignment switch { 0 => "center", 1 => "start", _ => "end" })));
                clip.SetElementValue("start", -1);
                clip.SetElementValue("in", source - first);
                before!.SetElementValue("end", -1);
                before.SetElementValue("out", (int)before.Element("out")! + second);
            }

            if (random.Next(8) == 0) clip.Add(new XElement("filter", new XElement("effect", new XElement("effectid", "Gaussian Blur"))));
            if (random.Next(9) == 0) clip.Add(new XElement("filter", new XElement("effect", new XElement("effectid", "timeremap"))));
            track.Add(clip);
            clips.Add((clip, kind, number, ++place));
            at += length;
            free = length - 8;
            before = clip;
        }

        if (random.Next(2) == 0) track.Add(new XElement("enabled", "TRUE"), new XElement("locked", "FALSE"));
        return track;
    }

    private XElement File(string name) => new("file", new XAttribute("id", $"f{name}"), new XElement("pathurl", $"file://{(localhost ? "localhost" : "")}/media/%C3%A9%20{name}.mov"), Rate(), new XElement("duration", 200),
        new XElement("timecode", Rate(), new XElement("frame", random.Next(2) * 3600 * timebase)));

    private static XElement Link((XElement Clip, string Kind, int Track, int Place) clip) => new("link", new XElement("linkclipref", clip.Clip.Attribute("id")!.Value), new XElement("mediatype", clip.Kind),
        new XElement("trackindex", clip.Track), new XElement("clipindex", clip.Place));

    private XElement Rate() => new("rate", new XElement("timebase", timebase.ToString(CultureInfo.InvariantCulture)), new XElement("ntsc", ntsc ? "TRUE" : "FALSE"));
}
