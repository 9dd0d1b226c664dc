using System.Numerics;
using CsCheck;

namespace EditorBridge.Timeline.Tests;

public class FrameConversionTests
{
    private static readonly Gen<FrameRate> Rates = Gen.OneOf(
        Gen.OneOf(FrameRate.Film, FrameRate.F24, FrameRate.Pal, FrameRate.Ntsc, new FrameRate(1), new FrameRate(48000)),
        Gen.Select(Gen.Long[1, long.MaxValue], Gen.Long[1, long.MaxValue], (numerator, denominator) => new FrameRate(numerator, denominator)));

    [Fact]
    public void What_does_not_fit_has_no_answer_and_what_fits_is_exact()
    {
        var (fits, overflows) = (0, 0);
        Gen.Select(Gen.OneOf(Gen.Long, Gen.Long[-1_000_000, 1_000_000], Gen.OneOf(0L, 1L, long.MaxValue, long.MinValue)), Rates, Rates).Sample((frames, from, to) =>
        {
            var (over, under) = ((BigInteger)frames * to.Numerator * from.Denominator, (BigInteger)to.Denominator * from.Numerator);
            var floor = (over - (over % under + under) % under) / under;
            var counted = floor >= long.MinValue && floor <= long.MaxValue;
            Assert.Equal(counted ? (long)floor : null, FrameConversion.Floor(frames, from, to));
            Assert.Equal(counted && over % under == 0 ? (long)floor : null, FrameConversion.Exactly(frames, from, to));
            Interlocked.Increment(ref counted ? ref fits : ref overflows);
        }, iter: 20_000);
        Assert.True(fits > 1000 && overflows > 1000, $"{fits} fit, {overflows} did not");
    }

    [Theory]
    [InlineData(long.MaxValue, "1/1000", "100000", null)]
    [InlineData(long.MinValue, "24", "25", null)]
    [InlineData(1L << 50, "1", "100000", null)]
    [InlineData(48, "24", "25", 50L)]
    [InlineData(48, "24000/1001", "30000/1001", 60L)]
    public void Both_refuse_alike(long frames, string from, string to, long? expected)
    {
        Assert.True(FrameRate.TryParse(from, out var one));
        Assert.True(FrameRate.TryParse(to, out var other));
        Assert.Equal(expected, FrameConversion.Floor(frames, one, other));
        Assert.Equal(expected, FrameConversion.Exactly(frames, one, other));
    }

    [Theory]
    [InlineData("9223372036854775807/1")]
    [InlineData("1/9223372036854775807")]
    [InlineData("100001/1")]
    [InlineData("1/1001")]
    [InlineData("0/1")]
    [InlineData("1/0")]
    [InlineData("-25/1")]
    [InlineData("1e308")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    public void What_is_no_rate_of_a_timeline_is_not_taken_for_one(string text) => Assert.False(FrameRate.TryParse(text, out _));
}
