using System.Text;
using EditorBridge.Timeline.Edits;

namespace EditorBridge.Timeline.Tests;

/// <summary>The three jobs on a sequence as Premiere writes FCP7 XML, its links and transitions, and what is refused.</summary>
public class XmemlTests
{
    [Fact]
    public void Reads_clips_gaps_transitions_and_links()
    {
        var document = Open();
        var index = document.Index;
        Assert.Equal(("FCP7 XML (xmeml 5)", "Cut", FrameRate.Pal, 90000L), (document.Format, index.Name, index.Rate, index.StartFrame));
        Assert.All(index.Tracks, other => Assert.Null(other.Problem));
        var track = Assert.Single(index.VideoTracks);
        Assert.Equal([ItemKind.Clip, ItemKind.Gap, ItemKind.Clip, ItemKind.Transition, ItemKind.Clip], track.Items.Select(item => item.Kind));
        Assert.Equal([(0, 50), (50, 75), (75, 120), (115, 125), (120, 165)], FcpxTests.Places(track));
        Assert.Equal(new MediaRange(FrameRate.Pal, 90010, 50), track.Items[0].SourceRange);
        Assert.Equal(new MediaRange(FrameRate.Pal, 10, 45), track.Items[2].SourceRange);
        // Five frames of the mix come before the cut.
        Assert.Equal(new MediaRange(FrameRate.Pal, 10, 45), track.Items[4].SourceRange);
        Assert.Equal(new Handles(10, 40), Handles.Of(track.Items[0], index.Rate));
        Assert.Equal("file://localhost/m/r%C3%A9d.mov", track.Items[0].Media!.Url);
        Assert.Empty(track.Items[0].Effects);
        Assert.Equal("Blur", Assert.Single(track.Items[4].Effects).Name);
        // The second mention of a file names it only.
        Assert.Equal("file://localhost/m/green.mov", index.Tracks[1].Items[1].Media!.Url);
    }

