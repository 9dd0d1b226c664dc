using System.Text;
using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Fcpx;

/// <summary>Carries an edit out on the text of an FCPXML document.</summary>
/// <remarks>
/// The primary storyline is laid out anew piece by piece; then everything that is connected to it is given its offset on the clock of
/// the piece that lies at its start now, and goes there where that is another than before.
/// </remarks>
internal sealed class FcpxSplicer(FcpxDocument document, TimelineEdit edit, List<TextSplice> splices)
{
    private readonly FcpxIndexer indexer = document.Indexer;
    private readonly FrameRate rate = document.Index.Rate;
    private readonly FcpxNewClip news = new(document.Indexer, splices);
    private readonly Dictionary<FcpxElement, List<Kept>> kept = [];
    private readonly List<Target> targets = [];

    private static readonly FrameRate FinerThanFrames = new(720_000);

    private sealed record Kept(KeptPiece Piece, long Start);

    private sealed class Target(TrackPiece piece, FrameRange place, FcpTime @base)
    {
        public TrackPiece Piece => piece;

        public FrameRange Place { get; set; } = place;

        /// <summary>Its clock at its first frame.</summary>
        public FcpTime Base => @base;

        public FcpxElement? Element { get; init; }

        /// <summary>Whether the element stays where it is, rather than being repeated for the second half of a cut.</summary>
        public bool InPlace { get; init; }

        public List<(FcpTime Start, string Text)> Hosted { get; } = [];

        public IReadOnlyList<string> HostedTexts => [.. Hosted.OrderBy(entry => entry.Start.Floor(FinerThanFrames)).Select(entry => entry.Text)];
    }

    public Refusal? Splice()
    {
        var primary = document.Index.Tracks[indexer.PrimaryTrack];
        if (primary.Problem is { } unreadable) return unreadable;
        if (edit.Changes.Any(change => !FcpTime.CanCount(TrackPieces.DurationOf(change.Pieces), rate)
                || change.Pieces.OfType<ClipPiece>().Any(piece => piece.Clip is var clip
                    && (!FcpTime.CanCount(clip.SourceRange.End, clip.SourceRange.Rate) || !FcpTime.CanCount(clip.AvailableRange.Start, clip.AvailableRange.Rate) || !FcpTime.CanCount(clip.AvailableRange.End, clip.AvailableRange.Rate)))))
            return new Refusal("RANGE_OUTSIDE", "FCPXML cannot count as many frames as the timeline or its media would have: choose an earlier range.");
        foreach (var change in edit.Changes)
        {
            if (change.Track is not null && Follow(change) is { } refusal) return refusal;
        }

        LayOutPrimary(edit.Changes.FirstOrDefault(change => change.Track?.Index == indexer.PrimaryTrack)?.Pieces ?? TrackPieces.Of(primary));
        foreach (var unit in indexer.Primary.SelectMany(element => element.Inner))
        {
            if (PlaceUnit(unit) is { } refusal) return refusal;
        }

        foreach (var change in edit.Changes.Where(change => change.Index != indexer.PrimaryTrack || change.Track is null))
        {
            if (PlaceNewClips(change) is { } refusal) return refusal;
        }

        if (WritePrimary() is { } unwritable) return unwritable;
        GrowSequence();
        return null;
    }

    /// <summary>Notes where the items of a track go, and refuses what would do damage.</summary>
    private Refusal? Follow(TrackChange change)
    {
        var elements = indexer.Elements[change.Track!.Index];
        var at = 0L;
        foreach (var piece in change.Pieces)
        {
            if (piece is KeptPiece part && elements[part.Item.Index] is { } element)
            {
                if (!kept.TryGetValue(element, out var parts)) kept.Add(element, parts = []);
                parts.Add(new Kept(part, part.Item.Kind == ItemKind.Transition ? at - part.Item.Cut + part.Item.RecordRange.Start : at));
            }

            at += piece.Duration;
        }

        foreach (var item in change.Track.Items)
        {
            if (item.Kind == ItemKind.Gap || elements[item.Index] is not { } element) continue;
            var parts = kept.GetValueOrDefault(element) ?? [];
            if (parts is [{ Piece.IsWhole: true }]) continue;
            if (element.Storyline is not null)
                return new Refusal("STORYLINE", $"{item.Label} lies in a connected storyline, which is only moved as a whole: place the clip above, or break the storyline apart.");
            if (element.Inner.Count > 0 && element.Host is not null)
                return new Refusal("CONNECTED_ITEM", $"{item.Label} has clips connected to it in turn, which would come loose: place the clip above.");
            if (parts.Sum(part => part.Piece.Duration) < item.RecordRange.Duration && CarriesSound(element))
                return new Refusal("LINKED_AUDIO", $"{item.Label} on {change.Track.Label} carries its sound in the same item, which would be cut with it: place the clip above.");
            if (element.Node["audioStart"] is not null || element.Node["audioDuration"] is not null)
                return new Refusal("LINKED_AUDIO", $"The sound of {item.Label} is cut elsewhere than its picture, so its length cannot change: place the clip above.");
            if (parts.Count > 1 && element.Node.SelfAndInner().Any(inner => inner["id"] is not null && !IsConnected(element, inner)))
                return new Refusal("ITEM_UNKNOWN", $"{item.Label} cannot be cut: the document refers to parts of it by id.");
        }

        return null;
    }

