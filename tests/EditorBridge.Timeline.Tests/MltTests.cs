using System.Text;
using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Mlt;

namespace EditorBridge.Timeline.Tests;

/// <summary>The three jobs on documents as Shotcut and both generations of Kdenlive write them, and what is refused.</summary>
public class MltTests
{
    public static readonly TheoryData<string> Goldens = ["shotcut.mlt", "generation4.kdenlive", "generation5.kdenlive"];

    [Theory]
    [MemberData(nameof(Goldens))]
    public void Reads_clips_gaps_and_transitions(string name)
    {
        var index = Open(name).Index;
        Assert.Equal(FrameRate.Pal, index.Rate);
        var track = Assert.Single(index.VideoTracks);
        Assert.Null(track.Problem);
        Assert.Equal([ItemKind.Clip, ItemKind.Gap, ItemKind.Clip, ItemKind.Transition, ItemKind.Clip], track.Items.Select(item => item.Kind));
        Assert.Equal([(0, 50), (50, 75), (75, 120), (115, 125)], track.Items.Take(4).Select(item => ((int)item.RecordRange.Start, (int)item.RecordRange.End)));
        Assert.Equal(120, track.Items[3].Cut);
        Assert.Equal(new MediaRange(FrameRate.Pal, 10, 50), track.Items[0].SourceRange);
        Assert.Equal(new MediaRange(FrameRate.Pal, 10, 45), track.Items[2].SourceRange);
        Assert.Equal(new Handles(10, 40), Handles.Of(track.Items[0], index.Rate));
        Assert.Equal("red.mov", track.Items[0].Media!.Url);
        Assert.Equal(1, index.Tracks.Count(other => other.Kind == TrackKind.Audio));
    }

    [Theory]
    [MemberData(nameof(Goldens))]
    public void Fill_takes_the_gap_and_leaves_the_rest(string name)
    {
        var document = Open(name);
        var track = document.Index.VideoTracks.First();
        var edited = Apply(document, EditAlgebra.Fill(document.Index, track, Gaps.Find(track)[0], Clip(25)));
        var items = edited.Index.VideoTracks.First().Items;
        Assert.Equal(["NEW & co", "green"], items.Skip(1).Take(2).Select(item => item.Name.Length > 0 ? item.Name : "green"));
        Assert.Equal(new FrameRange(50, 25), items[1].RecordRange);
        Assert.Equal(new MediaRange(FrameRate.Pal, 0, 25), items[1].SourceRange);
        Assert.Equal("/m/new.mov", items[1].Media!.Url);
    }

    [Theory]
    [MemberData(nameof(Goldens))]
    public void Broll_goes_onto_a_new_track_in_front(string name)
    {
        var document = Open(name);
        var edit = EditAlgebra.PlaceAbove(document.Index, document.Index.VideoTracks.First(), new FrameRange(20, 40), Clip(40));
        Assert.True(edit.Value.AddsTrack);
        var edited = Apply(document, edit);
        var added = edited.Index.VideoTracks.Last();
        Assert.Equal((2, "V2"), (added.Number, added.Name));
        Assert.Equal([new FrameRange(0, 20), new FrameRange(20, 40)], added.Items.Select(item => item.RecordRange));

        // A second one finds room beside the first.
        var again = EditAlgebra.PlaceAbove(edited.Index, edited.Index.VideoTracks.First(), new FrameRange(100, 10), Clip(10));
        Assert.False(again.Value.AddsTrack);
        Assert.Equal(4, Apply(edited, again).Index.VideoTracks.Last().Items.Count);
    }

