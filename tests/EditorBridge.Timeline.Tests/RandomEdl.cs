using System.Globalization;
using System.Text;

namespace EditorBridge.Timeline.Tests;

/// <summary>A random EDL: gaps, dissolves, speeds, sound in the same line or in its own, odd columns and remarks.</summary>
internal sealed class RandomEdl
{
    private static readonly FrameRate[] Rates = [FrameRate.Film, FrameRate.F24, FrameRate.Pal, FrameRate.Ntsc, new(60000, 1001)];

    public RandomEdl(int seed)
    {
        var random = new Random(seed);
        Rate = Rates[random.Next(Rates.Length)];
        var drop = Timecode.CanDropFrames(Rate) && random.Next(2) == 0;
        var newLine = random.Next(5) switch { 0 or 1 => "\n", 2 => "\r", _ => "\r\n" };
        var text = new StringBuilder(random.Next(4) == 0 ? "\uFEFF" : "").Append("TITLE: Schnitt é").Append(newLine);
        text.Append(drop ? "FCM: DROP FRAME" : "FCM: NON-DROP FRAME").Append(newLine);
        string Time(long frame) => new Timecode(frame, Rate, drop).ToString();
        var hour = Timecode.Parse("01:00:00:00", Rate, drop).Value.Frame;
        var at = hour;
        var free = 0;
        var numbers = 0;
        var wide = random.Next(2) == 0;
        for (var i = random.Next(1, 9); i > 0; i--)
        {
            if (random.Next(3) == 0)
            {
                at += random.Next(1, 60);
                free = 0;
            }

            var length = random.Next(20, 90);
            var source = hour * random.Next(2) + random.Next(10, 60);
            var number = (++numbers).ToString("000", CultureInfo.InvariantCulture);
            var name = $"V{numbers}";
            var channels = random.Next(5) switch { 0 => "B", 1 => "AA/V", _ => "V" };
            var mix = free > 8 && random.Next(3) == 0 ? random.Next(1, 8) : 0;
            var retimed = mix == 0 && random.Next(9) == 0;
            if (mix > 0) text.Append(Line(number, "OLD", "V", "C", source, source, at, at));
            text.Append(Line(number, $"R{numbers}", channels, mix > 0 ? $"D    {mix:000}" : "C       ", source, source + length, at, at + length));
            if (retimed) text.Append(CultureInfo.InvariantCulture, $"M2   R{numbers}       012.0                {Time(source)}{newLine}");
            text.Append(CultureInfo.InvariantCulture, $"* {(mix > 0 ? "TO" : "FROM")} CLIP NAME:  {name}.mov{newLine}");
            if (random.Next(2) == 0) text.Append(CultureInfo.InvariantCulture, $"* SOURCE FILE: /media/é {name}.mov{newLine}");
            if (random.Next(4) == 0) text.Append(newLine);
            at += length;
            free = length - 8;
        }

        if (random.Next(3) == 0) text.Append(Line("900", "MUSIC", "A3", "C", 0, at - hour, hour, at));
        Bytes = Encoding.UTF8.GetBytes(random.Next(2) == 0 ? text.ToString() : text.ToString().TrimEnd());

        string Line(string number, string reel, string channels, string type, long first, long last, long from, long to) => wide
            ? $"{number}  {reel,-8} {channels,-5} {type,-8} {Time(first)} {Time(last)} {Time(from)} {Time(to)}{newLine}"
            : $"{number} {reel} {channels} {type.Trim()} {Time(first)} {Time(last)} {Time(from)} {Time(to)} {newLine}";
    }

    public FrameRate Rate { get; }

    public byte[] Bytes { get; }
}