    private static bool IsConnected(FcpxElement element, XmlNode node) => element.Inner.Exists(inner => node.Start >= inner.Node.Start && node.End <= inner.Node.End);

    private bool CarriesSound(FcpxElement element) => element.Node.Name switch
    {
        "asset-clip" => element.Node["srcEnable"] is null or "all" && indexer.Resources.Find(element.Node["ref"], "asset")?["hasAudio"] == "1",
        "clip" => element.Node.SelfAndInner().Any(inner => inner.Name is "audio" or "spine"),
        "video" or "title" => false,
        "audio" => element.Host is null,
        _ => true,
    };

    private void LayOutPrimary(IReadOnlyList<TrackPiece> pieces)
    {
        var elements = indexer.Elements[indexer.PrimaryTrack];
        var seen = new HashSet<FcpxElement>();
        var at = 0L;
        foreach (var piece in pieces)
        {
            var place = new FrameRange(at, piece.Duration);
            at = place.End;
            switch (piece)
            {
                case KeptPiece part:
                    var element = elements[part.Item.Index]!;
                    if (part.Item.Kind == ItemKind.Transition) place = part.Item.RecordRange.Shift(place.Start - part.Item.Cut);
                    var start = element.Base.Plus(FcpTime.Frames(part.Offset, rate)) ?? FcpTime.Zero;
                    targets.Add(new Target(piece, place, start) { Element = element, InPlace = seen.Add(element) });
                    break;
                case ClipPiece { Clip.SourceRange: var source }:
                    targets.Add(new Target(piece, place, FcpTime.Frames(source.Start, source.Rate)));
                    break;
                default:
                    targets.Add(NewGap(place));
                    break;
            }
        }
    }

    // Gaps begin at an hour on their own clock, as Final Cut Pro has it, so that nothing connected to one lies before zero.
    private Target NewGap(FrameRange place) => new(new GapPiece(place.Duration), place, FcpTime.Frames(3600L * rate.Nominal, rate));

    /// <summary>Gives what is connected to the primary storyline its new place.</summary>
    private Refusal? PlaceUnit(FcpxElement unit)
    {
        var home = targets.Find(target => target.InPlace && target.Element == unit.Host);
        if (!PartsOf(unit).TryGet(out var parts, out var refusal)) return refusal;
        for (var i = 0; i < parts.Count; i++)
        {
            var (start, part) = parts[i];
            var frame = start.Floor(rate);
            // What lay outside its host before is left to it.
            var outside = home is { Piece: KeptPiece { IsWhole: true } } && !home.Place.Contains(unit.Start.Floor(rate) + home.Place.Start - unit.Host!.Start.Floor(rate));
            var stays = i == 0 && home is not null && (home.Place.Contains(frame) || outside);
            var host = stays ? home! : HostAt(frame, frame + (part?.Duration ?? 1));
            if (!stays && WhyNotHost(host) is { } cannot) return cannot;
            if (OffsetIn(host, start) is not { } offset) return Uncountable(unit.Node["name"]);
            var edits = new List<TextSplice>();
            if (FcpTime.Parse(unit.Node["offset"]) != offset) edits.Add(unit.Node.WithAttribute("offset", offset.Spell(indexer.Over)));
            if (part is { IsWhole: false }) Trim(unit, part, edits);
            edits.Sort((one, other) => one.Start.CompareTo(other.Start));
            if (stays)
            {
                splices.AddRange(edits);
                continue;
            }

            if (i == 0 && home is not null) splices.Add(XmlChildren.Remove(unit.Node));
            var text = TextSplice.Apply(unit.Node.Raw.Span, [.. edits.Select(splice => splice with { Start = splice.Start - unit.Node.Start })]);
            host.Hosted.Add((start, Encoding.UTF8.GetString(text)));
        }

        if (parts.Count == 0 && home is not null) splices.Add(XmlChildren.Remove(unit.Node));
        return null;
    }