    [Fact]
    public void Fill_takes_the_gap_and_links_count_their_clips_anew()
    {
        var document = Open();
        var track = document.Index.VideoTracks.First();
        var edited = MltTests.Apply(document, EditAlgebra.Fill(document.Index, track, Gaps.Find(track)[0], MltTests.Clip(25)));
        var item = edited.Index.VideoTracks.First().Items[1];
        Assert.Equal(("NEW & co", new FrameRange(50, 25), new MediaRange(FrameRate.Pal, 90000, 25)), (item.Name, item.RecordRange, item.SourceRange!.Value));
        Assert.Equal("file://localhost/m/new.mov", item.Media!.Url);
        var text = Text(edited);
        Assert.Equal(2, text.Split("<linkclipref>clipitem-2</linkclipref>\n\t\t\t\t\t\t\t<mediatype>video</mediatype>\n\t\t\t\t\t\t\t<trackindex>1</trackindex>\n\t\t\t\t\t\t\t<clipindex>3</clipindex>").Length - 1);
        Assert.Equal(2, text.Split("<linkclipref>clipitem-4</linkclipref>\n\t\t\t\t\t\t\t<mediatype>audio</mediatype>\n\t\t\t\t\t\t\t<trackindex>1</trackindex>\n\t\t\t\t\t\t\t<clipindex>1</clipindex>").Length - 1);
        Assert.Contains("<clipitem id=\"clipitem-5\">\n\t\t\t\t\t\t<name>NEW &amp; co</name>", text, StringComparison.Ordinal);
        Assert.Contains("<string>01:00:00:00</string>", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Broll_goes_onto_a_new_track_in_front()
    {
        var document = Open();
        var edit = EditAlgebra.PlaceAbove(document.Index, document.Index.VideoTracks.First(), new FrameRange(20, 40), MltTests.Clip(40));
        Assert.True(edit.Value.AddsTrack);
        var edited = MltTests.Apply(document, edit);
        Assert.Equal([(0, 20), (20, 60)], FcpxTests.Places(edited.Index.VideoTracks.Last()));
        var again = EditAlgebra.PlaceAbove(edited.Index, edited.Index.VideoTracks.First(), new FrameRange(100, 10), MltTests.Clip(10, "file:///m/other.mov"));
        Assert.False(again.Value.AddsTrack);
        var twice = MltTests.Apply(edited, again);
        Assert.Equal([(0, 20), (20, 60), (60, 100), (100, 110)], FcpxTests.Places(twice.Index.VideoTracks.Last()));
        Assert.Contains("<file id=\"file-5\">", Text(twice), StringComparison.Ordinal);
    }

    [Fact]
    public void Extend_uses_handles_and_then_adds_frames_beyond_the_end()
    {
        var document = Open();
        var track = document.Index.VideoTracks.First();
        var longer = MltTests.Apply(document, EditAlgebra.TrimOut(document.Index, track, track.Items[0], 10));
        Assert.Equal(new MediaRange(FrameRate.Pal, 90010, 60), longer.Index.VideoTracks.First().Items[0].SourceRange);
        // Premiere's own count of the out point is of the old one.
        Assert.Equal(Text(document).Split("<pproTicksOut>").Length - 1, Text(longer).Split("<pproTicksOut>").Length);
        Assert.Equal(Text(document).Split("<pproTicksIn>").Length, Text(longer).Split("<pproTicksIn>").Length);
        var appended = MltTests.Apply(longer, EditAlgebra.Append(longer.Index, longer.Index.VideoTracks.First(), MltTests.Clip(50)));
        Assert.Equal(215, appended.Index.Duration);
        Assert.Contains("<name>Cut</name>\n\t\t<duration>215</duration>", Text(appended), StringComparison.Ordinal);
    }

    [Fact]
    public void A_clip_can_be_split_away_from_its_transition()
    {
        var document = Open();
        var edited = MltTests.Apply(document, EditAlgebra.Overwrite(document.Index, document.Index.VideoTracks.First(), new FrameRange(80, 10), MltTests.Clip(10)));
        var items = edited.Index.VideoTracks.First().Items;
        Assert.Equal([new MediaRange(FrameRate.Pal, 10, 5), new MediaRange(FrameRate.Pal, 90000, 10), new MediaRange(FrameRate.Pal, 25, 30)], items.Skip(2).Take(3).Select(item => item.SourceRange!.Value));
        Assert.Equal(new FrameRange(115, 10), items[5].RecordRange);
        // The sound stays linked with the first half; the second has no links and only names the file.
        Assert.Equal(4, Text(edited).Split("<linkclipref>").Length - 1);
        Assert.Equal(1, Text(edited).Split("green.mov</pathurl>").Length - 1);
    }

    [Fact]
    public void Insert_moves_clips_transitions_markers_and_sound()
    {
        var document = Open();
        var edited = MltTests.Apply(document, EditAlgebra.Insert(document.Index, document.Index.VideoTracks.First(), 60, MltTests.Clip(10)));
        Assert.Equal([(0, 50), (50, 60), (60, 70), (70, 85), (85, 130), (125, 135), (130, 175)], FcpxTests.Places(edited.Index.Tracks[0]));
        Assert.Equal([(0, 85), (85, 130)], FcpxTests.Places(edited.Index.Tracks[1]));
        Assert.Contains("<in>90</in>\n\t\t\t<out>-1</out>", Text(edited), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(70, 60, "TRANSITION_IN_WAY")]
    [InlineData(140, 5, "ITEM_HAS_EFFECTS")]
    public void What_would_do_damage_is_refused(int start, int frames, string reason)
    {
        var document = Open();
        Assert.Equal(reason, Refused(document, EditAlgebra.Overwrite(document.Index, document.Index.VideoTracks.First(), new FrameRange(start, frames), MltTests.Clip(frames))));
    }

    [Fact]
    public void What_others_are_linked_to_is_not_taken_away()
    {
        var text = Text(Open());
        var mix = text[text.IndexOf("\t\t\t\t\t<transitionitem>", StringComparison.Ordinal)..(text.IndexOf("</transitionitem>", StringComparison.Ordinal) + 18)];
        var document = TimelineDocument.Open(Encoding.UTF8.GetBytes(text.Replace(mix, "", StringComparison.Ordinal)
            .Replace("<start>75</start>\n\t\t\t\t\t\t<end>-1</end>\n\t\t\t\t\t\t<in>10</in>\n\t\t\t\t\t\t<out>60</out>", "<start>75</start>\n\t\t\t\t\t\t<end>120</end>\n\t\t\t\t\t\t<in>10</in>\n\t\t\t\t\t\t<out>55</out>", StringComparison.Ordinal)
            .Replace("<start>-1</start>", "<start>115</start>", StringComparison.Ordinal).Replace("<start>115</start>\n\t\t\t\t\t\t<end>165</end>", "<start>120</start>\n\t\t\t\t\t\t<end>170</end>", StringComparison.Ordinal))).Value;
        Assert.Equal("LINKED_ITEM", Refused(document, EditAlgebra.Overwrite(document.Index, document.Index.VideoTracks.First(), new FrameRange(70, 50), MltTests.Clip(50))));
    }

    [Theory]
    [InlineData("<stillframe>TRUE</stillframe>", "Still")]
    [InlineData("<filter><effect><name>Time Remap</name><effectid>timeremap</effectid><parameter><parameterid>speed</parameterid><value>50</value></parameter></effect></filter>", "Retimed")]
    [InlineData("<sequence id=\"s2\"><name>nest</name></sequence>", "Nested")]
    [InlineData("<multiclip id=\"m2\"/>", "Nested")]
    public void Stills_speeds_nests_and_multiclips_are_known(string added, string what)
    {
        var item = Open("<name>red</name>", $"<name>red</name>{added}").Index.Tracks[0].Items[0];
        Assert.Equal(what, item.Kind == ItemKind.Nested ? "Nested" : item.ChangesTime ? "Retimed" : item.Media!.AvailableRange is null ? "Still" : "?");
        Assert.True(Open("<out>60</out>", "<out>35</out>").Index.Tracks[0].Items[0].ChangesTime);
        Assert.False(Open("<name>red</name>\n\t\t\t\t\t\t<enabled>TRUE", "<name>red</name>\n\t\t\t\t\t\t<enabled>FALSE").Index.Tracks[0].Items[0].Enabled);
    }

    [Theory]
    [InlineData("version=\"5\"", "version=\"6\"", "DOCUMENT_UNKNOWN")]
    [InlineData("<!DOCTYPE xmeml>", "<!DOCTYPE xmeml PUBLIC \"a\" \"b\">", "DOCUMENT_MALFORMED")]
    [InlineData("<name>Cut</name>\n\t\t<duration>165</duration>\n\t\t<rate>\n\t\t\t<timebase>25", "<name>Cut</name>\n\t\t<duration>165</duration>\n\t\t<rate>\n\t\t\t<timebase>0", "RATE_UNKNOWN")]
    [InlineData("<start>0</start>", "<start>99999999999999999999</start>", "ITEM_UNKNOWN")]
    [InlineData("<start>0</start>", "<start>-1</start>", "ITEM_UNKNOWN")]
    [InlineData("<start>75</start>", "<start>40</start>", "ITEM_UNKNOWN")]
    [InlineData("<start>115</start>", "<start>x</start>", "ITEM_UNKNOWN")]
    [InlineData("<locked>FALSE</locked>", "<locked>TRUE</locked>", "TRACK_LOCKED")]
    [InlineData("<file id=\"file-2\">", "<file id=\"file-1\">", "DOCUMENT_MALFORMED")]
    [InlineData("</project>", "<sequence><name>Other</name><media/></sequence></project>", "DOCUMENT_UNKNOWN")]
    public void What_cannot_be_told_is_said(string from, string to, string reason)
    {
        var bytes = Encoding.UTF8.GetBytes(Replace(MltTests.Text("cut.xml"), from, to));
        Assert.Equal(reason, TimelineDocument.Open(bytes).TryGet(out var document, out var refusal) ? document.Index.VideoTracks.First().Problem?.Reason : refusal.Reason);
    }

    private static TimelineDocument Open(string? from = null, string to = "") =>
        TimelineDocument.Open(Encoding.UTF8.GetBytes(from is null ? MltTests.Text("cut.xml") : Replace(MltTests.Text("cut.xml"), from, to))).Value;

    private static string Replace(string text, string from, string to)
    {
        Assert.Contains(from, text, StringComparison.Ordinal);
        return text.Replace(from, to, StringComparison.Ordinal);
    }

    private static string Text(TimelineDocument document) => Encoding.UTF8.GetString(document.Bytes.Span);

    private static string? Refused(TimelineDocument document, Outcome<TimelineEdit> edit) => edit.Refusal?.Reason ?? document.Apply(edit.Value).Refusal?.Reason;
}
