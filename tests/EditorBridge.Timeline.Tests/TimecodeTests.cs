using CsCheck;

namespace EditorBridge.Timeline.Tests;

public class TimecodeTests
{
    private static readonly FrameRate Ntsc60 = new(60000, 1001);

    private static readonly Gen<(FrameRate Rate, bool Drop)> Clock = Gen.OneOf(
        (FrameRate.Film, false), (FrameRate.F24, false), (FrameRate.Pal, false), (new FrameRate(30), false), (new FrameRate(50), false),
        (FrameRate.Ntsc, false), (FrameRate.Ntsc, true), (Ntsc60, false), (Ntsc60, true), (new FrameRate(120), false));

    [Fact]
    public void Every_frame_has_a_label_that_reads_back()
    {
        Gen.Select(Clock, Gen.Long[0, 24L * 3600 * 99]).Sample((clock, frame) =>
        {
            var label = new Timecode(frame, clock.Rate, clock.Drop).ToString();
            Assert.Equal(frame, Timecode.Parse(label, clock.Rate).Value.Frame);
        });
    }

    [Fact]
    public void Labels_rise_and_only_drop_frame_leaves_some_out()
    {
        foreach (var rate in new[] { FrameRate.Ntsc, Ntsc60 })
        {
            var labels = Enumerable.Range(0, rate.Nominal * 60 * 21).Select(frame => new Timecode(frame, rate, true).ToString()).ToList();
            Assert.Equal(labels.Count, labels.Distinct().Count());
            Assert.Equal(labels.Order(StringComparer.Ordinal), labels);
            Assert.DoesNotContain(labels, label => label.EndsWith(":00;00", StringComparison.Ordinal) && !label.Contains("0:00;", StringComparison.Ordinal));
        }
    }

    // Labels beside frame counts as SMPTE ST 12-1 counts them.
    [Theory]
    [InlineData("00:00:59;29", 1799)]
    [InlineData("00:01:00;02", 1800)]
    [InlineData("00:02:00;02", 3598)]
    [InlineData("00:09:59;29", 17981)]
    [InlineData("00:10:00;00", 17982)]
    [InlineData("01:00:00;00", 107892)]
    public void Drop_frame_counts_as_the_standard_does(string label, long frame)
    {
        Assert.Equal(frame, Timecode.Parse(label, FrameRate.Ntsc).Value.Frame);
        Assert.Equal(label, new Timecode(frame, FrameRate.Ntsc, true).ToString());
    }

    [Theory]
    [InlineData("00:01:00;04", 3600)]
    [InlineData("01:00:00;00", 215784)]
    public void Drop_frame_at_59_94_drops_four(string label, long frame)
    {
        Assert.Equal(frame, Timecode.Parse(label, Ntsc60).Value.Frame);
        Assert.Equal(label, new Timecode(frame, Ntsc60, true).ToString());
    }

    [Theory]
    [InlineData("01;00;00;00", true)]
    [InlineData("01:00:00.00", true)]
    [InlineData("01:00:00;00", true)]
    [InlineData("01:00:00:00", false)]
    public void Punctuation_says_drop_frame(string text, bool drop) =>
        Assert.Equal(drop, Timecode.Parse(text, FrameRate.Ntsc).Value.DropFrame);

    [Theory]
    [InlineData("00:01:00;01", "leaves this label out")]
    [InlineData("00:00:00:30", "frames end at 29")]
    [InlineData("00:00:60:00", "seconds end at 59")]
    [InlineData("00:60:00:00", "minutes end at 59")]
    [InlineData("100:00:00:00", "hours end at 99")]
    [InlineData("00:00:00", "four fields")]
    [InlineData("", "four fields")]
    [InlineData("a:b:c:d", "not a number")]
    [InlineData("-1:00:00:00", "not a number")]
    [InlineData("00:00:00:0000", "three digits")]
    public void Says_why_a_label_names_no_frame(string text, string why) =>
        Assert.Contains(why, Timecode.Parse(text, FrameRate.Ntsc).Refusal!.Message, StringComparison.Ordinal);

    [Fact]
    public void Refuses_drop_frame_at_rates_without_it() =>
        Assert.Contains("29.97 and 59.94 only", Timecode.Parse("00:00:01;00", FrameRate.F24).Refusal!.Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("01:00:05:00", 120)]
    [InlineData("01:00:00:00", 0)]
    [InlineData("120", 120)]
    [InlineData(" 7 ", 7)]
    public void Positions_are_timecodes_on_the_sequence_clock_or_frames_from_its_start(string text, long frame) =>
        Assert.Equal(frame, Position.Parse(text, FrameRate.F24, 86400).Value);

    [Fact]
    public void A_plus_counts_from_the_in_point() => Assert.Equal(148, Position.Parse("+48", FrameRate.F24, 0, 100).Value);

    [Theory]
    [InlineData("00:00:05:00", "before the timeline, which starts at 01:00:00:00")]
    [InlineData("+48", "in point")]
    [InlineData("99999999999999999999", "too large")]
    [InlineData("later", "plain number counts frames")]
    public void Says_why_text_is_no_position(string text, string why) =>
        Assert.Contains(why, Position.Parse(text, FrameRate.F24, 86400).Refusal!.Message, StringComparison.Ordinal);
}
