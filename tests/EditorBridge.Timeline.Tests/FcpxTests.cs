using System.Text;
using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Fcpx;

namespace EditorBridge.Timeline.Tests;

/// <summary>The three jobs on a project as Final Cut Pro writes it, what is connected to its clips, and what is refused.</summary>
public class FcpxTests
{
    [Fact]
    public void Reads_the_primary_storyline_and_the_lanes()
    {
        var document = Open();
        var index = document.Index;
        Assert.Equal("FCPXML 1.10", document.Format);
        Assert.Equal(("Cut", FrameRate.Pal, 90000L, false), (index.Name, index.Rate, index.StartFrame, index.DropFrame));
        Assert.Equal([(TrackKind.Video, 1), (TrackKind.Video, 2), (TrackKind.Audio, 1)], index.Tracks.Select(track => (track.Kind, track.Number)));
        Assert.All(index.Tracks, track => Assert.Null(track.Problem));
        var primary = index.Tracks[0].Items;
        Assert.Equal([ItemKind.Clip, ItemKind.Gap, ItemKind.Clip, ItemKind.Transition, ItemKind.Clip], primary.Select(item => item.Kind));
        Assert.Equal([(0, 50), (50, 75), (75, 120), (115, 125), (120, 165)], Places(index.Tracks[0]));
        Assert.Equal(120, primary[3].Cut);
        Assert.Equal(new MediaRange(FrameRate.Pal, 90010, 50), primary[0].SourceRange);
        Assert.Equal("file:///m/r%C3%A9d%20&%20co.mov", primary[0].Media!.Url);
        Assert.Equal("file:///m/blue.mov", primary[4].Media!.Url);
        Assert.Equal(new Handles(10, 40), Handles.Of(primary[0], index.Rate));
        Assert.Equal("Blur", Assert.Single(primary[4].Effects).Name);
        // A title on the gap, then a storyline with a pause that keeps its lane.
        Assert.Equal([(0, 60), (60, 85), (85, 90), (90, 93), (93, 98)], Places(index.Tracks[1]));
        Assert.Equal(ItemKind.Nested, index.Tracks[1].Items[3].Kind);
        Assert.Equal([(0, 165)], Places(index.Tracks[2]));
    }

