using System.Runtime.InteropServices;
using CsCheck;
using EditorBridge.Client;
using EditorBridge.Host.Tests.Support;
using EditorBridge.Native.OpenFx;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Native.Tests;

/// <summary>Rows of pixels between the frame file, hosts and the movie that is handed over.</summary>
public sealed class PixelTests
{
    [Fact]
    public void What_is_written_for_a_host_reads_back_as_the_same_values() =>
        Gen.Select(Gen.UShort.Array[4, 96].Select(values => values[..(values.Length / 4 * 4)]), Gen.Int[0, 3], Gen.Bool, Gen.Bool).Sample((values, depthNumber, isBgr, hasAlpha) =>
        {
            var depth = (PixelDepth)depthNumber;
            var channels = hasAlpha ? 4 : 3;
            var pixels = values.Length / 4;
            var format = new PixelFormat(depth, channels, isBgr);
            var row = new byte[pixels * format.PixelBytes];
            PixelRows.Write(MemoryMarshal.AsBytes(values.AsSpan()), 16, row, format);
            var back = new byte[pixels * (depth == PixelDepth.Byte ? 3 : 6)];
            PixelRows.Read(row, format, back);
            // Half of a step of eight bits; eleven bits of a half float.
            var tolerance = depth switch { PixelDepth.Byte => 129, PixelDepth.Half => 17, _ => 0 };
            for (var i = 0; i < pixels * 3; i++)
            {
                var (wanted, got) = (values[i / 3 * 4 + i % 3], depth == PixelDepth.Byte ? back[i] * 257 : back[2 * i] << 8 | back[2 * i + 1]);
                Assert.InRange(got, wanted - tolerance, wanted + tolerance);
            }
        });

    [Fact]
    public void Eight_bits_stay_what_they_are_in_every_depth() => Gen.Select(Gen.Byte.Array[4, 64].Select(v => v[..(v.Length / 4 * 4)]), Gen.Int[0, 3], Gen.Bool).Sample((values, depthNumber, isBgr) =>
    {
        var format = new PixelFormat((PixelDepth)depthNumber, 4, isBgr);
        var row = new byte[values.Length * format.ValueBytes];
        PixelRows.Write(values, 8, row, format);
        var step = format.Depth == PixelDepth.Byte ? 1 : 2;
        var back = new byte[values.Length / 4 * 3 * step];
        PixelRows.Read(row, format, back);
        for (var i = 0; i < values.Length / 4 * 3; i++) Assert.Equal(values[i / 3 * 4 + i % 3], back[step * i]);
    });

    [Fact]
    public void Alpha_stays_last_where_red_and_blue_change_places()
    {
        byte[] bytes = new byte[8];
        PixelRows.Write([1, 2, 3, 4, 5, 6, 7, 8], 8, bytes, new PixelFormat(PixelDepth.Byte, 4, IsBgr: true));
        Assert.Equal([3, 2, 1, 4, 7, 6, 5, 8], bytes);
        var shorts = new ushort[8];
        PixelRows.Write(MemoryMarshal.AsBytes<ushort>([0x101, 0x202, 0x303, 0x404, 0x505, 0x606, 0x707, 0x808]), 16, MemoryMarshal.AsBytes(shorts.AsSpan()), new PixelFormat(PixelDepth.Short, 4, IsBgr: true));
        Assert.Equal([0x303, 0x202, 0x101, 0x404, 0x707, 0x606, 0x505, 0x808], shorts);
    }

    [Fact]
    public void Floats_that_are_no_colours_are_cut_off()
    {
        float[] values = [float.NaN, -1, 2, float.PositiveInfinity, float.NegativeInfinity, 0.5f];
        float[] row = [.. values, .. values, .. values];
        byte[] wanted = [0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 128, 0];
        var back = new byte[36];
        PixelRows.Read(MemoryMarshal.AsBytes(row.AsSpan()), new PixelFormat(PixelDepth.Float, 3, IsBgr: false), back);
        Assert.Equal([.. wanted, .. wanted, .. wanted], back);
        PixelRows.Read(MemoryMarshal.AsBytes(row.Select(value => (Half)value).ToArray().AsSpan()), new PixelFormat(PixelDepth.Half, 3, IsBgr: false), back);
        Assert.Equal([.. wanted, .. wanted, .. wanted], back);
        // With alpha several pixels are read at a time.
        float[] withAlpha = [.. row.Chunk(3).SelectMany(pixel => pixel.Append(0.25f))];
        PixelRows.Read(MemoryMarshal.AsBytes(withAlpha.AsSpan()), new PixelFormat(PixelDepth.Float, 4, IsBgr: false), back);
        Assert.Equal([.. wanted, .. wanted, .. wanted], back);
    }

