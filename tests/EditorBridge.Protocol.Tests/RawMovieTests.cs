using CsCheck;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Protocol.Tests;

/// <summary>The file of frames that are handed over: known by its own numbers, and by nothing less than all of it.</summary>
public sealed class RawMovieTests
{
    private static readonly Gen<RawMovie> AnyMovie = Gen.Select(Gen.Int[1, 20], Gen.Int[1, 20], Gen.Bool, Gen.Int[1, 9], Gen.Int[1, 60_000], Gen.Int[1, 1001], Gen.Bool)
        .Select((width, height, isDeep, frames, numerator, denominator, isBackwards) => new RawMovie
        {
            Width = 2 * width, Height = 2 * height, Bits = isDeep ? 16 : 8, Frames = frames, RateNumerator = numerator, RateDenominator = denominator, IsBackwards = isBackwards,
        });

    [Fact]
    public void A_whole_file_says_what_it_is() => AnyMovie.Sample(movie => Assert.Equal(movie, RawMovie.Read(new MemoryStream(File(movie)))));

    [Fact]
    public void A_file_with_anything_wrong_in_it_is_none() => Gen.Select(AnyMovie, Gen.Int[0, 1 << 20], Gen.Byte[1, 255], Gen.Int[1, 4000]).Sample((movie, at, change, less) =>
    {
        var whole = File(movie);
        Assert.Null(RawMovie.Read(new MemoryStream(whole[..Math.Max(0, whole.Length - less)])));
        Assert.Null(RawMovie.Read(new MemoryStream([.. whole, 0])));
        // Any byte but those of the pictures, which may have any value.
        var pictures = movie.FrameBytes * movie.Frames;
        var place = at % (whole.Length - pictures);
        whole[place < RawMovie.HeaderBytes ? place : place + pictures] ^= change;
        Assert.NotEqual(movie, RawMovie.Read(new MemoryStream(whole)));
    });

    [Fact]
    public void Numbers_that_lie_are_refused_before_anything_is_made_of_them()
    {
        var movie = new RawMovie { Width = 16, Height = 16, Bits = 8, Frames = 2, RateNumerator = 24, RateDenominator = 1 };
        for (var number = 0; number < 7; number++)
        {
            foreach (var value in (byte[][])[[0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0xFF, 0, 0, 0, 0, 0, 0, 0], new byte[8], [0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF]])
            {
                var file = File(movie);
                value.CopyTo(file, 44 + 8 * number);
                if (file.AsSpan().SequenceEqual(File(movie))) continue;
                Assert.Null(RawMovie.Read(new MemoryStream(file)));
            }
        }
    }

    private static byte[] File(RawMovie movie) => [.. movie.Header(), .. new byte[movie.FrameBytes * movie.Frames], .. movie.Trailer()];
}
