using System.Text;
using EditorBridge.Timeline.Conversion;
using EditorBridge.Timeline.Edits;

namespace EditorBridge.Timeline.Tests;

/// <summary>OpenTimelineIO writes doubles: what is no number of frames, or none that can be counted with, is said rather than rounded.</summary>
public class HugeNumberTests
{
    [Theory]
    [InlineData("1e308")]
    [InlineData("1e400")]
    [InlineData("9223372036854775807")]
    [InlineData("9223372036854775808")]
    [InlineData("1125899906842624.0")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("-Infinity")]
    [InlineData("Inf")]
    [InlineData("-50.0")]
    [InlineData("-1e308")]
    [InlineData("49.5")]
    [InlineData("null")]
    [InlineData("\"50\"")]
    [InlineData("50.0, \"rate\": 0.0")]
    [InlineData("50.0, \"rate\": -25.0")]
    [InlineData("50.0, \"rate\": NaN")]
    [InlineData("50.0, \"rate\": 1e308")]
    [InlineData("50.0, \"rate\": 1e-320")]
    public void A_duration_that_cannot_be_counted_stops_edits_of_its_track(string duration)
    {
        var document = Open("\"value\": 50.0", $"\"value\": {duration}");
        var track = document.Index.Tracks[0];
        Assert.Contains(track.Problem!.Reason, new[] { "OFF_GRID", "ITEM_UNKNOWN" });
        Assert.Contains("'réd'", track.Problem.Message, StringComparison.Ordinal);
        Assert.Equal(track.Problem, EditAlgebra.Append(document.Index, track, Clip(5)).Refusal);
        // The track above knows its places and takes B-roll still.
        Assert.Equal(2, EditAlgebra.PlaceAbove(document.Index, document.Index.Tracks[1], new FrameRange(0, 5), Clip(5)).Value.TrackNumber - 1);
        Assert.Equal(160, document.Index.Duration);
    }

    [Theory]
    [InlineData("1e308", null)]
    [InlineData("-1e308", null)]
    [InlineData("9223372036854775808", null)]
    [InlineData("90010.5", null)]
    [InlineData("-90010.0", -90010L)]
    [InlineData("90010.00001", 90010L)]
    public void A_start_that_cannot_be_counted_leaves_the_clip_whole(string start, long? first)
    {
        var document = Open("\"value\": 90010.0", $"\"value\": {start}");
        var clip = document.Index.Tracks[0].Items[0];
        Assert.Equal((new FrameRange(0, 50), first), (clip.RecordRange, clip.SourceRange?.Start));
        if (first is not null) return;
        Assert.Null(Handles.Of(clip, FrameRate.Pal));
        var cut = EditAlgebra.Overwrite(document.Index, document.Index.Tracks[0], new FrameRange(10, 5), Clip(5));
        Assert.Equal("OFF_GRID", (cut.Refusal ?? document.Apply(cut.Value).Refusal)!.Reason);
        Assert.Null(document.Apply(EditAlgebra.Fill(document.Index, document.Index.Tracks[0], Gaps.Find(document.Index.Tracks[0])[0], Clip(25)).Value).Refusal);
    }

    [Theory]
    [InlineData("\"value\": 90000.0", "\"value\": 1e308", "OFF_GRID")]
    [InlineData("\"value\": 90000.0", "\"value\": NaN", "DOCUMENT_MALFORMED")]
    [InlineData("\"value\": 90000.0", "\"value\": Infinity", "DOCUMENT_MALFORMED")]
    [InlineData("\"rate\": 25.0", "\"rate\": 0", "DOCUMENT_MALFORMED")]
    [InlineData("\"rate\": 25.0", "\"rate\": -25.0", "DOCUMENT_MALFORMED")]
    [InlineData("\"rate\": 25.0", "\"rate\": NaN", "DOCUMENT_MALFORMED")]
    [InlineData("\"rate\": 25.0", "\"rate\": 1e308", "DOCUMENT_MALFORMED")]
    public void A_timeline_that_starts_nowhere_is_refused(string from, string to, string reason) =>
        Assert.Equal(reason, TimelineDocument.Open(Text(from, to)).Refusal!.Reason);

