using System.Text;
using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Edl;

namespace EditorBridge.Timeline.Tests;

/// <summary>The three jobs on a CMX 3600 list, and what is refused.</summary>
public class EdlTests
{
    [Fact]
    public void Reads_events_gaps_dissolves_and_sound()
    {
        var document = Open();
        var index = document.Index;
        Assert.Equal(("CMX 3600 EDL", "CUT_V2", 90000L), (document.Format, index.Name, index.StartFrame));
        Assert.Equal(["V1", "A1", "A2"], index.Tracks.Select(track => track.Label));
        var items = index.Tracks[0].Items;
        Assert.Equal([ItemKind.Clip, ItemKind.Gap, ItemKind.Clip, ItemKind.Transition, ItemKind.Clip, ItemKind.Clip], items.Select(item => item.Kind));
        Assert.Equal([(0, 50), (50, 75), (75, 120), (120, 130), (120, 165), (165, 215)], FcpxTests.Places(index.Tracks[0]));
        Assert.Equal(["red", "", "green", "D", "blue", "SLOW MOTION"], items.Select(item => item.Name));
        Assert.Equal(["/m/red.mov", "green.mov", "blue.mov", null], items.Where(item => item.Kind == ItemKind.Clip).Select(item => item.Media!.Url));
        Assert.Equal(new MediaRange(FrameRate.Pal, 90010, 50), items[0].SourceRange);
        Assert.Equal(120, items[3].Cut);
        Assert.True(items[5].ChangesTime);
        Assert.Equal([(0, 75), (75, 120)], FcpxTests.Places(index.Tracks[1]));
        Assert.Equal([(0, 215)], FcpxTests.Places(index.Tracks[2]));
    }

