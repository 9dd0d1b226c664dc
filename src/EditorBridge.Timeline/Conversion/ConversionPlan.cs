using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Mlt;
using EditorBridge.Timeline.Osp;

namespace EditorBridge.Timeline.Conversion;

/// <summary>A track as it is to be in the new document.</summary>
internal sealed record ConversionTrack(TrackKind Kind, int Number, string Name, IReadOnlyList<TrackPiece> Pieces);

/// <summary>Decides what comes along, and says what does not.</summary>
internal sealed class ConversionPlan(TimelineDocument source, string ending, Func<string, string> locate)
{
    private readonly TimelineIndex index = source.Index;

    public List<ConversionTrack> Tracks { get; } = [];

    public List<string> Lost { get; } = [];

    // These count a medium from its first frame, at the sequence's rate.
    private bool CountsFromZero => ending is ".mlt" or ".osp";

    public void Make()
    {
        if (CountsFromZero && index.StartFrame != 0) Lost.Add($"The timeline starts at {index.Label(0)}; the new one starts at zero.");
        if (index.DropFrame && ending is ".otio" or ".mlt" or ".osp") Lost.Add("The timeline counts drop-frame, which the new format does not say.");
        foreach (var kind in new[] { TrackKind.Video, TrackKind.Audio })
        {
            var number = 0;
            foreach (var track in index.Tracks.Where(track => track.Kind == kind))
            {
                if (ending == ".edl" && kind == TrackKind.Video && number == 1)
                {
                    if (track.Items.Any(item => item.Kind is not ItemKind.Gap)) Lost.Add($"{track.Label} is left out: an EDL has one video track.");
                    continue;
                }

                var pieces = Pieces(track);
                if (pieces.Count == 0) continue;
                Tracks.Add(new ConversionTrack(kind, ++number, track.Name.Length > 0 ? track.Name : track.Label, pieces));
                if (!track.Enabled && track.Items.Any(item => item.Kind is not ItemKind.Gap)) Lost.Add($"{track.Label} is off, and on in the new timeline.");
            }
        }

        foreach (var track in index.Tracks.Where(track => track.Kind == TrackKind.Other && track.Items.Count > 0)) Lost.Add($"{track.Label} carries neither pictures nor sound (captions, perhaps), and is left out.");
        if (source is MltDocument or OspDocument && ending is not (".mlt" or ".osp") && Tracks.Any(track => track.Pieces.Count > 0))
            Lost.Add("The timeline does not say what timecode its media begin with; the new one counts them from zero.");
    }

    private List<TrackPiece> Pieces(Track track)
    {
        var pieces = new List<TrackPiece>();
        var at = 0L;
        foreach (var item in track.Items)
        {
            if (item.Kind == ItemKind.Transition)
            {
                Lost.Add($"The transition on {track.Label} at {index.Label(item.Cut)} becomes a cut.");
                continue;
            }

            if (item.RecordRange.IsEmpty || item.Kind == ItemKind.Gap) continue;
            if (Clip(track, item) is not { } clip) continue;
            if (item.RecordRange.Start > at) pieces.Add(new GapPiece(item.RecordRange.Start - at));
            pieces.Add(new ClipPiece(clip, item.RecordRange.Duration));
            at = item.RecordRange.End;
        }

        return pieces;
    }

    private NewClip? Clip(Track track, TrackItem item)
    {
        var where = $"{item.Label} on {track.Label} at {index.Label(item.RecordRange.Start)}";
        if (item.Kind == ItemKind.Nested) return LeaveOut($"{where} is a nested sequence, a compound or a multicam clip");
        if (!item.Enabled) return LeaveOut($"{where} is disabled");
        if (item.Media?.Url is not { Length: > 0 } url) return LeaveOut($"{where} has no media file (a title or a generator, perhaps)");
        if (item.Media.IsImageSequence) return LeaveOut($"{where} is a sequence of picture files");
        if (item.SourceRange is not { } used) return LeaveOut($"{where} does not say in whole frames which part of its media it shows");
        if (item.ChangesTime) Lost.Add($"{where} loses its change of speed.");
        foreach (var effect in item.Effects.Where(effect => !effect.ChangesTime)) Lost.Add($"{where} loses the effect {(effect.Name.Length > 0 ? $"'{effect.Name}'" : effect.Schema)}.");

        var available = item.Media.AvailableRange;
        if (available is null && ending != ".edl") Lost.Add($"{where}: the timeline does not say where its media begin and end, so the new one knows no more than the frames shown.");
        var held = Knows(item) ? available!.Value : Shown(url, used.Rate);
        // A retimed clip shows as many frames of its media as it stands, once its speed is gone.
        var rate = FrameConversion.Exactly(item.RecordRange.Duration, index.Rate, used.Rate) is null || CountsFromZero || ending == ".edl" ? index.Rate : used.Rate;
        var duration = FrameConversion.Exactly(item.RecordRange.Duration, index.Rate, rate)!.Value;
        if (FrameConversion.Floor(used.Start - (CountsFromZero ? held.Start : 0), used.Rate, rate) is not { } start
            || FrameConversion.Floor(held.Duration, held.Rate, rate) is not { } length
            || (CountsFromZero ? 0 : FrameConversion.Floor(held.Start, held.Rate, rate)) is not { } from)
            return LeaveOut($"{where} counts more frames of its media than can be counted");
        if (FrameConversion.Exactly(used.Start - (CountsFromZero ? held.Start : 0), used.Rate, rate) is null) Lost.Add($"{where} begins less than a frame earlier in its media, which run at {used.Rate}.");
        var end = Math.Max(start + duration, from + length);
        return new NewClip
        {
            Name = item.Name.Length > 0 ? item.Name : NameOf(url),
            MediaUrl = locate(url),
            SourceRange = new MediaRange(rate, start, duration),
            AvailableRange = new MediaRange(rate, from, end - from),
        };
    }

    private static bool Knows(TrackItem item) => item is { Media.AvailableRange: { } said, SourceRange: { } used } && said.Rate == used.Rate && said.Start <= used.Start;

    // What all clips of a medium show of it together: they are cut from one file, of which nothing else is known.
    private MediaRange Shown(string url, FrameRate rate)
    {
        var shown = index.Tracks.SelectMany(track => track.Items).Where(item => item.Media?.Url == url && !Knows(item))
            .Select(item => item.SourceRange).OfType<MediaRange>().Where(range => range.Rate == rate).ToList();
        var start = shown.Min(range => range.Start);
        return new MediaRange(rate, start, shown.Max(range => range.End) - start);
    }

    private NewClip? LeaveOut(string what)
    {
        Lost.Add(what + ", and is left out.");
        return null;
    }

    private static string NameOf(string url) => Path.GetFileNameWithoutExtension(Uri.UnescapeDataString(url[(url.LastIndexOfAny(['/', '\\']) + 1)..]));
}