    [Fact]
    public void Fill_takes_the_gap_and_what_hung_on_it_hangs_on_the_new_clip()
    {
        var document = Open();
        var track = document.Index.VideoTracks.First();
        var edited = MltTests.Apply(document, EditAlgebra.Fill(document.Index, track, Gaps.Find(track)[0], MltTests.Clip(25)));
        var items = edited.Index.VideoTracks.First().Items;
        Assert.Equal(("NEW & co", new FrameRange(50, 25), new MediaRange(FrameRate.Pal, 90000, 25)), (items[1].Name, items[1].RecordRange, items[1].SourceRange!.Value));
        Assert.Equal(Places(document.Index.Tracks[1]), Places(edited.Index.Tracks[1]));
        var text = Text(edited);
        Assert.DoesNotContain("<gap name=\"Gap\" offset=\"3602s\"", text, StringComparison.Ordinal);
        // The title's place is counted on the new clip's clock now, which begins at an hour: ten frames in.
        Assert.Contains("<title ref=\"r7\" lane=\"1\" offset=\"9001000/2500s\"", text, StringComparison.Ordinal);
        Assert.Contains("<asset id=\"r8\" name=\"NEW &amp; co\" start=\"3600s\" duration=\"1s\" hasVideo=\"1\" format=\"r1\" videoSources=\"1\">\r\n", text, StringComparison.Ordinal);
        Assert.Contains("<media-rep kind=\"original-media\" src=\"file:///m/new.mov\"/>", text, StringComparison.Ordinal);
        Assert.Contains("<md key=\"org.editorbridge.generation\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Broll_is_connected_to_what_lies_under_its_first_frame()
    {
        var document = Open();
        var below = document.Index.VideoTracks.First();
        var free = EditAlgebra.PlaceAbove(document.Index, below, new FrameRange(20, 40), MltTests.Clip(40));
        Assert.False(free.Value.AddsTrack);
        var once = MltTests.Apply(document, free);
        Assert.Equal(new FrameRange(20, 40), once.Index.Tracks[1].Items[1].RecordRange);
        var text = Text(once);
        // In red, before its marker, at ten frames of handle and twenty of the timeline.
        Assert.Contains("<asset-clip ref=\"r8\" lane=\"1\" offset=\"9003000/2500s\" name=\"NEW &amp; co\" start=\"3600s\" duration=\"4000/2500s\" tcFormat=\"NDF\">", text, StringComparison.Ordinal);
        Assert.True(text.IndexOf("ref=\"r8\" lane", StringComparison.Ordinal) < text.IndexOf("<marker", StringComparison.Ordinal));

        var again = EditAlgebra.PlaceAbove(once.Index, once.Index.VideoTracks.First(), new FrameRange(80, 12), MltTests.Clip(12));
        Assert.True(again.Value.AddsTrack);
        var twice = MltTests.Apply(once, again);
        Assert.Equal(3, twice.Index.VideoTracks.Count());
        Assert.Contains("lane=\"2\"", Text(twice), StringComparison.Ordinal);
        Assert.Contains("<asset-clip ref=\"r9\"", Text(MltTests.Apply(twice, EditAlgebra.PlaceAbove(twice.Index, null, new FrameRange(0, 5), MltTests.Clip(5, "file:///m/other.mov")))), StringComparison.Ordinal);
    }

    [Fact]
    public void Extend_trims_out_into_the_gap_and_goes_on_beyond_the_end()
    {
        var document = Open();
        var track = document.Index.VideoTracks.First();
        var longer = MltTests.Apply(document, EditAlgebra.TrimOut(document.Index, track, track.Items[0], 12));
        Assert.Equal([(0, 62), (62, 75)], Places(longer.Index.Tracks[0]).Take(2));
        // The title began ten frames into the gap, which is red now.
        Assert.Equal(Places(document.Index.Tracks[1]), Places(longer.Index.Tracks[1]));
        Assert.True(Text(longer).IndexOf("<title", StringComparison.Ordinal) < Text(longer).IndexOf("<gap", StringComparison.Ordinal));

        var appended = MltTests.Apply(longer, EditAlgebra.Append(longer.Index, longer.Index.VideoTracks.First(), MltTests.Clip(50)));
        Assert.Equal(215, appended.Index.Duration);
        Assert.Contains("duration=\"21500/2500s\" tcStart", Text(appended), StringComparison.Ordinal);
    }

    [Fact]
    public void Insert_moves_what_follows_and_leaves_the_music_where_it_would_be_cut()
    {
        var document = Open("lane=\"-1\" offset=\"9001000/2500s\" name=\"music\" duration=\"16500/2500s\"", "lane=\"-1\" offset=\"9001000/2500s\" name=\"music\" duration=\"1s\"");
        var track = document.Index.VideoTracks.First();
        var edited = MltTests.Apply(document, EditAlgebra.Insert(document.Index, track, 50, MltTests.Clip(10)));
        Assert.Equal([(0, 50), (50, 60), (60, 85), (85, 130), (125, 135), (130, 175)], Places(edited.Index.Tracks[0]));
        Assert.Equal([(0, 70), (70, 95), (95, 100), (100, 103), (103, 108)], Places(edited.Index.Tracks[1]));
        // What hangs on moved clips keeps its offset: only places in the storyline changed.
        Assert.Contains("<spine lane=\"1\" offset=\"2000/2500s\">", Text(edited), StringComparison.Ordinal);
        Assert.Equal("RIPPLE_REFUSED", EditAlgebra.Insert(Open().Index, Open().Index.VideoTracks.First(), 50, MltTests.Clip(10)).Refusal!.Reason);
    }

    [Fact]
    public void A_clip_that_is_cut_shares_out_what_is_connected_to_it()
    {
        var document = Open();
        var edited = MltTests.Apply(document, EditAlgebra.Overwrite(document.Index, document.Index.VideoTracks.First(), new FrameRange(78, 4), MltTests.Clip(4)));
        Assert.Equal([(75, 78), (78, 82), (82, 120)], Places(edited.Index.Tracks[0]).Skip(2).Take(3));
        Assert.Equal(Places(document.Index.Tracks[1]), Places(edited.Index.Tracks[1]));
        // The storyline began ten frames into green and lies in its second half now, at the same place on green's clock.
        var text = Text(edited);
        Assert.Equal(2, text.Split("<asset-clip ref=\"r3\"").Length - 1);
        Assert.True(text.IndexOf("<spine lane", StringComparison.Ordinal) > text.LastIndexOf("name=\"green\" start", StringComparison.Ordinal));
        Assert.Contains("<spine lane=\"1\" offset=\"2000/2500s\">", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 10, "LINKED_AUDIO")]
    [InlineData(110, 10, "TRANSITION_IN_WAY")]
    [InlineData(130, 5, "ITEM_HAS_EFFECTS")]
    public void What_would_do_damage_in_the_primary_storyline_is_refused(int start, int frames, string reason)
    {
        var document = Open();
        Assert.Equal(reason, Refused(document, EditAlgebra.Overwrite(document.Index, document.Index.VideoTracks.First(), new FrameRange(start, frames), MltTests.Clip(frames))));
    }

    [Theory]
    [InlineData(62, 5, "ITEM_HAS_EFFECTS")]
    [InlineData(86, 2, "STORYLINE")]
    [InlineData(91, 1, "NESTED_ITEM")]
    public void What_would_do_damage_in_a_lane_is_refused(int start, int frames, string reason)
    {
        var document = Open();
        Assert.Equal(reason, Refused(document, EditAlgebra.Overwrite(document.Index, document.Index.Tracks[1], new FrameRange(start, frames), MltTests.Clip(frames))));
    }

    [Theory]
    [InlineData("<asset-clip ref=\"r3\" offset=\"3603s\"", "<sync-clip offset=\"3603s\"", "Nested")]
    [InlineData("<asset-clip ref=\"r3\" offset=\"3603s\"", "<ref-clip ref=\"r3\" offset=\"3603s\"", "Nested")]
    [InlineData("<asset-clip ref=\"r3\" offset=\"3603s\"", "<mc-clip ref=\"r3\" offset=\"3603s\"", "Nested")]
    [InlineData("name=\"green\" start", "enabled=\"0\" name=\"green\" start", "Disabled")]
    [InlineData("<spine lane=\"1\" offset=\"2000/2500s\">", "<timeMap><timept time=\"0s\" value=\"0s\"/></timeMap><spine lane=\"1\" offset=\"2000/2500s\">", "Retimed")]
    [InlineData("<spine lane=\"1\" offset=\"2000/2500s\">", "<conform-rate srcFrameRate=\"24\"/><spine lane=\"1\" offset=\"2000/2500s\">", "Retimed")]
    [InlineData("<asset id=\"r3\" name=\"green\" start=\"0s\" duration=\"4s\"", "<asset id=\"r3\" name=\"green\" start=\"0s\" duration=\"0s\"", "Still")]
    public void Compound_clips_stills_and_speeds_are_known(string from, string to, string what)
    {
        var text = Text().Replace(from, to, StringComparison.Ordinal);
        if (to.Contains("-clip", StringComparison.Ordinal)) text = Replace(text, "</spine>\r\n                        </asset-clip>", $"</spine>\r\n                        </{to[1..to.IndexOf(' ', StringComparison.Ordinal)]}>");
        var item = TimelineDocument.Open(Encoding.UTF8.GetBytes(text)).Value.Index.Tracks[0].Items[2];
        Assert.Equal(what, item.Kind == ItemKind.Nested ? "Nested" : !item.Enabled ? "Disabled" : item.ChangesTime ? "Retimed" : item.Media!.AvailableRange is null ? "Still" : "?");
    }

    [Theory]
    [InlineData("version=\"1.10\"", "version=\"1.7\"", "DOCUMENT_UNKNOWN")]
    [InlineData("version=\"1.10\"", "version=\"2.0\"", "DOCUMENT_UNKNOWN")]
    [InlineData("<!DOCTYPE fcpxml>", "<!DOCTYPE fcpxml SYSTEM \"fcpxml.dtd\">", "DOCUMENT_MALFORMED")]
    [InlineData("<!DOCTYPE fcpxml>", "<!DOCTYPE fcpxml [<!ENTITY a \"b\">]>", "DOCUMENT_MALFORMED")]
    [InlineData("frameDuration=\"100/2500s\"", "", null)]
    [InlineData("name=\"FFVideoFormat1080p25\" frameDuration=\"100/2500s\"", "frameDuration=\"2400/2400s\"", "OFF_GRID")]
    [InlineData("name=\"FFVideoFormat1080p25\" frameDuration=\"100/2500s\"", "frameDuration=\"0s\"", "RATE_UNKNOWN")]
    [InlineData("id=\"r3\"", "id=\"r2\"", "DOCUMENT_MALFORMED")]
    [InlineData("offset=\"3602s\" start=\"3600s\" duration=\"1s\"", "offset=\"3602s\" duration=\"99999999999999999999s\"", "ITEM_UNKNOWN")]
    [InlineData("offset=\"3602s\" start=\"3600s\" duration=\"1s\"", "offset=\"3602s\" duration=\"1/0s\"", "ITEM_UNKNOWN")]
    [InlineData("offset=\"3603s\"", "offset=\"3604s\"", "ITEM_UNKNOWN")]
    [InlineData("offset=\"9011500/2500s\" duration=\"1000/2500s\"", "offset=\"9011500/2500s\" duration=\"1/7s\"", "TRANSITION_IN_WAY")]
    [InlineData("offset=\"9011500/2500s\" duration=\"1000/2500s\"", "offset=\"9011550/2500s\" duration=\"900/2500s\"", null)]
    [InlineData("<project name=\"Cut\">", "<project name=\"Other\"><sequence format=\"r1\"><spine/></sequence></project><project name=\"Cut\">", "DOCUMENT_UNKNOWN")]
    public void What_cannot_be_told_is_said(string from, string to, string? reason)
    {
        var bytes = Encoding.UTF8.GetBytes(Replace(Text(), from, to));
        var said = TimelineDocument.Open(bytes).TryGet(out var document, out var refusal) ? document.Index.VideoTracks.First().Problem?.Reason : refusal.Reason;
        Assert.Equal(reason, said);
    }

    [Fact]
    public void Clips_that_refer_to_each_other_in_a_circle_are_only_looked_at_once()
    {
        var text = Replace(Text(), "</resources>", "<media id=\"m1\"><sequence format=\"r1\" duration=\"1s\"><spine><ref-clip ref=\"m1\"/></spine></sequence></media></resources>");
        var index = TimelineDocument.Open(Encoding.UTF8.GetBytes(Replace(text, "<gap name=\"Gap\" offset=\"3602s\" start=\"3600s\" duration=\"1s\">", "<ref-clip ref=\"m1\" name=\"loop\" offset=\"3602s\" start=\"3600s\">").Replace("</gap>", "</ref-clip>", StringComparison.Ordinal))).Value.Index;
        Assert.Equal((ItemKind.Nested, new FrameRange(50, 25)), (index.Tracks[0].Items[1].Kind, index.Tracks[0].Items[1].RecordRange));
    }

    [Fact]
    public void Older_versions_name_media_in_an_attribute()
    {
        var text = Text().Replace("version=\"1.10\"", "version=\"1.8\"", StringComparison.Ordinal);
        var document = TimelineDocument.Open(Encoding.UTF8.GetBytes(text)).Value;
        var edited = MltTests.Apply(document, EditAlgebra.PlaceAbove(document.Index, null, new FrameRange(0, 5), MltTests.Clip(5)));
        Assert.Contains("<asset id=\"r8\" name=\"NEW &amp; co\" src=\"file:///m/new.mov\" start", Text(edited), StringComparison.Ordinal);
    }

    [Fact]
    public void Times_are_exact_at_every_spelling()
    {
        Assert.Equal(86400, FcpTime.Parse("86486400/24000s")!.Value.ToFrames(FrameRate.Film));
        Assert.Equal("86486400/24000s", FcpTime.Frames(86400, FrameRate.Film).Spell(24000));
        Assert.Equal(FcpTime.Parse("5/2s"), FcpTime.Parse("2.50s"));
        Assert.Equal("-1001/24000s", FcpTime.Frames(-1, FrameRate.Film).Spell(24000));
        Assert.Null(FcpTime.Parse("1001/24000"));
        Assert.Null(FcpTime.Parse("1/-2s"));
        Assert.Null(FcpTime.Parse("9223372036854775807s"));
        Assert.Null(FcpTime.Parse("1/9223372036854775807s"));
        Assert.Null(FcpTime.Parse("1/2s")!.Value.ToFrames(FrameRate.Pal));
    }

    internal static string Text() => MltTests.Text("cut.fcpxml");

    private static TimelineDocument Open(string? from = null, string to = "") =>
        TimelineDocument.Open(Encoding.UTF8.GetBytes(from is null ? Text() : Replace(Text(), from, to))).Value;

    private static string Replace(string text, string from, string to)
    {
        Assert.Contains(from, text, StringComparison.Ordinal);
        return text.Replace(from, to, StringComparison.Ordinal);
    }

    private static string Text(TimelineDocument document) => Encoding.UTF8.GetString(document.Bytes.Span);

    private static string? Refused(TimelineDocument document, Outcome<TimelineEdit> edit) => edit.Refusal?.Reason ?? document.Apply(edit.Value).Refusal?.Reason;

    internal static IEnumerable<(int Start, int End)> Places(Track track) => track.Items.Select(item => ((int)item.RecordRange.Start, (int)item.RecordRange.End));
}
