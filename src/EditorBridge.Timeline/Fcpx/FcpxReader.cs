using System.Globalization;
using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Fcpx;

/// <summary>Reads storylines and what is connected to their clips.</summary>
internal sealed class FcpxReader(FcpxIndexer indexer)
{
    private readonly FrameRate rate = indexer.Rate;

    public static bool IsStoryElement(string name) =>
        name is "asset-clip" or "clip" or "video" or "audio" or "title" or "caption" or "mc-clip" or "ref-clip" or "sync-clip" or "audition" or "gap";

    /// <summary>Reads a storyline: its elements follow each other, and their offsets, where they are written, have to say the same.</summary>
    public void ReadSpine(XmlNode spine, FcpTime start, FcpTime? ownBase, int lane, FcpxElement? host, FcpxElement? storyline, List<FcpxElement> into)
    {
        var at = start;
        var track = indexer.Lane(lane, TrackKind.Video);
        FcpTime? shift = null;
        foreach (var node in spine.Children)
        {
            var isTransition = node.Name == "transition";
            if (!isTransition && !IsStoryElement(node.Name)) continue;
            var offset = FcpTime.Parse(node["offset"]);
            if (node["offset"] is not null && offset is null)
            {
                track.Problem ??= NoTime(node, "offset");
                return;
            }

            // Where the storyline begins on its own clock: what its first element says.
            shift ??= start.Minus(offset ?? ownBase ?? FcpTime.Zero);
            var written = offset is { } own && shift is { } by ? own.Plus(by) : null;
            if (DurationOf(node) is not { } duration)
            {
                track.Problem ??= NoTime(node, "duration");
                return;
            }

            if (isTransition)
            {
                var element = new FcpxElement { Node = node, Host = host, Storyline = storyline, Lane = lane, Start = written ?? at, Base = FcpTime.Zero };
                into.Add(element);
                // A transition of an odd number of frames may begin between two; what it touches counts as mixed.
                if (written is { } place && at.ToFrames(rate) is { } cut && place.Plus(duration) is { } mixEnd && mixEnd.Ceiling(rate) is var to && place.Floor(rate) is var from && from <= cut && cut <= to)
                    track.Add(new TrackItem { Index = 0, Kind = ItemKind.Transition, Name = node["name"] ?? "", RecordRange = FrameRange.Between(from, to), Cut = cut }, element);
                else
                    track.Problem ??= new Refusal("TRANSITION_IN_WAY", $"the transition '{node["name"]}' does not lie at a cut.");
                continue;
            }

            if (written is { } said && said != at)
            {
                track.Problem ??= new Refusal("ITEM_UNKNOWN", $"'{node["name"]}' does not begin where the one before it ends.");
                return;
            }

            ReadElement(node, at, duration, lane, host, storyline, into);
            if (at.Plus(duration) is not { } end)
            {
                track.Problem ??= NoTime(node, "duration");
                return;
            }

            at = end;
        }
    }

    private void ReadElement(XmlNode node, FcpTime start, FcpTime duration, int lane, FcpxElement? host, FcpxElement? storyline, List<FcpxElement> into)
    {
        var kind = node.Name == "caption" ? TrackKind.Other : IsSoundOnly(node) ? TrackKind.Audio : TrackKind.Video;
        // A sound in the primary storyline takes its place there.
        var track = indexer.Lane(lane, host is null && storyline is null ? TrackKind.Video : kind);
        var element = new FcpxElement { Node = node, Host = host, Storyline = storyline, Lane = lane, Start = start, Base = BaseOf(node) };
        into.Add(element);
        if (start.ToFrames(rate) is { } from && duration.ToFrames(rate) is { } frames && frames >= 0)
        {
            var isGap = node.Name == "gap";
            if (!isGap || storyline is not null || host is null) track.Add(Item(node, element, new FrameRange(from, frames), inStoryline: storyline is not null), element);
        }
        else
        {
            track.Problem ??= new Refusal("OFF_GRID", $"'{node["name"]}' does not begin and end on whole frames at {rate}.");
        }

        if (node.Name == "audition") return;
        foreach (var child in node.Children)
        {
            if (child["lane"] is not { } text || (!IsStoryElement(child.Name) && child.Name != "spine")) continue;
            var childTrack = indexer.Lane(lane, TrackKind.Video);
            if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var own) || Math.Abs((long)own) > 10_000 || Math.Abs((long)lane + own) > 10_000)
            {
                childTrack.Problem ??= new Refusal("ITEM_UNKNOWN", $"'{child["name"]}' lies in the lane '{text}', which is no lane.");
                continue;
            }