    /// <summary>The parts that are left of something connected, each with its new start; a storyline and whatever hangs together stays one.</summary>
    private Outcome<List<(FcpTime Start, KeptPiece? Part)>> PartsOf(FcpxElement unit)
    {
        if (unit.Inner.Count == 0 && unit.Track >= 0 && IsChanged(unit.Track))
            return (kept.GetValueOrDefault(unit) ?? []).ConvertAll(part => (FcpTime.Frames(part.Start, rate), (KeptPiece?)part.Piece));
        var shifts = unit.SelfAndInner().Where(element => element.Track >= 0).Select(ShiftOf).Distinct().ToList();
        if (shifts.Count > 1 || shifts is [null])
            return new Refusal("STORYLINE", $"'{unit.Node["name"] ?? unit.Inner[0].Node["name"]}' hangs together with other clips, which would not move with it: place the clip above.");
        return unit.Start.Plus(FcpTime.Frames(shifts is [{ } shift] ? shift : 0, rate)) is { } start
            ? new List<(FcpTime, KeptPiece?)> { (start, null) }
            : Uncountable(unit.Node["name"]);
    }

    private bool IsChanged(int track) => edit.Changes.Any(change => change.Track?.Index == track);

    private long? ShiftOf(FcpxElement element)
    {
        if (!IsChanged(element.Track)) return 0;
        var item = document.Index.Tracks[element.Track].Items[element.Item];
        return kept.GetValueOrDefault(element) is [{ Piece.IsWhole: true } part] ? part.Start - item.RecordRange.Start : null;
    }

    private Refusal? PlaceNewClips(TrackChange change)
    {
        var at = 0L;
        var isSound = change.Track is null && change.NewTrackKind == TrackKind.Audio;
        var lane = change.Track is not null ? indexer.Lanes[change.Track.Index] : isSound ? indexer.LowestLane - 1 : indexer.HighestLane + 1;
        foreach (var piece in change.Pieces)
        {
            var place = new FrameRange(at, piece.Duration);
            at = place.End;
            if (piece is not ClipPiece { Clip: var clip }) continue;
            var host = HostAt(place.Start, place.End);
            if (WhyNotHost(host) is { } cannot) return cannot;
            var start = FcpTime.Frames(place.Start, rate);
            if (OffsetIn(host, start) is not { } offset) return Uncountable(clip.Name);
            host.Hosted.Add((start, news.Clip(clip, place.Duration, offset, lane, InnerLead(host), [], isSound)));
        }

        return null;
    }

    private Target HostAt(long frame, long until)
    {
        if (targets.Find(target => target.Piece is not KeptPiece { Item.Kind: ItemKind.Transition } && target.Place.Contains(frame)) is { } covering) return covering;
        // Beyond the primary storyline: a gap at its end holds it, as in Final Cut Pro.
        var end = targets.Count == 0 ? 0 : targets.Max(target => target.Piece is KeptPiece { Item.Kind: ItemKind.Transition } ? 0 : target.Place.End);
        var gap = NewGap(FrameRange.Between(end, Math.Max(until, frame + 1)));
        targets.Add(gap);
        return gap;
    }

    private static Refusal? WhyNotHost(Target host) => host.Element?.Node.Name == "audition"
        ? new Refusal("AUDITION", $"The clip would hang on the audition '{host.Element.Node["name"]}', which takes none: finalize it in Final Cut Pro, or begin beside it.")
        : null;

    private FcpTime? OffsetIn(Target host, FcpTime start) => start.Minus(FcpTime.Frames(host.Place.Start, rate)) is { } since ? host.Base.Plus(since) : null;

    private Refusal Uncountable(string? name) => new("OFF_GRID", $"The place of '{name}' is a time that cannot be counted with exactly at {rate} frames per second.");

