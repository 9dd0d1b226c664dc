using System.Globalization;
using System.Text;

namespace EditorBridge.Timeline.Tests;

/// <summary>
/// A random MLT document of melt, Shotcut or Kdenlive (with one timeline, or with a sequence) in a random spelling: times as
/// frames or clock values, quotes and line endings of both kinds, comments, references, any indentation or none.
/// </summary>
internal sealed class RandomMlt
{
    private static readonly FrameRate[] Rates = [FrameRate.Film, FrameRate.F24, FrameRate.Pal, FrameRate.Ntsc, new(60000, 1001)];

    private readonly Random random;
    private readonly StringBuilder text = new();
    private readonly string newLine;
    private readonly string indent;
    private readonly char quote;
    private readonly bool clock;
    private readonly bool comments;
    private readonly FrameRate rate;
    private readonly int dialect;
    private int depth;
    private int clips;

    public RandomMlt(int seed)
    {
        random = new Random(seed);
        newLine = Pick("\n", "\r\n", "");
        indent = Pick("  ", " ", "\t", "");
        quote = Pick('"', '\'');
        clock = random.Next(2) == 0;
        comments = random.Next(3) == 0;
        rate = Rates[random.Next(Rates.Length)];
        dialect = random.Next(4);
        if (random.Next(3) == 0) text.Append('\uFEFF');
        text.Append("<?xml version='1.0' encoding='utf-8'?>");
        Element("mlt", ["LC_NUMERIC", "C"], () =>
        {
            Element("profile", ["frame_rate_num", $"{rate.Numerator}", "frame_rate_den", $"{rate.Denominator}", "width", "64", "height", "64"]);
            if (dialect == 2) Bin();
            Element("producer", ["id", "black", "in", Time(0), "out", Time(9)], () => Property("mlt_service", "color"));
            if (dialect == 1) Element("playlist", ["id", "background"], () => Entry("black", 0, 9));
            var kinds = Enumerable.Repeat("video", random.Next(1, 4)).Concat(Enumerable.Repeat("audio", random.Next(0, 3))).OrderBy(_ => random.Next()).ToList();
            for (var i = 0; i < kinds.Count; i++) Track(i, kinds[i] == "audio");
            Element("tractor", ["id", "main", "in", Time(0), "out", Time(0)], () =>
            {
                if (dialect == 1) Property("shotcut", "1");
                if (dialect == 3) Property("kdenlive:uuid", "{1}");
                if (dialect > 0) Element("track", ["producer", dialect == 1 ? "background" : "black"]);
                for (var i = 0; i < kinds.Count; i++)
                {
                    var target = (dialect > 1 ? "t" : "p") + i;
                    Element("track", dialect < 2 && kinds[i] == "audio" ? ["producer", target, "hide", "video"] : ["producer", target]);
                }
            });
            if (dialect == 3)
            {
                Bin();
                Element("tractor", ["id", "project"], () =>
                {
                    Property("kdenlive:projectTractor", "1");
                    Element("track", ["producer", "main", "out", Time(0)]);
                });
            }
        });
        text.Append(random.Next(2) == 0 ? "\n" : "");
        Bytes = Encoding.UTF8.GetBytes(text.ToString());
    }

    public byte[] Bytes { get; }

    private void Bin() => Element("playlist", ["id", "main_bin"], () =>
    {
        Property("kdenlive:docproperties.version", "1");
        if (dialect == 3) Property("kdenlive:docproperties.activetimeline", "{1}");
        Property("xml_retain", "1");
    });