    [Theory]
    [MemberData(nameof(Goldens))]
    public void Extend_uses_handles_and_then_adds_frames_beyond_the_end(string name)
    {
        var document = Open(name);
        var track = document.Index.VideoTracks.First();
        var longer = Apply(document, EditAlgebra.TrimOut(document.Index, track, track.Items[0], 10));
        Assert.Equal(new MediaRange(FrameRate.Pal, 10, 60), longer.Index.VideoTracks.First().Items[0].SourceRange);
        Assert.Equal(new FrameRange(60, 15), longer.Index.VideoTracks.First().Items[1].RecordRange);

        var end = longer.Index.Duration;
        var appended = Apply(longer, EditAlgebra.Append(longer.Index, longer.Index.VideoTracks.First(), Clip(50)));
        Assert.Equal(end + 50, appended.Index.Duration);
        // What ends with the timeline ends later now: nothing of the old length is left but the media's own.
        var old = name == "shotcut.mlt" ? "00:00:07.560" : "00:00:06.560";
        Assert.DoesNotContain($"out=\"{old}\"", Encoding.UTF8.GetString(appended.Bytes.Span), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Goldens))]
    public void A_clip_can_be_split_away_from_its_transition(string name)
    {
        var document = Open(name);
        var edited = Apply(document, EditAlgebra.Overwrite(document.Index, document.Index.VideoTracks.First(), new FrameRange(80, 10), Clip(10)));
        var items = edited.Index.VideoTracks.First().Items;
        Assert.Equal([new MediaRange(FrameRate.Pal, 10, 5), new MediaRange(FrameRate.Pal, 0, 10), new MediaRange(FrameRate.Pal, 25, 30)], items.Skip(2).Take(3).Select(item => item.SourceRange));
        Assert.Equal(new FrameRange(115, 10), items[5].RecordRange);
    }

    [Theory]
    [MemberData(nameof(Goldens))]
    public void What_a_transition_needs_is_not_taken_from_it(string name)
    {
        var index = Open(name).Index;
        var track = index.VideoTracks.First();
        Assert.Equal("TRANSITION_IN_WAY", EditAlgebra.Overwrite(index, track, new FrameRange(110, 10), Clip(10)).Refusal!.Reason);
        // Up to the mix and no further: only mixed frames would be left of the clip.
        Assert.Equal("TRANSITION_IN_WAY", Open(name).Apply(EditAlgebra.Overwrite(index, track, new FrameRange(105, 10), Clip(10)).Value).Refusal!.Reason);
        Assert.Null(Open(name).Apply(EditAlgebra.Overwrite(index, track, new FrameRange(104, 10), Clip(10)).Value).Refusal);
    }

    [Fact]
    public void Grouped_clips_of_Kdenlive_stay_together()
    {
        var document = Open("generation4.kdenlive");
        var track = document.Index.VideoTracks.First();
        Assert.Equal("LINKED_ITEM", document.Apply(EditAlgebra.Overwrite(document.Index, track, new FrameRange(0, 10), Clip(10)).Value).Refusal!.Reason);
        Assert.Null(document.Apply(EditAlgebra.Overwrite(document.Index, track, new FrameRange(40, 10), Clip(10)).Value).Refusal);
        Assert.Equal("RIPPLE_REFUSED", document.Apply(EditAlgebra.Insert(document.Index, track, 0, Clip(10)).Value).Refusal!.Reason);
    }

    [Fact]
    public void Insert_moves_mixes_with_their_clips()
    {
        var document = Open("generation5.kdenlive");
        var edited = Apply(document, EditAlgebra.Insert(document.Index, document.Index.VideoTracks.First(), 60, Clip(10)));
        var track = edited.Index.VideoTracks.First();
        Assert.Equal(new FrameRange(125, 10), track.Items.First(item => item.Kind == ItemKind.Transition).RecordRange);
        Assert.Contains("<transition id=\"transition2\" in=\"00:00:05.000\" out=\"00:00:05.360\">", Encoding.UTF8.GetString(edited.Bytes.Span), StringComparison.Ordinal);
    }

    [Fact]
    public void A_mix_is_told_as_Kdenlive_saves_it_and_keeps_its_spelling()
    {
        // Kdenlive 22.12 saves the first frame after the mix as its out.
        var document = Open("generation4.kdenlive", "in=\"00:00:04.600\" out=\"00:00:04.960\"", "in=\"00:00:04.600\" out=\"00:00:05.000\"");
        var track = document.Index.VideoTracks.First();
        Assert.Null(track.Problem);
        Assert.Equal(new FrameRange(115, 10), track.Items.First(item => item.Kind == ItemKind.Transition).RecordRange);
        var edited = Apply(document, EditAlgebra.Insert(document.Index, track, 60, Clip(10)));
        Assert.Contains("<transition id=\"transition2\" in=\"00:00:05.000\" out=\"00:00:05.400\">", Encoding.UTF8.GetString(edited.Bytes.Span), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<property name=\"kdenlive:docproperties.guides\">", "activeTrack\">1</property><property name=\"kdenlive:docproperties.position\">7</property><property name=\"kdenlive:docproperties.zonein\">10</property><property name=\"kdenlive:docproperties.zoneout\">30</property>", 7, 10, 20, 1)]
    [InlineData("<property name=\"kdenlive:docproperties.guides\">", "activeTrack\">0</property>", 0, null, 0, null)]
    public void Where_Kdenlives_user_was_is_told(string before, string properties, long position, int? zone, long frames, int? track)
    {
        var cursor = ((MltDocument)Open("generation4.kdenlive", before, $"<property name=\"kdenlive:docproperties.{properties}{before}")).Cursor;
        Assert.Equal(new KdenliveCursor(position, zone is { } start ? new FrameRange(start, frames) : null, track), cursor);
        Assert.Null(((MltDocument)Open("shotcut.mlt")).Cursor);
    }

    [Fact]
    public void A_clip_for_the_clipboard_reads_back()
    {
        var text = MltClip.Write(Clip(25) with { MediaUrl = "file:///m/a%20%26%20b.mov" }, FrameRate.Pal, "rain & <snow>");
        Assert.Equal(new MltClip("/m/a & b.mov", "NEW & co", 0, 25), MltClip.Read(text, FrameRate.Pal));
        // As Shotcut 22.12 copies one.
        Assert.Equal(new MltClip("/m/red.mov", "red", 10, 50), MltClip.Read(
            "<mlt LC_NUMERIC=\"C\" root=\"\"><chain id=\"chain0\" in=\"00:00:00.400\" out=\"00:00:02.360\"><property name=\"resource\">/m/red.mov</property><property name=\"shotcut:caption\">red</property></chain></mlt>\n",
            FrameRate.Pal));
        foreach (var none in new[] { "", "plain", "<mlt/>", "<mlt><chain><property name=\"resource\">a</property></chain>" }) Assert.Null(MltClip.Read(none, FrameRate.Pal));
    }

    [Theory]
    [InlineData("guides\">[&#10;]", "guides\">[{\"pos\":9}]")]
    [InlineData("<property name=\"always_active\">1</property>\r\n  </transition>\r\n </tractor>", "</transition><transition in=\"9\" out=\"99\"/></tractor>")]
    [InlineData("<track hide=\"audio\" producer=\"playlist3\"/>", "<track hide=\"audio\" producer=\"playlist3\"/><filter/>")]
    public void Nothing_is_left_behind_when_everything_moves(string from, string to)
    {
        var document = Open("generation5.kdenlive", from, to);
        Assert.Equal("RIPPLE_REFUSED", document.Apply(EditAlgebra.Insert(document.Index, document.Index.VideoTracks.First(), 60, Clip(10)).Value).Refusal!.Reason);
    }

    [Fact]
    public void Effects_speeds_nested_and_disabled_clips_are_known()
    {
        var shotcut = Open("shotcut.mlt").Index.VideoTracks.First();
        Assert.Equal("brightness", Assert.Single(shotcut.Items[4].Effects).Name);
        var slow = Open("shotcut.mlt", "<property name=\"shotcut:caption\">green</property>", "<link><property name=\"mlt_service\">timeremap</property></link>").Index.VideoTracks.First();
        Assert.True(slow.Items[2].ChangesTime);
        var off = Open("generation4.kdenlive", "<property name=\"set.test_image\">0</property>", "<property name=\"set.test_image\">1</property>").Index.VideoTracks.First();
        Assert.False(off.Items[0].Enabled);
        var nested = Open("generation4.kdenlive", "<property name=\"mlt_service\">avformat-novalidate</property>", "<property name=\"mlt_service\">xml</property>").Index.VideoTracks.First();
        Assert.Equal(ItemKind.Nested, nested.Items[0].Kind);
        var locked = Open("generation4.kdenlive", "<property name=\"kdenlive:track_name\">Pictures</property>", "<property name=\"kdenlive:locked_track\">1</property>").Index;
        Assert.Equal("TRACK_LOCKED", EditAlgebra.Append(locked, locked.VideoTracks.First(), Clip(5)).Refusal!.Reason);
    }

    [Theory]
    [InlineData("frame_rate_num=\"25\"", "frame_rate_num=\"0\"", "RATE_UNKNOWN")]
    [InlineData("id=\"chain1\"", "id=\"chain0\"", "DOCUMENT_MALFORMED")]
    [InlineData("entry producer=\"chain1\"", "entry producer=\"gone\"", "ITEM_UNKNOWN")]
    [InlineData("blank length=\"00:00:01.000\"", "blank length=\"99999999999999999999\"", "ITEM_UNKNOWN")]
    public void What_cannot_be_told_is_said(string from, string to, string reason)
    {
        var bytes = Encoding.UTF8.GetBytes(Text("shotcut.mlt").Replace(from, to, StringComparison.Ordinal));
        Assert.Equal(reason, TimelineDocument.Open(bytes).TryGet(out var document, out var refusal)
            ? document.Index.VideoTracks.First().Problem!.Reason
            : refusal.Reason);
    }

    internal static TimelineDocument Apply(TimelineDocument document, Outcome<TimelineEdit> edit)
    {
        var edited = document.Apply(edit.Value).Value;
        EditProperties.OutsideIsUntouched(document.Bytes.Span, edited);
        return edited.Document;
    }

    internal static NewClip Clip(long frames, string url = "file:///m/new.mov") => new()
    {
        Name = "NEW & co",
        MediaUrl = url,
        AvailableRange = new MediaRange(FrameRate.Pal, 90000, frames),
        SourceRange = new MediaRange(FrameRate.Pal, 90000, frames),
        MetadataJson = "{\"editorbridge\":{\"prompt\":\"a < b\"}}",
    };

    internal static string Text(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Goldens", name));

    [Theory]
    [MemberData(nameof(Goldens))]
    public void In_another_folder_media_are_spelled_from_there(string name)
    {
        var edited = Open(name).RespellMedia(url => MediaPath.Rebase(url, "/cuts", "/cuts/out"))!;
        Assert.Equal("../red.mov", edited.Document.Index.VideoTracks.First().Items[0].Media!.Url);
        Assert.All(edited.Splices, splice => Assert.StartsWith("../", Encoding.UTF8.GetString(splice.Replacement.Span), StringComparison.Ordinal));
        Assert.Equal(Text(name), Encoding.UTF8.GetString(edited.Document.Bytes.Span).Replace(">../", ">", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("timewarp", "2:film.mov", "2:../film.mov")]
    [InlineData("qimage", "cards/%05d.png", "../cards/%05d.png")]
    [InlineData("avformat", "/elsewhere/film.mov", "/elsewhere/film.mov")]
    [InlineData("color", "#ff0000ff", "#ff0000ff")]
    [InlineData("color", "0.5", "0.5")]
    [InlineData("color", "black", "black")]
    [InlineData("luma", "%luma01.pgm", "%luma01.pgm")]
    [InlineData("luma", "wipes/own.pgm", "../wipes/own.pgm")]
    public void Only_files_are_spelled_from_another_folder(string service, string before, string after)
    {
        const string Name = "shotcut.mlt";
        var text = Text(Name).Replace("<playlist id=\"main_bin\"",
            $"<producer id=\"extra\"><property name=\"mlt_service\">{service}</property><property name=\"resource\">{before}</property></producer><playlist id=\"main_bin\"", StringComparison.Ordinal);
        var edited = TimelineDocument.Open(Encoding.UTF8.GetBytes(text)).Value.RespellMedia(url => url.EndsWith("red.mov", StringComparison.Ordinal) ? url : MediaPath.Rebase(url, "/cuts", "/cuts/out"))!;
        Assert.Contains($">{after}</property></producer><playlist", Encoding.UTF8.GetString(edited.Document.Bytes.Span), StringComparison.Ordinal);
    }

    [Fact]
    public void A_document_that_names_its_own_folder_stays_as_it_is()
    {
        var text = Text("shotcut.mlt").Replace("<mlt ", "<mlt root=\"/media\" ", StringComparison.Ordinal);
        var document = TimelineDocument.Open(Encoding.UTF8.GetBytes(text)).Value;
        Assert.Equal("/media/red.mov", document.Index.VideoTracks.First().Items[0].Media!.Url);
        Assert.Null(document.RespellMedia(url => "../" + url));
    }

    private static TimelineDocument Open(string name, string? from = null, string to = "")
    {
        var text = Text(name);
        if (from is not null) Assert.Contains(from, text, StringComparison.Ordinal);
        return TimelineDocument.Open(Encoding.UTF8.GetBytes(from is null ? text : text.Replace(from, to, StringComparison.Ordinal))).Value;
    }
}