            if (own == 0) continue;
            ReadConnected(child, element, lane + own);
        }
    }

    private void ReadConnected(XmlNode node, FcpxElement host, int lane)
    {
        var offset = node["offset"] is null ? FcpTime.Zero : FcpTime.Parse(node["offset"]);
        var start = offset?.Minus(host.Base) is { } since ? host.Start.Plus(since) : null;
        if (start is not { } place)
        {
            indexer.Lane(lane, TrackKind.Video).Problem ??= NoTime(node, "offset");
            return;
        }

        if (node.Name == "spine")
        {
            var storyline = new FcpxElement { Node = node, Host = host, Lane = lane, Start = place, Base = FcpTime.Zero };
            host.Inner.Add(storyline);
            ReadSpine(node, place, null, lane, host, storyline, storyline.Inner);
            return;
        }

        if (DurationOf(node) is not { } duration)
        {
            indexer.Lane(lane, TrackKind.Video).Problem ??= NoTime(node, "duration");
            return;
        }

        ReadElement(node, place, duration, lane, host, null, host.Inner);
    }

    private TrackItem Item(XmlNode node, FcpxElement element, FrameRange place, bool inStoryline)
    {
        var item = new TrackItem
        {
            Index = 0,
            Kind = node.Name switch
            {
                // A storyline keeps its lane while it pauses, so nothing can be put there.
                "gap" => inStoryline ? ItemKind.Nested : ItemKind.Gap,
                "ref-clip" or "sync-clip" or "mc-clip" or "audition" => ItemKind.Nested,
                _ => ItemKind.Clip,
            },
            Name = node.Name == "gap" ? inStoryline ? "gap of a connected storyline" : "" : node["name"] ?? "",
            RecordRange = place,
            Enabled = node["enabled"] != "0",
            Effects = node.Name == "gap" ? [] : [.. Effects(node)],
        };
        if (item.Kind != ItemKind.Clip) return item;
        var (asset, mediaStart) = Asset(node, element.Base);
        if (asset is null) return item with { Media = new MediaReference { Schema = node.Name } };
        var mediaRate = FcpxResources.RateOf(indexer.Resources.Find(asset["format"], "format"))?.Rate ?? rate;
        return item with
        {
            Media = indexer.Resources.ReferenceTo(asset, mediaRate),
            SourceRange = mediaStart?.ToFrames(mediaRate) is { } first && FrameConversion.Floor(place.Duration, rate, mediaRate) is { } shown ? new MediaRange(mediaRate, first, shown) : null,
        };
    }

    /// <summary>The asset that an element shows, and the place in it of the element's first frame.</summary>
    private (XmlNode? Asset, FcpTime? Start) Asset(XmlNode node, FcpTime first)
    {
        if (node.Name != "clip") return (indexer.Resources.Find(node["ref"], "asset"), first);
        var media = node.Children.FirstOrDefault(child => child["lane"] is null or "0" && child.Name is "video" or "audio" or "asset-clip");
        if (media is null || indexer.Resources.Find(media["ref"], "asset") is not { } asset) return (null, null);
        var offset = FcpTime.Parse(media["offset"]) ?? FcpTime.Zero;
        return (asset, first.Minus(offset)?.Plus(BaseOf(media)));
    }

    private FcpTime BaseOf(XmlNode node) =>
        FcpTime.Parse(node["start"]) ?? (node.Name is "asset-clip" or "video" or "audio" ? FcpTime.Parse(indexer.Resources.Find(node["ref"], "asset")?["start"]) : null) ?? FcpTime.Zero;

    private FcpTime? DurationOf(XmlNode node)
    {
        var text = node["duration"] ?? node.Name switch
        {
            "asset-clip" => indexer.Resources.Find(node["ref"], "asset")?["duration"],
            "ref-clip" => indexer.Resources.Find(node["ref"], "media")?.Child("sequence")?["duration"],
            "audition" => node.Children.FirstOrDefault()?["duration"],
            _ => null,
        };
        return FcpTime.Parse(text) is { Numerator: >= 0 } duration ? duration : null;
    }

    private bool IsSoundOnly(XmlNode node) => node.Name switch
    {
        "audio" => true,
        "asset-clip" => node["srcEnable"] == "audio" || (indexer.Resources.Find(node["ref"], "asset") is { } asset && asset["hasVideo"] != "1"),
        "ref-clip" or "mc-clip" or "sync-clip" => node["srcEnable"] == "audio",
        "clip" => node.Children.Any(child => child.Name == "audio") && !node.Children.Any(child => child.Name is "video" or "spine" or "asset-clip"),
        _ => false,
    };

    private static IEnumerable<ItemEffect> Effects(XmlNode node)
    {
        foreach (var child in node.Children)
        {
            if (child.Name == "timeMap" || (child.Name == "conform-rate" && child["scaleEnabled"] != "0"))
                yield return new ItemEffect(child.Name, "speed", ChangesTime: true);
            else if (child.Name is "filter-video" or "filter-audio" or "filter-video-mask")
                yield return new ItemEffect(child.Name, child["name"] ?? "", ChangesTime: false);
            else if (child.Name.StartsWith("adjust-", StringComparison.Ordinal) && child.SelfAndInner().Any(inner => inner.Name is "keyframe" or "keyframeAnimation" or "fadeIn" or "fadeOut"))
                yield return new ItemEffect(child.Name, "", ChangesTime: false);
        }

        if (node["audioStart"] is not null || node["audioDuration"] is not null) yield return new ItemEffect("audioStart", "split edit", ChangesTime: false);
        if (node.Name == "title") yield return new ItemEffect("title", "", ChangesTime: false);
    }

    private static Refusal NoTime(XmlNode node, string attribute) =>
        new("ITEM_UNKNOWN", $"'{node["name"] ?? node.Name}' has no {attribute} that can be counted with ({attribute}=\"{node[attribute]}\").");
}