    [Fact]
    public void Fill_takes_the_gap()
    {
        var document = Open();
        var edited = MltTests.Apply(document, EditAlgebra.Fill(document.Index, document.Index.Tracks[0], Gaps.Find(document.Index.Tracks[0])[0], MltTests.Clip(25) with { Reel = "GEN0A1B2" }));
        var item = edited.Index.Tracks[0].Items[1];
        Assert.Equal(("new", "/m/new.mov", new MediaRange(FrameRate.Pal, 90000, 25)), (item.Name, item.Media!.Url, item.SourceRange!.Value));
        Assert.Contains("\r\n006  GEN0A1B2 V     C        01:00:00:00 01:00:01:00 01:00:02:00 01:00:03:00\r\n* FROM CLIP NAME: new.mov\r\n* SOURCE FILE: /m/new.mov\r\n* COMMENT: {\"editorbridge\":{\"prompt\":\"a < b\"}}\r\n002  A002", Text(edited), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bl", "BL2")]
    [InlineData("Black!", "BLACK2")]
    [InlineData("A002", "A0022")]
    [InlineData("Black hole", "BLACKHOL")]
    public void A_clip_is_never_named_as_black_or_as_another_reel(string name, string reel)
    {
        var document = Open();
        var edited = MltTests.Apply(document, EditAlgebra.Fill(document.Index, document.Index.Tracks[0], Gaps.Find(document.Index.Tracks[0])[0], MltTests.Clip(25) with { Name = name, Reel = null }));
        Assert.Equal(ItemKind.Clip, edited.Index.Tracks[0].Items[1].Kind);
        Assert.Contains($"\r\n006  {reel,-8} V ", Text(edited), StringComparison.Ordinal);
    }

    [Fact]
    public void Broll_cuts_into_the_picture_and_leaves_the_sound()
    {
        var document = Open();
        var edited = MltTests.Apply(document, EditAlgebra.Overwrite(document.Index, document.Index.Tracks[0], new FrameRange(80, 10), MltTests.Clip(10)));
        Assert.Equal([(75, 80), (80, 90), (90, 120)], FcpxTests.Places(edited.Index.Tracks[0]).Skip(2).Take(3));
        Assert.Equal(FcpxTests.Places(document.Index.Tracks[1]), FcpxTests.Places(edited.Index.Tracks[1]));
        var text = Text(edited);
        Assert.Contains("002  A002     A     C        00:00:00:10 00:00:02:05 01:00:03:00 01:00:04:20", text, StringComparison.Ordinal);
        Assert.Contains("A002     V     C        00:00:00:10 00:00:00:15 01:00:03:00 01:00:03:05", text, StringComparison.Ordinal);
        Assert.Contains("A002     V     C        00:00:01:00 00:00:02:05 01:00:03:15 01:00:04:20", text, StringComparison.Ordinal);
        Assert.Equal("ONE_TRACK", EditAlgebra.PlaceAbove(document.Index, document.Index.Tracks[0], new FrameRange(80, 10), MltTests.Clip(10)).Refusal!.Reason);
    }

    [Fact]
    public void Extend_trims_out_into_the_gap_and_appends()
    {
        var document = Open();
        var track = document.Index.Tracks[0];
        // An EDL does not say what media hold; who looked into the file knows.
        var longer = MltTests.Apply(document, EditAlgebra.TrimOut(document.Index, track, track.Items[0], 10, known: new Handles(10, 40)));
        Assert.Contains("01:00:00:10 01:00:02:20 01:00:00:00 01:00:02:10", Text(longer), StringComparison.Ordinal);
        var appended = MltTests.Apply(longer, EditAlgebra.Append(longer.Index, longer.Index.Tracks[0], MltTests.Clip(50)));
        Assert.Equal(265, appended.Index.Duration);
        Assert.EndsWith("}}\r\n", Text(appended), StringComparison.Ordinal);
    }

    [Fact]
    public void Insert_moves_all_events_with_their_dissolves()
    {
        var document = Open("005  MUSIC    A2    C        00:00:00:00 00:00:08:15 01:00:00:00 01:00:08:15\r\n", "");
        var edited = MltTests.Apply(document, EditAlgebra.Insert(document.Index, document.Index.Tracks[0], 50, MltTests.Clip(10)));
        Assert.Equal([(0, 50), (50, 60), (60, 85), (85, 130), (130, 140), (130, 175), (175, 225)], FcpxTests.Places(edited.Index.Tracks[0]));
        Assert.Contains("003  A002     V     C        00:00:02:05 00:00:02:05 01:00:05:05 01:00:05:05", Text(edited), StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_of_several_channels_is_cut_once()
    {
        var document = TimelineDocument.Open("001  A V C 00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00\n002  M AA C 00:00:00:00 00:00:02:00 00:00:00:00 00:00:02:00\n"u8, FrameRate.Pal).Value;
        var edited = MltTests.Apply(document, EditAlgebra.Insert(document.Index, document.Index.Tracks[0], 10, MltTests.Clip(10), cutOthers: true));
        Assert.Equal([(0, 10), (10, 20), (20, 60)], FcpxTests.Places(edited.Index.Tracks[1]));
        Assert.Equal(FcpxTests.Places(edited.Index.Tracks[1]), FcpxTests.Places(edited.Index.Tracks[2]));
    }

    [Theory]
    [InlineData(122, 3, "TRANSITION_IN_WAY")]
    [InlineData(115, 5, "TRANSITION_IN_WAY")]
    [InlineData(170, 5, "ITEM_HAS_EFFECTS")]
    public void What_would_do_damage_is_refused(int start, int frames, string reason)
    {
        var index = Open().Index;
        Assert.Equal(reason, EditAlgebra.Overwrite(index, index.Tracks[0], new FrameRange(start, frames), MltTests.Clip(frames)).Refusal!.Reason);
    }

    [Fact]
    public void Drop_frame_lists_stay_so()
    {
        const string list = "TITLE: X\nFCM: DROP FRAME\n001  A001     V     C        00:00:59;20 00:01:00;10 01:00:59;20 01:01:00;10\n002  A001     V     C        00:00:59;20 00:01:00;10 01:02:00;02 01:02:00;22\n";
        var document = TimelineDocument.Open(Encoding.UTF8.GetBytes(list), FrameRate.Ntsc).Value;
        Assert.True(document.Index.DropFrame);
        Assert.Equal("01:00:00;00", document.Index.Label(0));
        // From 59;20 to 00;10 are eighteen frames: two labels are left out.
        Assert.Equal([18L, 20L], document.Index.Tracks[0].Items.Where(item => item.Kind == ItemKind.Clip).Select(item => item.RecordRange.Duration));
        var range = new MediaRange(FrameRate.Ntsc, 0, 1792);
        var clip = new NewClip { Name = "n", MediaUrl = "file:///m/n.mov", AvailableRange = range, SourceRange = range };
        var gaps = Gaps.Find(document.Index.Tracks[0]);
        var edited = MltTests.Apply(document, EditAlgebra.Overwrite(document.Index, document.Index.Tracks[0], gaps[^1].Range, clip with { SourceRange = range with { Duration = gaps[^1].Range.Duration } }));
        Assert.Contains("01:01:00;10 01:02:00;02\n* FROM CLIP NAME: n.mov\n", Text(edited), StringComparison.Ordinal);
    }

    [Theory]
    // Marked by punctuation, and told from a label that drop-frame leaves out where the head alone says drop-frame.
    [InlineData(";", "10:01:10:00 10:01:13:00", "10:01:10:10 10:01:13:00")]
    [InlineData(":", "10:00:57:00 10:01:00:00", "10:00:57:10 10:01:00:00")]
    [InlineData(":", "10:01:00:00 10:01:03:00", null)]
    public void Reels_of_a_drop_frame_list_may_count_without(string mark, string source, string? left)
    {
        var list = $"TITLE: X\nFCM: DROP FRAME\n001  A001     V     C        {source} 01:00:00{mark}00 01:00:03{mark}00\n002  B001     V     C        10:01:00{mark}02 10:01:01{mark}02 01:00:04{mark}00 01:00:05{mark}00\n";
        var document = TimelineDocument.Open(Encoding.UTF8.GetBytes(list), FrameRate.Ntsc).Value;
        var first = document.Index.Tracks[0].Items[0];
        Assert.Equal(90, first.RecordRange.Duration);
        Assert.False(first.ChangesTime);
        Assert.Equal(Timecode.Parse(source[..11], FrameRate.Ntsc, dropFrame: false).Value.Frame, first.SourceRange!.Value.Start);
        var start = Timecode.Parse("01:00:00;00", FrameRate.Ntsc).Value.Frame;
        var range = new MediaRange(FrameRate.Ntsc, start, 40);
        var clip = new NewClip { Name = "n", MediaUrl = "file:///m/n.mov", AvailableRange = range, SourceRange = range with { Duration = 10 } };
        var cut = EditAlgebra.Overwrite(document.Index, document.Index.Tracks[0], new FrameRange(0, 10), clip);
        if (left is null)
        {
            // The label that told is cut off.
            Assert.Equal("TIMECODE_AMBIGUOUS", document.Apply(cut.Value).Refusal!.Reason);
            return;
        }

        var edited = MltTests.Apply(document, cut);
        Assert.Contains($"{left} 01:00:00{mark}10 01:00:03{mark}00", Text(edited), StringComparison.Ordinal);
        Assert.Contains($"C        01:00:00{mark}00 01:00:00{mark}10 01:00:00{mark}00 01:00:00{mark}10\n", Text(edited), StringComparison.Ordinal);
    }

    [Fact]
    public void Lines_may_end_with_a_carriage_return_alone()
    {
        var document = TimelineDocument.Open(Encoding.UTF8.GetBytes(MltTests.Text("cut.edl").ReplaceLineEndings("\r")), FrameRate.Pal).Value;
        Assert.Equal(FcpxTests.Places(Open().Index.Tracks[0]), FcpxTests.Places(document.Index.Tracks[0]));
        var edited = MltTests.Apply(document, EditAlgebra.Fill(document.Index, document.Index.Tracks[0], Gaps.Find(document.Index.Tracks[0])[0], MltTests.Clip((int)Gaps.Find(document.Index.Tracks[0])[0].Range.Duration)));
        Assert.DoesNotContain("\n", Text(edited), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("01:00:03:00 01:00:04:20", "01:00:03:25 01:00:04:20", "DOCUMENT_MALFORMED")]
    [InlineData("01:00:03:00 01:00:04:20", "01:00:05:00 01:00:04:20", "DOCUMENT_MALFORMED")]
    [InlineData("V     D    010", "V     X    010", "DOCUMENT_MALFORMED")]
    [InlineData("V     D    010", "V     D    999999999999999999999", "DOCUMENT_MALFORMED")]
    [InlineData("01:00:03:00 01:00:04:20", "01:00:01:00 01:00:02:20", "ITEM_UNKNOWN")]
    public void What_cannot_be_told_is_said(string from, string to, string reason)
    {
        var bytes = Encoding.UTF8.GetBytes(Replace(MltTests.Text("cut.edl"), from, to));
        Assert.Equal(reason, TimelineDocument.Open(bytes, FrameRate.Pal).TryGet(out var document, out var refusal) ? document.Index.VideoTracks.First().Problem?.Reason : refusal.Reason);
    }

    [Fact]
    public void The_rate_has_to_be_given_and_other_encodings_are_refused()
    {
        var bytes = Encoding.UTF8.GetBytes(MltTests.Text("cut.edl"));
        Assert.Contains("--rate", TimelineDocument.Open(bytes).Refusal!.Message, StringComparison.Ordinal);
        Assert.False(EdlDocument.LooksLikeEdl("{\"a\": 1}"u8));
        Assert.Equal("DOCUMENT_UNKNOWN", TimelineDocument.Open("TITLE: nothing\n"u8, FrameRate.Pal).Refusal!.Reason);
        Assert.Contains("plain text", TimelineDocument.Open("TITLE: X\n\0\0"u8, FrameRate.Pal).Refusal!.Message, StringComparison.Ordinal);
        // Remarks may be in another encoding; their bytes stay.
        byte[] latin = [.. "001  A V C 00:00:00:00 00:00:02:00 01:00:00:00 01:00:02:00\n* FROM CLIP NAME: caf"u8, 0xE9, .. ".mov\n"u8];
        var document = TimelineDocument.Open(latin, FrameRate.Pal).Value;
        Assert.Equal("café", document.Index.Tracks[0].Items[0].Name);
        var edited = MltTests.Apply(document, EditAlgebra.Overwrite(document.Index, document.Index.Tracks[0], new FrameRange(10, 5), MltTests.Clip(5)));
        Assert.Equal(2, Encoding.Latin1.GetString(edited.Bytes.Span).Split("café").Length - 1);
    }

    private static TimelineDocument Open(string? from = null, string to = "") =>
        TimelineDocument.Open(Encoding.UTF8.GetBytes(from is null ? MltTests.Text("cut.edl") : Replace(MltTests.Text("cut.edl"), from, to)), FrameRate.Pal).Value;

    private static string Replace(string text, string from, string to)
    {
        Assert.Contains(from, text, StringComparison.Ordinal);
        return text.Replace(from, to, StringComparison.Ordinal);
    }

    private static string Text(TimelineDocument document) => Encoding.UTF8.GetString(document.Bytes.Span);
}
