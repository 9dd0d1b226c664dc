using System.Text;
using EditorBridge.Timeline.Edits;

namespace EditorBridge.Timeline.Tests;

/// <summary>The three jobs on timelines as DaVinci Resolve and Hiero write OpenTimelineIO: markers, links, a mix, a compound clip, a retime, picture sequences.</summary>
public class OtioGoldenTests
{
    public static readonly TheoryData<string> Goldens = ["resolve.otio", "hiero.otio"];

    [Fact]
    public void Reads_what_Resolve_exports()
    {
        var index = Open("resolve.otio").Index;
        Assert.Equal(("Cut", FrameRate.Pal, 90000L, "01:00:00:00"), (index.Name, index.Rate, index.StartFrame, index.Label(0)));
        Assert.Equal(["V1", "V2", "A1"], index.Tracks.Select(track => track.Label));
        Assert.All(index.Tracks, track => Assert.Null(track.Problem));
        var items = index.Tracks[0].Items;
        Assert.Equal([ItemKind.Clip, ItemKind.Gap, ItemKind.Clip, ItemKind.Transition, ItemKind.Clip, ItemKind.Nested], items.Select(item => item.Kind));
        Assert.Equal([(0, 50), (50, 75), (75, 120), (115, 125), (120, 165), (165, 185)], FcpxTests.Places(index.Tracks[0]));
        Assert.Equal(new MediaRange(FrameRate.Pal, 90010, 50), items[0].SourceRange);
        Assert.Equal(new Handles(10, 40), Handles.Of(items[0], index.Rate));
        Assert.Equal("/m/réd.mov", items[0].Media!.Url);
        Assert.Equal("Resolve Effect", Assert.Single(items[4].Effects).Name);
        var title = index.Tracks[1].Items[1];
        Assert.Equal(("Text+", "MissingReference.1", null), (title.Name, title.Media!.Schema, title.Media.Url));
    }

    [Fact]
    public void Reads_what_Hiero_exports()
    {
        var index = Open("hiero.otio").Index;
        Assert.Equal(("sq010", FrameRate.Film, 86400L), (index.Name, index.Rate, index.StartFrame));
        Assert.All(index.Tracks, track => Assert.Null(track.Problem));
        var items = index.Tracks[0].Items;
        Assert.Equal([ItemKind.Gap, ItemKind.Clip, ItemKind.Gap, ItemKind.Clip, ItemKind.Transition, ItemKind.Clip, ItemKind.Clip, ItemKind.Nested], items.Select(item => item.Kind));
        Assert.Equal([(0, 24), (24, 72), (72, 108), (108, 168), (164, 176), (168, 208), (208, 238), (238, 274)], FcpxTests.Places(index.Tracks[0]));
        Assert.Equal(("file:///m/sh020/sh020.%04d.exr", true), (items[3].Media!.Url, items[3].Media!.IsImageSequence));
        Assert.Equal(new Handles(9, 51), Handles.Of(items[3], index.Rate));
        Assert.True(items[6].ChangesTime);
        Assert.Null(Handles.Of(items[6], index.Rate));
    }

