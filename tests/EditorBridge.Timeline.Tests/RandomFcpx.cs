using System.Globalization;
using System.Xml.Linq;

namespace EditorBridge.Timeline.Tests;

/// <summary>A random FCPXML document: gaps, transitions, connected clips, titles, storylines and sounds, times reduced or not, in a random spelling.</summary>
internal sealed class RandomFcpx
{
    private static readonly FrameRate[] Rates = [FrameRate.Film, FrameRate.F24, FrameRate.Pal, FrameRate.Ntsc, new(60000, 1001)];

    private readonly Random random;
    private readonly FrameRate rate;
    private readonly int minor;
    private readonly XElement resources = new("resources");
    private readonly Dictionary<int, int> laneEnds = [];
    private int names;

    public RandomFcpx(int seed)
    {
        random = new Random(seed);
        rate = Rates[random.Next(Rates.Length)];
        minor = random.Next(8, 14);
        var factor = random.Next(1, 4);
        resources.Add(new XElement("format", new XAttribute("id", "r0"), new XAttribute("frameDuration", $"{rate.Denominator * factor}/{rate.Numerator * factor}s")));
        var tcStart = random.Next(2) * 3600 * rate.Nominal;
        var spine = new XElement("spine");
        var end = Fill(spine, tcStart);
        var sequence = new XElement("sequence", new XAttribute("format", "r0"), new XAttribute("duration", Time(end)), new XAttribute("tcFormat", "NDF"), spine);
        if (tcStart > 0 || random.Next(2) == 0) sequence.Add(new XAttribute("tcStart", Time(tcStart)));
        var project = new XElement("project", new XAttribute("name", "Schnitt é"), sequence);
        var root = new XElement("fcpxml", new XAttribute("version", $"1.{minor}"), resources,
            random.Next(3) switch { 0 => project, 1 => new XElement("event", project), _ => new XElement("library", new XElement("event", project)) });
        Bytes = new OddXml(random).Write(root, "fcpxml");
    }

    public byte[] Bytes { get; }

    private int Fill(XElement spine, int start)
    {
        var at = 0;
        var free = 0;
        var count = random.Next(0, 7);
        for (var i = 0; i < count; i++)
        {
            var length = random.Next(20, 90);
            XElement element;
            if (random.Next(4) == 0)
            {
                element = new XElement("gap", new XAttribute("name", "Gap"), new XAttribute("duration", Time(length)));
                if (random.Next(2) == 0) element.Add(new XAttribute("start", Time(1000)));
                free = 0;
            }
            else
            {
                if (free > 8 && random.Next(3) == 0)
                {
                    var (before, after) = (random.Next(1, 8), random.Next(1, 8));
                    spine.Add(new XElement("transition", new XAttribute("offset", Time(start + at - before)), new XAttribute("duration", Time(before + after))));
                }

                element = Clip("P", length, sound: random.Next(3) == 0);
                free = length - 8;
            }

            if (random.Next(4) > 0) element.Add(new XAttribute("offset", Time(start + at)));
            Connect(element, at, length);
            if (element.Name == "asset-clip" && random.Next(3) == 0) element.Add(new XElement("marker", new XAttribute("start", "1s"), new XAttribute("duration", "1s"), new XAttribute("value", "é < b")));
            if (element.Name == "asset-clip" && random.Next(8) == 0) element.Add(new XElement("filter-video", new XAttribute("name", "Blur")));
            spine.Add(element);
            at += length;
        }

        return at;
    }

    private void Connect(XElement host, int at, int length)
    {
        for (var i = random.Next(0, 3); i > 0; i--)
        {
            var lane = random.Next(3) switch { 0 => 1, 1 => 2, _ => -1 };
            var place = Math.Max(laneEnds.GetValueOrDefault(lane), at + random.Next(length));
            if (place >= at + length) continue;
            var duration = random.Next(5, 60);
            XElement connected;
            switch (lane < 0 ? 0 : random.Next(6))
            {
                case 1:
                    connected = new XElement("title", new XAttribute("name", $"T{names++}"), new XAttribute("duration", Time(duration)), new XElement("text-style-def", new XAttribute("id", $"ts{names}")));
                    break;
                case 2:
                    connected = new XElement("spine", Placed(Clip("S", duration, sound: false), 0), Placed(new XElement("gap", new XAttribute("duration", Time(7))), duration),
                        Placed(Clip("S", 9, sound: false), duration + 7));
                    duration += 16;
                    break;
                default:
                    connected = Clip("C", duration, sound: lane < 0, picture: lane > 0);
                    break;
            }

            laneEnds[lane] = place + duration;
            var hostStart = host.Attribute("start") is { } start ? Frames(start.Value) : 0;
            connected.Add(new XAttribute("lane", lane), new XAttribute("offset", Time(hostStart + place - at)));
            host.Add(connected);
        }
    }

    private XElement Placed(XElement element, int offset)
    {
        element.Add(new XAttribute("offset", Time(offset)));
        return element;
    }

    private XElement Clip(string prefix, int length, bool sound, bool picture = true)
    {
        var name = $"{prefix}{names++}";
        var id = $"a{names}";
        var start = random.Next(2) * 3600 * rate.Nominal;
        var asset = new XElement("asset", new XAttribute("id", id), new XAttribute("start", Time(start)), new XAttribute("duration", Time(200)), new XAttribute("format", "r0"));
        if (picture) asset.Add(new XAttribute("hasVideo", "1"));
        if (sound) asset.Add(new XAttribute("hasAudio", "1"));
        if (minor < 9) asset.Add(new XAttribute("src", $"file:///media/{name}.mov"));
        else asset.Add(new XElement("media-rep", new XAttribute("src", $"file:///media/{name}.mov")));
        resources.Add(asset);
        var clip = new XElement("asset-clip", new XAttribute("ref", id), new XAttribute("name", name), new XAttribute("duration", Time(length)), new XAttribute("start", Time(start + random.Next(10, 60))));
        if (random.Next(12) == 0) clip.Add(new XElement("timeMap", new XElement("timept", new XAttribute("time", "0s"), new XAttribute("value", "0s"))));
        return clip;
    }

    private int Frames(string time) => (int)Fcpx.FcpTime.Parse(time)!.Value.ToFrames(rate)!.Value;

    private string Time(int frames)
    {
        var (numerator, denominator) = ((long)frames * rate.Denominator, rate.Numerator);
        var factor = random.Next(1, 4);
        return numerator % denominator == 0 && random.Next(2) == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{numerator / denominator}s")
            : string.Create(CultureInfo.InvariantCulture, $"{numerator * factor}/{denominator * factor}s");
    }
}
