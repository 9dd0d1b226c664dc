using System.Globalization;
using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Fcpx;

/// <summary>The formats, assets and media that a document's elements refer to.</summary>
internal sealed class FcpxResources
{
    private readonly Dictionary<string, XmlNode> byId = [];

    public FcpxResources(XmlNode root)
    {
        Node = root.Child("resources");
        foreach (var resource in Node?.Children ?? [])
        {
            if (resource["id"] is { } id && !byId.TryAdd(id, resource)) Duplicate ??= id;
        }
    }

    public XmlNode? Node { get; }

    /// <summary>An id that two resources have.</summary>
    public string? Duplicate { get; }

    public XmlNode? Find(string? id, string kind) => id is not null && byId.TryGetValue(id, out var node) && node.Name == kind ? node : null;

    /// <summary>The frame duration of a format, as it is spelled, and its rate; null where it has none.</summary>
    public static (FcpTime FrameDuration, FrameRate Rate, long Over)? RateOf(XmlNode? format)
    {
        if (format is null) return null;
        if (FcpTime.Parse(format["frameDuration"]) is { Numerator: > 0 } duration)
        {
            if (duration.Denominator / duration.Numerator > 1000 || duration.Numerator / duration.Denominator > 10) return null;
            var text = format["frameDuration"]!;
            var slash = text.IndexOf('/', StringComparison.Ordinal);
            var over = slash < 0 ? 1 : long.Parse(text.AsSpan(slash + 1).TrimEnd().TrimEnd('s'), CultureInfo.InvariantCulture);
            return (duration, new FrameRate(duration.Denominator, duration.Numerator), over);
        }

        // Predefined formats say it in their names alone: FFVideoFormat1080p2398, FFVideoFormat1080i5994.
        var name = format["name"] ?? "";
        var letter = name.LastIndexOfAny(['p', 'i']);
        FrameRate? rate = letter < 0 ? null : name[letter..] switch
        {
            "p2398" => FrameRate.Film,
            "p24" => FrameRate.F24,
            "p25" or "i50" => FrameRate.Pal,
            "p2997" or "i5994" => FrameRate.Ntsc,
            "p30" or "i60" => new FrameRate(30),
            "p50" => new FrameRate(50),
            "p5994" => new FrameRate(60000, 1001),
            "p60" => new FrameRate(60),
            _ => null,
        };
        return rate is { } known ? (FcpTime.Frames(1, known), known, known.Numerator) : null;
    }

    /// <summary>Where an asset's medium is: a media-rep from version 1.9 on, before that an attribute.</summary>
    public static string? UrlOf(XmlNode asset) =>
        (asset.All("media-rep").FirstOrDefault(rep => rep["kind"] is null or "original-media") ?? asset.Child("media-rep"))?["src"] ?? asset["src"];

    public MediaReference ReferenceTo(XmlNode asset, FrameRate rate)
    {
        var held = FcpTime.Parse(asset["duration"]) is { Numerator: > 0 } duration && (FcpTime.Parse(asset["start"]) ?? FcpTime.Zero).ToFrames(rate) is { } start
            ? new MediaRange(rate, start, duration.Floor(rate))
            : (MediaRange?)null;
        return new MediaReference { Schema = "asset", Url = UrlOf(asset), AvailableRange = held is { Duration: > 0 } ? held : null };
    }
}