    [Theory]
    [MemberData(nameof(Goldens))]
    public void Fill_takes_the_gap_and_every_other_line_stays(string name)
    {
        var document = Open(name);
        var track = document.Index.VideoTracks.First();
        var gap = Gaps.Find(track).First(gap => gap is { Before: not null, After: not null });
        var edited = MltTests.Apply(document, EditAlgebra.Fill(document.Index, track, gap, Clip(document, gap.Range.Duration)));
        var item = Assert.Single(edited.Index.VideoTracks.First().Items, item => item.Name == "NEW & co");
        Assert.Equal((gap.Range, "file:///m/new.mov"), (item.RecordRange, item.Media!.Url));
        Assert.Equal(new MediaRange(document.Index.Rate, document.Index.StartFrame, gap.Range.Duration), item.SourceRange);
        Same(document, edited, except: track, [.. track.Items.Where(item => item.RecordRange != gap.Range)]);
        // Rates and numbers are spelled as they are elsewhere.
        Assert.Contains($"\"rate\": {(name == "hiero.otio" ? "23.976023976023978" : "25.0")},", NewLines(document, edited), StringComparison.Ordinal);
        Assert.DoesNotContain("\"OTIO_SCHEMA\": \"Clip.1\"", Text(edited), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Goldens))]
    public void Broll_goes_above_what_is_seen(string name)
    {
        var document = Open(name);
        var below = document.Index.VideoTracks.First();
        var edit = EditAlgebra.PlaceAbove(document.Index, below, new FrameRange(30, 40), Clip(document, 40));
        var edited = MltTests.Apply(document, edit);
        // Resolve's second track is free there; Hiero's timeline has only one.
        Assert.Equal((name == "hiero.otio", 2), (edit.Value.AddsTrack, edit.Value.TrackNumber));
        var added = edited.Index.VideoTracks.ElementAt(1);
        Assert.Equal("Video 2", added.Name);
        Assert.Equal(new FrameRange(30, 40), Assert.Single(added.Items, item => item.Name == "NEW & co").RecordRange);
        Same(document, edited, except: null);
        // Over the title there is no room, so a track comes in front of it.
        var again = EditAlgebra.PlaceAbove(edited.Index, edited.Index.VideoTracks.First(), new FrameRange(60, 90), Clip(document, 90));
        Assert.Equal((true, 3, "Video 3"), (again.Value.AddsTrack, again.Value.TrackNumber, MltTests.Apply(edited, again).Index.VideoTracks.Last().Name));
    }

    [Theory]
    [MemberData(nameof(Goldens))]
    public void Extend_uses_handles_and_then_adds_frames_to_the_end(string name)
    {
        var document = Open(name);
        var track = document.Index.VideoTracks.First();
        var clip = track.Items.First(item => item.Kind == ItemKind.Clip);
        var longer = MltTests.Apply(document, EditAlgebra.TrimOut(document.Index, track, clip, 10));
        var now = longer.Index.VideoTracks.First().Items[clip.Index];
        Assert.Equal((clip.RecordRange.Duration + 10, clip.SourceRange!.Value.Start), (now.SourceRange!.Value.Duration, now.SourceRange.Value.Start));
        Assert.Equal(document.Index.Duration, longer.Index.Duration);
        var rest = Gaps.Find(longer.Index.VideoTracks.First()).First(gap => gap.Before?.Index == clip.Index);
        var filled = MltTests.Apply(longer, EditAlgebra.Fill(longer.Index, longer.Index.VideoTracks.First(), rest, Clip(document, rest.Range.Duration)));
        var appended = MltTests.Apply(filled, EditAlgebra.Append(filled.Index, filled.Index.VideoTracks.First(), Clip(document, 25)));
        Assert.Equal(document.Index.Duration + 25, appended.Index.Duration);
        Same(document, appended, except: track, [.. track.Items.Where(item => item.RecordRange.Start >= rest.Range.End || item.Kind == ItemKind.Transition)]);
    }

    [Fact]
    public void Insert_moves_the_markers_of_the_timeline_and_of_tracks_that_lie_behind_it()
    {
        var resolve = Open("resolve.otio");
        var text = Text(MltTests.Apply(resolve, EditAlgebra.Insert(resolve.Index, resolve.Index.Tracks[0], 60, Clip(resolve, 15))));
        // The first marker and the clip's own stay; the second, at 130, moves.
        Assert.Contains("\"value\": 20.0", text, StringComparison.Ordinal);
        Assert.Contains("\"value\": 145.0", text, StringComparison.Ordinal);
        Assert.Contains("\"value\": 90020.0", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\"value\": 130.0", text, StringComparison.Ordinal);
        var hiero = Open("hiero.otio");
        text = Text(MltTests.Apply(hiero, EditAlgebra.Insert(hiero.Index, hiero.Index.Tracks[0], 80, Clip(hiero, 15))));
        Assert.Contains("\"value\": 185.0", text, StringComparison.Ordinal);
        Assert.Contains("\"value\": 60.0", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("resolve.otio", 110, 8, "TRANSITION_IN_WAY")]
    [InlineData("resolve.otio", 130, 10, "ITEM_HAS_EFFECTS")]
    [InlineData("resolve.otio", 170, 10, "NESTED_ITEM")]
    [InlineData("hiero.otio", 160, 6, "TRANSITION_IN_WAY")]
    [InlineData("hiero.otio", 215, 6, "ITEM_HAS_EFFECTS")]
    [InlineData("hiero.otio", 240, 6, "NESTED_ITEM")]
    public void What_would_do_damage_is_refused(string name, int start, int frames, string reason)
    {
        var document = Open(name);
        Assert.Equal(reason, EditAlgebra.Overwrite(document.Index, document.Index.Tracks[0], new FrameRange(start, frames), Clip(document, frames)).Refusal!.Reason);
    }

    [Fact]
    public void A_track_that_is_locked_in_Resolve_is_left_alone()
    {
        var text = MltTests.Text("resolve.otio");
        var index = TimelineDocument.Open(Encoding.UTF8.GetBytes(text.Replace("\"Locked\": false", "\"Locked\": true", StringComparison.Ordinal))).Value.Index;
        Assert.Equal("TRACK_LOCKED", index.Tracks[0].Problem!.Reason);
        Assert.Equal(6, index.Tracks[0].Items.Count);
    }

    private static TimelineDocument Open(string name) => TimelineDocument.Open(Encoding.UTF8.GetBytes(MltTests.Text(name))).Value;

    private static string Text(TimelineDocument document) => Encoding.UTF8.GetString(document.Bytes.Span);

    private static string NewLines(TimelineDocument before, TimelineDocument after)
    {
        var old = Text(before).Split('\n').ToHashSet();
        return string.Join('\n', Text(after).Split('\n').SkipWhile(old.Contains));
    }

    /// <summary>Every track but one, and some items of that, read as they did.</summary>
    private static void Same(TimelineDocument before, TimelineDocument after, Track? except, params TrackItem[] staying)
    {
        foreach (var track in before.Index.Tracks.Where(track => track.Index != except?.Index))
        {
            // A clip may have come into the emptiness of another track.
            var now = after.Index.Tracks.Single(other => other.Label == track.Label).Items.Where(item => item.Kind != ItemKind.Gap && item.Name != "NEW & co").Select(Shown);
            Assert.Equal(track.Items.Where(item => item.Kind != ItemKind.Gap).Select(Shown), now);
        }

        foreach (var item in staying)
            Assert.Contains(Shown(item), after.Index.Tracks.Single(track => track.Label == except!.Label).Items.Select(Shown));
    }

    private static string Shown(TrackItem item) =>
        $"{item.Kind} {item.Name} {item.RecordRange} {item.SourceRange} {item.Media} {item.Enabled} {item.Cut} {string.Join(',', item.Effects)}";

    private static NewClip Clip(TimelineDocument document, long frames) => MltTests.Clip(frames) with
    {
        AvailableRange = new MediaRange(document.Index.Rate, document.Index.StartFrame, frames),
        SourceRange = new MediaRange(document.Index.Rate, document.Index.StartFrame, frames),
    };
}