    [Theory]
    [InlineData("\"in_offset\": {", "\"in_offset\": {\"OTIO_SCHEMA\": \"RationalTime.1\", \"rate\": 25.0, \"value\": -5.0}, \"old\": {", "TRANSITION_IN_WAY")]
    [InlineData("\"out_offset\": {", "\"out_offset\": {\"OTIO_SCHEMA\": \"RationalTime.1\", \"rate\": 25.0, \"value\": 1e308}, \"old\": {", "OFF_GRID")]
    public void A_transition_that_cannot_be_counted_stops_edits_of_its_track(string from, string to, string reason)
    {
        var text = Encoding.UTF8.GetString(Text(from, to));
        // Of two members of one name the last one counts, so the old one takes another.
        Assert.Equal(reason, TimelineDocument.Open(Encoding.UTF8.GetBytes(text)).Value.Index.Tracks[0].Problem!.Reason);
    }

    [Fact]
    public void Clips_that_are_countable_each_and_not_together_are_refused()
    {
        var clip = """{"OTIO_SCHEMA":"Gap.1","source_range":{"OTIO_SCHEMA":"TimeRange.1","start_time":{"OTIO_SCHEMA":"RationalTime.1","rate":25,"value":0},"duration":{"OTIO_SCHEMA":"RationalTime.1","rate":25,"value":1125899906842623}}}""";
        var many = string.Join(',', Enumerable.Repeat(clip, 10_000));
        var track = $$"""{"OTIO_SCHEMA":"Track.1","kind":"Video","children":[{{many}}]}""";
        var nested = $"[{{\"OTIO_SCHEMA\":\"Stack.1\",\"name\":\"n\",\"children\":[{track}]}}]";
        var text = $"{{\"OTIO_SCHEMA\":\"Timeline.1\",\"tracks\":{{\"OTIO_SCHEMA\":\"Stack.1\",\"children\":[{track},{{\"OTIO_SCHEMA\":\"Track.1\",\"kind\":\"Video\",\"children\":{nested}}}]}}}}";
        var index = TimelineDocument.Open(Encoding.UTF8.GetBytes(text)).Value.Index;
        Assert.All(index.Tracks, track => Assert.Contains("more frames than can be counted", track.Problem!.Message, StringComparison.Ordinal));
        Assert.True(index.Duration is > 0 and <= 2 * FrameRange.MostFrames);
    }

    [Theory]
    [InlineData("\"value\": 25.0", "\"value\": 1125899906842623")]
    [InlineData("\"value\": 90000.0", "\"value\": 1125899906842623")]
    [InlineData("\"value\": 90010.0", "\"value\": 1125899906842623")]
    public void What_another_format_cannot_count_is_not_converted(string from, string to)
    {
        // At 23.976 FCPXML's seconds are larger numbers than the frames are.
        var text = Encoding.UTF8.GetString(Text(from, to)).Replace("\"rate\": 25.0", "\"rate\": 23.976", StringComparison.Ordinal);
        var document = TimelineDocument.Open(Encoding.UTF8.GetBytes(text)).Value;
        foreach (var ending in TimelineConversion.Endings.Where(ending => ending != ".otio"))
        {
            var converted = TimelineConversion.Convert(document, ending, url => url);
            if (ending == ".fcpxml") Assert.Equal("RANGE_OUTSIDE", converted.Refusal!.Reason);
        }
    }

    [Theory]
    [InlineData(long.MaxValue, 5)]
    [InlineData(long.MaxValue - 3, 5)]
    [InlineData(-1, 5)]
    [InlineData(0, long.MaxValue)]
    [InlineData(0, -5)]
    [InlineData(0, 0)]
    public void A_range_beyond_what_can_be_counted_is_refused(long start, long frames)
    {
        var index = Open("\"value\": 50.0", "\"value\": 50.0").Index;
        foreach (var edit in new[]
                 {
                     EditAlgebra.Overwrite(index, index.Tracks[0], new FrameRange(start, frames), Clip(frames)),
                     EditAlgebra.PlaceAbove(index, index.Tracks[0], new FrameRange(start, frames), Clip(frames)),
                     EditAlgebra.Insert(index, index.Tracks[0], start, Clip(frames)),
                 })
        {
            Assert.Contains(edit.Refusal!.Reason, new[] { "RANGE_OUTSIDE", "RANGE_EMPTY" });
        }
    }

    private static TimelineDocument Open(string from, string to) => TimelineDocument.Open(Text(from, to)).Value;

    private static byte[] Text(string from, string to)
    {
        var text = MltTests.Text("resolve.otio");
        var at = text.IndexOf(from, StringComparison.Ordinal);
        Assert.True(at >= 0, from);
        return Encoding.UTF8.GetBytes(text[..at] + to + text[(at + from.Length)..]);
    }

    private static NewClip Clip(long frames) => MltTests.Clip(1) with { AvailableRange = new MediaRange(FrameRate.Pal, 0, frames), SourceRange = new MediaRange(FrameRate.Pal, 0, frames) };
}