    private void Trim(FcpxElement element, KeptPiece part, List<TextSplice> edits)
    {
        if (part.Offset != 0 && element.Base.Plus(FcpTime.Frames(part.Offset, rate)) is { } start) edits.Add(element.Node.WithAttribute("start", start.Spell(indexer.Over)));
        if (part.Duration != part.Item.RecordRange.Duration || part.Offset != 0) edits.Add(element.Node.WithAttribute("duration", FcpTime.Frames(part.Duration, rate).Spell(indexer.Over)));
    }

    private Refusal? WritePrimary()
    {
        var wanted = new List<XmlPiece>();
        var lead = indexer.Primary.Count > 0 ? indexer.Primary[0].Node.Lead : XmlChildren.Inner(indexer.Spine.Lead);
        foreach (var target in targets)
        {
            // Transitions may begin between frames, and move by whole ones.
            var start = target.Piece is KeptPiece { Item: { Kind: ItemKind.Transition } mix }
                ? target.Element!.Start.Plus(FcpTime.Frames(target.Place.Start - mix.RecordRange.Start, rate))
                : FcpTime.Frames(target.Place.Start, rate);
            if (start is null || indexer.SpineBase.Plus(start.Value) is not { } offset) return Uncountable(target.Element?.Node["name"]);
            if (target.Element is { } element)
            {
                var edits = new List<TextSplice>();
                if (element.Node["offset"] is { } written && FcpTime.Parse(written) != offset) edits.Add(element.Node.WithAttribute("offset", offset.Spell(indexer.Over)));
                if (target.Piece is KeptPiece { IsWhole: false } part) Trim(element, part, edits);
                Host(target, edits);
                if (target.InPlace)
                {
                    splices.AddRange(edits);
                    wanted.Add(new XmlPiece(element.Node));
                    continue;
                }

                edits.AddRange(element.Inner.Select(inner => XmlChildren.Remove(inner.Node)));
                var ordered = edits.OrderBy(splice => splice.Start).Select(splice => splice with { Start = splice.Start - element.Node.Start }).ToList();
                wanted.Add(new XmlPiece(null, Encoding.UTF8.GetString(TextSplice.Apply(element.Node.Raw.Span, ordered))));
            }
            else
            {
                wanted.Add(new XmlPiece(null, target.Piece is ClipPiece { Clip: var clip }
                    ? news.Clip(clip, target.Place.Duration, offset, 0, lead, target.HostedTexts)
                    : news.Gap(offset, target.Base, target.Place.Duration, lead, target.HostedTexts)));
            }
        }

        XmlChildren.Rewrite(indexer.Spine, [.. indexer.Primary.Select(element => element.Node)], wanted, lead, splices);
        return null;
    }

    /// <summary>Puts what is connected to a target now among its children, where the document type has it: before markers, filters and metadata.</summary>
    private void Host(Target target, List<TextSplice> edits)
    {
        if (target.Hosted.Count == 0) return;
        var node = target.Element!.Node;
        var lead = InnerLead(target);
        var text = string.Join(lead, target.HostedTexts);
        var before = node.Children.LastOrDefault(child => !FollowsConnected(child.Name));
        if (before is null) XmlChildren.Prepend(node, text, lead, edits);
        else edits.Add(new TextSplice(before.End, 0, Encoding.UTF8.GetBytes(lead + text)));
    }

    private static bool FollowsConnected(string name) => name is "marker" or "chapter-marker" or "rating" or "keyword" or "analysis-marker" or "hidden-clip-marker"
        or "audio-channel-source" or "audio-role-source" or "sync-source" or "filter-video" or "filter-video-mask" or "filter-audio" or "metadata" or "reserved";

    private string InnerLead(Target host) => XmlChildren.Inner(host.Element?.Node.Lead ?? (indexer.Primary.Count > 0 ? indexer.Primary[0].Node.Lead : XmlChildren.Inner(indexer.Spine.Lead)));

    private void GrowSequence()
    {
        var end = targets.Max(target => (long?)target.Place.End) ?? 0;
        foreach (var change in edit.Changes) end = Math.Max(end, TrackPieces.DurationOf(change.Pieces));
        if (FcpTime.Parse(indexer.Sequence["duration"]) is { } duration && duration.Floor(rate) < end && end > document.Index.Duration)
            splices.Add(indexer.Sequence.WithAttribute("duration", FcpTime.Frames(end, rate).Spell(indexer.Over)));
    }
}
