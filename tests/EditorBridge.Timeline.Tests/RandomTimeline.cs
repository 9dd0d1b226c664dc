using System.Globalization;
using System.Text;

namespace EditorBridge.Timeline.Tests;

/// <summary>
/// A random OpenTimelineIO document in a random spelling: line endings, byte order mark, indentation of any kind, escaped
/// unicode, numbers as 100, 100.0 and 1e2, duplicate keys, both clip schemas, rates cut off or rounded.
/// </summary>
internal sealed class RandomTimeline
{
    private static readonly (FrameRate Rate, string[] Spellings)[] Rates =
    [
        (FrameRate.Film, ["23.976", "23.98", "23.976023976023978", "2.3976e1"]),
        (FrameRate.F24, ["24", "24.0", "2.4e1"]),
        (FrameRate.Pal, ["25", "25.0", "250e-1"]),
        (FrameRate.Ntsc, ["29.97", "29.97002997002997"]),
    ];

    private readonly Random random;
    private readonly StringBuilder text = new();
    private readonly string newLine;
    private readonly string indent;
    private readonly string colon;
    private readonly bool odd;
    private readonly bool oldClips;
    private readonly bool duplicates;
    private readonly string rate;
    private int depth;

    public RandomTimeline(int seed)
    {
        random = new Random(seed);
        newLine = Pick("\n", "\r\n", "");
        indent = Pick("  ", "    ", "\t", "   ", "");
        colon = Pick(":", ": ", " : ");
        odd = random.Next(3) == 0;
        oldClips = random.Next(2) == 0;
        duplicates = random.Next(2) == 0;
        (Rate, var spellings) = Rates[random.Next(Rates.Length)];
        rate = spellings[random.Next(spellings.Length)];
        if (random.Next(3) == 0) text.Append('\uFEFF');
        Object(() =>
        {
            Member("OTIO_SCHEMA", () => Literal("\"Timeline.1\""));
            Decoys("name", "tracks");
            Member("name", () => Text("Schnitt é日😀 \"1\"/\\"));
            Member("metadata", () => Literal("{\"a\" :[ 1,\n\n 2.50 , 1E-2]}"));
            Member("global_start_time", () => Time(random.Next(2) * 86400));
            Member("tracks", () => Object(() =>
            {
                Member("OTIO_SCHEMA", () => Literal("\"Stack.1\""));
                if (random.Next(2) == 0) Member("markers", () => Array(() => Element(Marker)));
                Decoys("children", "name");
                Member("children", () => Array(Tracks));
                Member("source_range", () => Literal("null"));
            }));
        });
        text.Append(random.Next(2) == 0 ? "\n" : "");
        Bytes = Encoding.UTF8.GetBytes(text.ToString());
    }

    public FrameRate Rate { get; }

    public byte[] Bytes { get; }

    private void Tracks()
    {
        var videos = random.Next(1, 4);
        var audios = random.Next(0, 3);
        for (var i = 0; i < videos; i++) Element(() => Track("Video", i));
        for (var i = 0; i < audios; i++) Element(() => Track("Audio", i));
    }

    private void Track(string kind, int number) => Object(() =>
    {
        Member("OTIO_SCHEMA", () => Literal("\"Track.1\""));
        Decoys("kind", "children");
        Member("children", () => Array(() =>
        {
            var count = random.Next(0, 7);
            for (var i = 0; i < count; i++)
            {
                var item = $"{kind[0]}{number}.{i}";
                switch (random.Next(10))
                {
                    case < 3:
                        Element(() => Gap(random.Next(1, 60)));
                        break;
                    case 9 when i > 0:
                        Element(() => Transition(random.Next(0, 4), random.Next(0, 4)));
                        Element(() => Clip(item));
                        break;
                    default:
                        Element(() => Clip(item));
                        break;
                }
            }
        }));
        Member("kind", () => Text(kind));
        Member("name", () => Text($"{kind} {number + 1}"));
        Member("source_range", () => Literal("null"));
    });