    private void Track(int number, bool audio)
    {
        var first = new List<(int Start, int Length, Action Write)>();
        var second = new List<(int Start, int Length, Action Write)>();
        var mixes = new List<(int Start, int End)>();
        var at = 0;
        var count = random.Next(0, 6);
        var onSecond = false;
        var free = 0;
        for (var i = 0; i < count; i++)
        {
            if (random.Next(3) == 0)
            {
                at += random.Next(1, 60);
                free = 0;
            }

            var length = random.Next(20, 90);
            var (id, source) = Clip($"{(audio ? 'A' : 'V')}{number}.{i}");
            var mix = free > 8 && random.Next(3) == 0 ? random.Next(1, 8) : 0;
            if (mix > 0 && dialect > 1)
            {
                onSecond = !onSecond;
                at -= mix;
                mixes.Add((at, at + mix));
            }
            else if (mix > 0 && dialect == 1)
            {
                // Shotcut's transition takes frames of its own from both clips.
                var id2 = $"x{number}.{i}";
                Element("tractor", ["id", id2, "out", Time(mix - 1)], () => Property("shotcut:transition", "lumaMix"));
                first.Add((at, mix, () => Entry(id2, 0, mix - 1)));
                at += mix;
            }

            var place = at;
            (onSecond ? second : first).Add((place, length, () => Entry(id, source, source + length - 1)));
            at += length;
            free = length - 8;
        }

        Playlist($"p{number}", number, audio, first);
        if (dialect < 2) return;
        Playlist($"q{number}", number, audio, second);
        Element("tractor", ["id", $"t{number}"], () =>
        {
            if (audio) Property("kdenlive:audio_track", "1");
            Property("kdenlive:track_name", "Spür " + number);
            Element("track", ["hide", audio ? "video" : "audio", "producer", $"p{number}"]);
            Element("track", ["hide", audio ? "video" : "audio", "producer", $"q{number}"]);
            foreach (var (start, end) in mixes) Element("transition", ["in", Time(start), "out", Time(end - 1)], () => Property("mlt_service", "luma"));
        });
    }

    private void Playlist(string id, int number, bool audio, List<(int Start, int Length, Action Write)> items)
    {
        if (items.Count == 0 && dialect != 1)
        {
            Element("playlist", ["id", id]);
            return;
        }

        Element("playlist", ["id", id], () =>
        {
            if (dialect == 1) Property(audio ? "shotcut:audio" : "shotcut:video", "1");
            var at = 0;
            foreach (var item in items)
            {
                if (item.Start > at)
                {
                    // A gap may be written as two blanks.
                    var half = random.Next(4) == 0 ? (item.Start - at) / 2 : 0;
                    if (half > 0) Element("blank", ["length", Time(half)]);
                    Element("blank", ["length", Time(item.Start - at - half)]);
                }

                item.Write();
                at = item.Start + item.Length;
            }
        });
    }

    private (string Id, int Source) Clip(string name)
    {
        var id = "clip" + clips++;
        Element(Pick("producer", "chain"), ["id", id, "out", Time(199)], () =>
        {
            Property("length", "200");
            Property("resource", $"/media/é & {name}.mov");
            Property("mlt_service", random.Next(9) == 0 ? "timewarp" : "avformat");
            Property(dialect == 0 ? "editorbridge:name" : dialect == 1 ? "shotcut:caption" : "kdenlive:clipname", name);
            if (random.Next(8) == 0) Element("filter", [], () => Property("mlt_service", "brightness"));
        });
        return (id, random.Next(10, 60));
    }

    private void Entry(string producer, int first, int last)
    {
        string[] attributes = random.Next(2) == 0
            ? ["producer", producer, "in", Time(first), "out", Time(last)]
            : ["out", Time(last), "in", Time(first), "producer", producer];
        if (random.Next(3) == 0) Element("entry", attributes, () => Property("kdenlive:x", "<1>"));
        else Element("entry", attributes);
    }

    private string Time(long frames) => Mlt.MltTime.Spell(frames, rate, clock ? "00:00:00.000" : null);

    private void Property(string name, string value)
    {
        Break();
        text.Append(CultureInfo.InvariantCulture, $"<property name={quote}{name}{quote}>{Xml.XmlText.Escape(value).Replace("é", Pick("é", "&#233;", "&#xE9;"), StringComparison.Ordinal)}</property>");
    }

    private void Element(string name, string[] attributes, Action? inner = null)
    {
        if (comments && random.Next(6) == 0)
        {
            Break();
            text.Append("<!-- <entry/> & so on -->");
        }

        if (depth > 0) Break();
        text.Append('<').Append(name);
        for (var i = 0; i < attributes.Length; i += 2) text.Append(CultureInfo.InvariantCulture, $" {attributes[i]}={quote}{Xml.XmlText.Escape(attributes[i + 1])}{quote}");
        if (inner is null)
        {
            text.Append(Pick("/>", " />"));
            return;
        }

        text.Append('>');
        depth++;
        inner();
        depth--;
        Break();
        text.Append(CultureInfo.InvariantCulture, $"</{name}>");
    }

    private void Break()
    {
        text.Append(newLine);
        if (newLine.Length == 0) return;
        for (var i = 0; i < depth; i++) text.Append(indent);
    }

    private T Pick<T>(params T[] choices) => choices[random.Next(choices.Length)];
}
