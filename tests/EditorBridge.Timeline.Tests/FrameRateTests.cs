namespace EditorBridge.Timeline.Tests;

public class FrameRateTests
{
    [Theory]
    [InlineData(23.976, 24000, 1001)]
    [InlineData(23.98, 24000, 1001)]
    [InlineData(23.97, 24000, 1001)]
    [InlineData(23.976023976023978, 24000, 1001)]
    [InlineData(24, 24, 1)]
    [InlineData(25, 25, 1)]
    [InlineData(29.97, 30000, 1001)]
    [InlineData(59.94, 60000, 1001)]
    [InlineData(119.88, 120000, 1001)]
    [InlineData(12.5, 25, 2)]
    public void Snaps_decimal_spellings(double spelled, long numerator, long denominator) =>
        Assert.Equal(new FrameRate(numerator, denominator), FrameRate.Snap(spelled));

    [Theory]
    [InlineData("24000/1001")]
    [InlineData("25")]
    public void Reads_back_what_it_writes(string text)
    {
        Assert.True(FrameRate.TryParse(text, out var rate));
        Assert.Equal(text, rate.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("0/1")]
    [InlineData("24/0")]
    [InlineData("-24")]
    [InlineData("abc")]
    [InlineData("NaN")]
    public void Refuses_what_is_not_a_rate(string text) => Assert.False(FrameRate.TryParse(text, out _));
}