    [Fact]
    public void Every_value_becomes_the_nearest_float_and_half()
    {
        var values = Enumerable.Range(0, 65536).Select(v => (ushort)v).ToArray();
        var (floats, halves) = (new float[65536], new Half[65536]);
        PixelRows.Write(MemoryMarshal.AsBytes(values.AsSpan()), 16, MemoryMarshal.AsBytes(floats.AsSpan()), new PixelFormat(PixelDepth.Float, 4, IsBgr: false));
        PixelRows.Write(MemoryMarshal.AsBytes(values.AsSpan()), 16, MemoryMarshal.AsBytes(halves.AsSpan()), new PixelFormat(PixelDepth.Half, 4, IsBgr: false));
        Assert.Equal(values.Select(v => v / 65535f), floats);
        Assert.Equal(values.Select(v => (Half)(v / 65535f)), halves);
    }

    [Fact]
    public void Every_half_is_read_as_the_nearest_value_in_a_vector_as_alone()
    {
        var halves = Enumerable.Range(0, 65536).Select(bits => (ushort)bits).ToArray();
        var (many, one) = (new byte[65536 / 4 * 6], new byte[6]);
        var format = new PixelFormat(PixelDepth.Half, 4, IsBgr: true);
        PixelRows.Read(MemoryMarshal.AsBytes(halves.AsSpan()), format, many);
        for (var pixel = 0; pixel < 65536 / 4; pixel++)
        {
            PixelRows.Read(MemoryMarshal.AsBytes(halves.AsSpan(4 * pixel, 4)), format, one);
            Assert.Equal(one, many[(6 * pixel)..(6 * pixel + 6)]);
            var value = (float)BitConverter.UInt16BitsToHalf(halves[4 * pixel + 2]);
            Assert.Equal(value >= 1 ? 65535 : value > 0 ? (int)(value * 65535 + 0.5f) : 0, one[0] << 8 | one[1]);
        }
    }

    [Fact]
    public void A_row_of_any_length_is_read_as_its_pixels_one_by_one() => Gen.Select(Gen.UShort.Array[0, 400], Gen.Int[0, 3], Gen.Bool, Gen.Bool).Sample((bits, depthNumber, isBgr, hasAlpha) =>
    {
        var format = new PixelFormat((PixelDepth)depthNumber, hasAlpha ? 4 : 3, isBgr);
        // Floats are made of numbers around what is black and white, some of them none.
        var bytes = format.Depth == PixelDepth.Float ? MemoryMarshal.AsBytes(bits.Select(b => b % 97 == 0 ? float.NaN : (b - 9000) / 48000f).ToArray().AsSpan()) : MemoryMarshal.AsBytes(bits.AsSpan());
        var pixels = bytes.Length / format.PixelBytes;
        var step = 3 * Math.Min(2, format.ValueBytes);
        var (row, one) = (new byte[pixels * step], new byte[step]);
        PixelRows.Read(bytes[..(pixels * format.PixelBytes)], format, row);
        for (var i = 0; i < pixels; i++)
        {
            PixelRows.Read(bytes.Slice(i * format.PixelBytes, format.PixelBytes), format, one);
            Assert.Equal(one, row[(i * step)..((i + 1) * step)]);
        }
    });

    [Fact]
    public void Floats_beyond_white_stay_what_they_are_in_a_form_that_has_room_for_them()
    {
        float[] values = [float.NaN, -1, 2, 0.25f];
        var source = MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
        var (halves, bytes) = (new Half[4], new byte[4]);
        var given = new PixelFormat(PixelDepth.Float, 4, IsBgr: false);
        PixelRows.Convert(source, given, MemoryMarshal.AsBytes(halves.AsSpan()), given with { Depth = PixelDepth.Half });
        PixelRows.Convert(source, given, bytes, given with { Depth = PixelDepth.Byte, IsBgr = true });
        Assert.Equal([Half.NaN, (Half)(-1f), (Half)2f, (Half)0.25f], halves);
        Assert.Equal([255, 0, 0, 64], bytes);
    }

    [Fact]
    public void Frames_that_newer_ones_replace_last_as_long_as_somebody_shows_them()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("frames");
        var layout = FrameFileHeader.Layout(2, 2, 8, 1, new FrameRate { Numerator = 24, Denominator = 1 });
        File.WriteAllBytes(path, [.. FrameFileHeader.Write(layout), .. Enumerable.Repeat((byte)7, (int)layout.FrameBytes)]);
        var mapped = MappedFrames.Open(path)!;
        var frames = new ShownFrames(mapped);
        Assert.True(frames.TryUse());
        frames.Dispose();
        Assert.Equal(7, mapped.Row(0, 1)[7]);
        frames.Dispose();
        Assert.Throws<ObjectDisposedException>(() => mapped.Row(0, 1)[7]);
        Assert.False(frames.TryUse());

        var key = "jobs/replaced/clips/1";
        ShownClips.Keep($"{key} 8", MappedFrames.Open(path)!);
        var shown = ShownClips.Find(key, 8, "")!;
        ShownClips.Keep($"{key} 8", MappedFrames.Open(path)!);
        using (var newer = ShownClips.Find(key, 8, "")!) Assert.NotSame(shown, newer);
        Assert.Equal(7, shown.Mapped.Row(0, 1)[7]);
        var old = shown.Mapped;
        shown.Dispose();
        Assert.Throws<ObjectDisposedException>(() => old.Row(0, 1)[7]);
        ShownClips.Clear();
    }
}