    private void Clip(string name)
    {
        var duration = random.Next(1, 100);
        var handle = random.Next(0, 30);
        var start = random.Next(2) * 3600 * 24;
        Object(() =>
        {
            Member("OTIO_SCHEMA", () => Literal(oldClips ? "\"Clip.1\"" : "\"Clip.2\""));
            var trimmed = random.Next(4) != 0;
            Decoys("name", "enabled", trimmed ? "source_range" : "name");
            Member("name", () => Text(name));
            Member("metadata", () => Literal("{ \"grade\": {\"lift\": 0.10} }"));
            if (trimmed) Member("source_range", () => Range(start + handle, duration));
            else if (random.Next(2) == 0) Member("source_range", () => Literal("null"));
            Member("effects", () => Array(() =>
            {
                if (random.Next(8) == 0) Element(() => Literal("{\"OTIO_SCHEMA\":\"LinearTimeWarp.1\",\"time_scalar\":0.5}"));
                else if (random.Next(8) == 0) Element(() => Literal("{\"OTIO_SCHEMA\":\"Effect.1\",\"effect_name\":\"Blur\"}"));
            }));
            void Reference() => Object(() =>
            {
                Member("OTIO_SCHEMA", () => Literal("\"ExternalReference.1\""));
                Member("target_url", () => Text($"file:///media/{name}.mov"));
                Member("available_range", () => Range(start, duration + 2 * handle));
            });
            if (oldClips)
            {
                Member("media_reference", Reference);
            }
            else
            {
                Member("media_references", () => Object(() => Member("DEFAULT_MEDIA", Reference)));
                Member("active_media_reference_key", () => Text("DEFAULT_MEDIA"));
            }
        });
    }

    private void Gap(int duration) => Object(() =>
    {
        Member("OTIO_SCHEMA", () => Literal("\"Gap.1\""));
        Member("name", () => Literal("\"\""));
        Member("source_range", () => Range(0, duration));
    });

    private void Transition(int before, int after) => Object(() =>
    {
        Member("OTIO_SCHEMA", () => Literal("\"Transition.1\""));
        Member("in_offset", () => Time(before));
        Member("out_offset", () => Time(after));
    });

    private void Marker() => Object(() =>
    {
        Member("OTIO_SCHEMA", () => Literal("\"Marker.2\""));
        Member("name", () => Text("Märker"));
        Member("marked_range", () => Range(random.Next(200), 1));
    });

    private void Range(long start, long duration) => Object(() =>
    {
        Member("OTIO_SCHEMA", () => Literal("\"TimeRange.1\""));
        Decoys("start_time");
        Member("start_time", () => Time(start));
        Member("duration", () => Time(duration));
    });

    private void Time(long value) => Object(() =>
    {
        Member("OTIO_SCHEMA", () => Literal("\"RationalTime.1\""));
        Decoys("value");
        Member("rate", () => Literal(rate));
        Member("value", () => Literal(Number(value)));
    });

    private string Number(long value)
    {
        var digits = value.ToString(CultureInfo.InvariantCulture);
        return random.Next(5) switch
        {
            0 => digits + ".0",
            1 => digits + ".000",
            2 when value % 10 == 0 && value > 0 => (value / 10).ToString(CultureInfo.InvariantCulture) + "e1",
            3 when value > 0 => digits + "0E-1",
            _ => digits,
        };
    }

    // Members that a later one of the same name makes void.
    private void Decoys(params string[] names)
    {
        if (!duplicates) return;
        foreach (var name in names)
        {
            if (random.Next(3) == 0) Member(name, () => Literal(Pick("null", "[]", "\"decoy\"", "-1", "{\"OTIO_SCHEMA\":\"Stack.1\"}")));
        }
    }

    private void Object(Action members) => Bracketed('{', '}', members);

    private void Array(Action elements) => Bracketed('[', ']', elements);

    private void Bracketed(char open, char close, Action inner)
    {
        text.Append(open);
        depth++;
        var mark = text.Length;
        inner();
        depth--;
        if (text.Length > mark) Break();
        text.Append(close);
    }

    private void Member(string name, Action value)
    {
        Element(() =>
        {
            Text(name);
            text.Append(colon);
            value();
        });
    }

    private void Element(Action value)
    {
        if (text[^1] is not ('{' or '[')) text.Append(odd ? Pick(",", " ,", ", ") : ",");
        Break();
        value();
    }

    private void Break()
    {
        text.Append(newLine);
        if (odd)
        {
            text.Append(' ', random.Next(0, 9));
            return;
        }

        if (newLine.Length == 0) return;
        for (var i = 0; i < depth; i++) text.Append(indent);
    }

    private void Literal(string value) => text.Append(value);

    private void Text(string value)
    {
        text.Append('"');
        foreach (var rune in value.EnumerateRunes())
        {
            if (rune.Value is '"' or '\\') text.Append('\\').Append(rune);
            else if (rune.Value == '/' && random.Next(2) == 0) text.Append("\\/");
            else if ((rune.Value > 126 && random.Next(2) == 0) || random.Next(12) == 0)
                foreach (var unit in rune.ToString()) text.Append(CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}");
            else text.Append(rune);
        }

        text.Append('"');
    }

    private T Pick<T>(params T[] choices) => choices[random.Next(choices.Length)];
}
