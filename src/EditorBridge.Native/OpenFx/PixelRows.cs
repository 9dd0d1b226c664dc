using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace EditorBridge.Native.OpenFx;

/// <summary>Converts rows of pixels between what the frame file has (R, G, B, A of 8 or 16 bits) and what hosts have.</summary>
internal static class PixelRows
{
    // The conversion takes longer than a look into a table that stays in the processor's cache.
    private static readonly ushort[] HalfOf8 = Halves(255), HalfOf16 = Halves(65535);

    /// <summary>Writes a row of RGBA as a host has it.</summary>
    /// <param name="rgba">Four values a pixel.</param>
    /// <param name="bits">8 or 16.</param>
    /// <param name="target">The host's row, of as many pixels.</param>
    /// <param name="format">What the host's pixels are.</param>
    public static void Write(ReadOnlySpan<byte> rgba, int bits, Span<byte> target, PixelFormat format)
    {
        if (format is { Channels: 4, IsBgr: false })
        {
            Deepen(rgba, bits, target, format.Depth);
            return;
        }

        // First the channels that are wanted, in their order, then their depth.
        var isSameDepth = (bits, format.Depth) is (8, PixelDepth.Byte) or (16, PixelDepth.Short);
        var values = target.Length / format.ValueBytes;
        var scratch = isSameDepth ? null : ArrayPool<byte>.Shared.Rent(values * bits / 8);
        var picked = scratch is null ? target : scratch.AsSpan(0, values * bits / 8);
        if (format.Channels == 4) SwapRedAndBlue(rgba, bits, picked);
        else if (bits == 8) Pick(rgba, picked, format);
        else Pick(MemoryMarshal.Cast<byte, ushort>(rgba), MemoryMarshal.Cast<byte, ushort>(picked), format);
        if (scratch is null) return;
        Deepen(picked, bits, target, format.Depth);
        ArrayPool<byte>.Shared.Return(scratch);
    }

    /// <summary>Reads a host's row as R, G, B: of 8 bits where it has bytes, else of 16 with the higher byte first; values of floats outside 0 to 1 are cut off.</summary>
    /// <param name="source">The host's row.</param>
    /// <param name="format">What the host's pixels are; not alpha alone.</param>
    /// <param name="rgb">Three values a pixel.</param>
    public static void Read(ReadOnlySpan<byte> source, PixelFormat format, Span<byte> rgb)
    {
        // Several pixels at a time while there is room, then the last ones.
        var done = format is { Channels: 3, IsBgr: true } ? 0 : ReadTogether(source, format, rgb);
        source = source[(done * format.PixelBytes)..];
        rgb = rgb[(done * 3 * Math.Min(2, format.ValueBytes))..];
        var (first, last) = format.IsBgr ? (2, 0) : (0, 2);
        if (format.Depth == PixelDepth.Byte)
        {
            for (int at = 0, p = 0; at < rgb.Length; at += 3, p += format.Channels) (rgb[at], rgb[at + 1], rgb[at + 2]) = (source[p + first], source[p + 1], source[p + last]);
            return;
        }

        for (int at = 0, p = 0; at < rgb.Length; at += 6, p += format.Channels)
        {
            BinaryPrimitives.WriteUInt16BigEndian(rgb[at..], Value(source, format.Depth, p + first));
            BinaryPrimitives.WriteUInt16BigEndian(rgb[(at + 2)..], Value(source, format.Depth, p + 1));
            BinaryPrimitives.WriteUInt16BigEndian(rgb[(at + 4)..], Value(source, format.Depth, p + last));
        }
    }

    /// <summary>
    /// Converts a row of a host's into another form of pixels. Alpha that is not there is opaque; where there is nothing but alpha, colours have its value.
    /// Floats keep values outside 0 to 1 where the other form has room for them.
    /// </summary>
    /// <param name="source">A row.</param>
    /// <param name="from">What its pixels are.</param>
    /// <param name="target">A row of as many pixels.</param>
    /// <param name="to">What its pixels are to be.</param>
    public static void Convert(ReadOnlySpan<byte> source, PixelFormat from, Span<byte> target, PixelFormat to)
    {
        if (from == to)
        {
            source.CopyTo(target);
            return;
        }

        var pixels = target.Length / to.PixelBytes;
        var given = ArrayPool<float>.Shared.Rent(pixels * from.Channels);
        var wanted = ArrayPool<float>.Shared.Rent(pixels * to.Channels);
        ToFloats(source, from.Depth, given.AsSpan(0, pixels * from.Channels));
        Arrange(given, from, wanted, to, pixels);
        FromFloats(wanted.AsSpan(0, pixels * to.Channels), target, to.Depth);
        ArrayPool<float>.Shared.Return(given);
        ArrayPool<float>.Shared.Return(wanted);
    }

    private static void Deepen(ReadOnlySpan<byte> values, int bits, Span<byte> target, PixelDepth depth)
    {
        var wide = MemoryMarshal.Cast<byte, ushort>(values);
        var shorts = MemoryMarshal.Cast<byte, ushort>(target);
        switch (bits, depth)
        {
            case (8, PixelDepth.Byte) or (16, PixelDepth.Short): values.CopyTo(target); break;
            case (16, PixelDepth.Float): Widen(wide, MemoryMarshal.Cast<byte, float>(target)); break;
            case (16, PixelDepth.Half): LookUp(HalfOf16, wide, shorts); break;
            case (16, _): for (var i = 0; i < wide.Length; i++) target[i] = (byte)((wide[i] + 128) / 257); break;
            case (_, PixelDepth.Short): for (var i = 0; i < values.Length; i++) shorts[i] = (ushort)(values[i] * 257); break;
            case (_, PixelDepth.Half): LookUp(HalfOf8, values, shorts); break;
            default: ToFloats(values, PixelDepth.Byte, MemoryMarshal.Cast<byte, float>(target)); break;
        }
    }

    private static ushort[] Halves(int most) => [.. Enumerable.Range(0, most + 1).Select(value => BitConverter.HalfToUInt16Bits((Half)(value / (float)most)))];

    private static void LookUp(ushort[] table, ReadOnlySpan<ushort> indices, Span<ushort> target)
    {
        for (var i = 0; i < indices.Length; i++) target[i] = table[indices[i]];
    }

    private static void LookUp(ushort[] table, ReadOnlySpan<byte> indices, Span<ushort> target)
    {
        for (var i = 0; i < indices.Length; i++) target[i] = table[indices[i]];
    }

    // Whole vectors; gives the number of whole pixels read. Alpha is left out: each vector is written with some bytes too many then, which the next one covers.
    private static int ReadTogether(ReadOnlySpan<byte> source, PixelFormat format, Span<byte> rgb)
    {
        const int Read = 16;
        var (p, at) = (0, 0);
        var (order, kept) = (Order(format), format.Channels == 4 ? 12 : 16);
        if (Sse41.IsSupported) (p, at) = ReadQuicker(source, format.Depth, rgb, order, kept);
        if (format.Depth is PixelDepth.Byte or PixelDepth.Short)
        {
            for (; p <= source.Length - Read && at <= rgb.Length - Read; p += Read, at += kept) Ordered(Vector128.Create(source[p..]), order).CopyTo(rgb[at..]);
        }
        else if (format.Depth == PixelDepth.Half)
        {
            for (; p <= source.Length - Read && at <= rgb.Length - Read; p += Read, at += kept)
            {
                var (low, high) = Vector128.Widen(Vector128.Create(source[p..]).AsUInt16());
                Ordered(Vector128.Narrow(Quantise(Floats(low)), Quantise(Floats(high))).AsByte(), order).CopyTo(rgb[at..]);
            }
        }
        else
        {
            for (; p <= source.Length - 2 * Read && at <= rgb.Length - Read; p += 2 * Read, at += kept)
            {
                var values = Vector128.Narrow(Quantise(Vector128.Create(source[p..]).AsSingle()), Quantise(Vector128.Create(source[(p + Read)..]).AsSingle()));
                Ordered(values.AsByte(), order).CopyTo(rgb[at..]);
            }
        }

        return p / format.PixelBytes;
    }

    // The same in the processor's own words, of which the portable ones need three where these are one: packing them cuts off what is too small or too large. Gives the bytes read and written.
    // Wider vectors would have to be asked of every machine the library is built for.
    private static (int Read, int Written) ReadQuicker(ReadOnlySpan<byte> source, PixelDepth depth, Span<byte> rgb, Vector128<byte> order, int kept)
    {
        const int Read = 16;
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(rgb);
        var (p, at) = (0, 0);
        var step = depth == PixelDepth.Float ? 2 * Read : Read;
        var vectors = Math.Min(source.Length / step, rgb.Length < Read ? 0 : (rgb.Length - Read) / kept + 1);
        if (depth is PixelDepth.Byte or PixelDepth.Short)
        {
            for (var i = 0; i < vectors; i++, p += Read, at += kept) Ssse3.Shuffle(Vector128.LoadUnsafe(ref from, (nuint)p), order).StoreUnsafe(ref to, (nuint)at);
        }
        else if (depth == PixelDepth.Half)
        {
            var (one, infinite) = (Vector128.Create((short)0x3C00), Vector128.Create((short)0x7C00));
            // The scale of the values and that of the exponents, which count from 112 further down, in one: it has no more digits than a float keeps.
            var scale = Vector128.Create(65535 * 5.192296858534828e33f);
            for (var i = 0; i < vectors; i++, p += Read, at += kept)
            {
                // As whole numbers: what is less than nothing or no number becomes black, what is more than one white.
                var halves = Vector128.LoadUnsafe(ref from, (nuint)p).AsInt16();
                halves = Sse2.AndNot(Sse2.CompareGreaterThan(halves, infinite), Sse2.Max(halves, Vector128<short>.Zero));
                var values = Sse2.Min(halves, one).AsUInt16();
                var low = Sse.Multiply(Sse2.ShiftLeftLogical(Sse2.UnpackLow(values, Vector128<ushort>.Zero).AsUInt32(), 13).AsSingle(), scale);
                var high = Sse.Multiply(Sse2.ShiftLeftLogical(Sse2.UnpackHigh(values, Vector128<ushort>.Zero).AsUInt32(), 13).AsSingle(), scale);
                Ssse3.Shuffle(Sse41.PackUnsignedSaturate(Rounded(low), Rounded(high)).AsByte(), order).StoreUnsafe(ref to, (nuint)at);
            }
        }
        else
        {
            var (one, scale) = (Vector128<float>.One, Vector128.Create(65535f));
            for (var i = 0; i < vectors; i++, p += 2 * Read, at += kept)
            {
                // The smaller of one and what is no number is no number, which becomes the least whole number there is, and so black.
                var low = Sse.Multiply(Sse.Min(one, Vector128.LoadUnsafe(ref from, (nuint)p).AsSingle()), scale);
                var high = Sse.Multiply(Sse.Min(one, Vector128.LoadUnsafe(ref from, (nuint)(p + Read)).AsSingle()), scale);
                Ssse3.Shuffle(Sse41.PackUnsignedSaturate(Rounded(low), Rounded(high)).AsByte(), order).StoreUnsafe(ref to, (nuint)at);
            }
        }

        return (p, at);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Rounded(Vector128<float> values) => Sse2.ConvertToVector128Int32WithTruncation(Sse.Add(values, Vector128.Create(0.5f)));

    // Which of sixteen bytes come first in the file: the colours of two pixels, or four, the higher byte of each value first.
    private static Vector128<byte> Order(PixelFormat format) => (format.Depth, format.IsBgr) switch
    {
        (PixelDepth.Byte, _) when format.Channels == 3 => Vector128.Create((byte)0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
        _ when format.Channels == 3 => Vector128.Create((byte)1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14),
        (PixelDepth.Byte, false) => Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0, 0, 0, 0),
        (PixelDepth.Byte, true) => Vector128.Create((byte)2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 0, 0, 0, 0),
        (_, false) => Vector128.Create((byte)1, 0, 3, 2, 5, 4, 9, 8, 11, 10, 13, 12, 0, 0, 0, 0),
        (_, true) => Vector128.Create((byte)5, 4, 3, 2, 1, 0, 13, 12, 11, 10, 9, 8, 0, 0, 0, 0),
    };

    // Without a word of its own for it, the portable one takes longer than the plain loop.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Ordered(Vector128<byte> values, Vector128<byte> order) => Ssse3.IsSupported ? Ssse3.Shuffle(values, order) : Vector128.Shuffle(values, order);

    // The bits of half floats, moved to where a float has them; its exponents count from 112 further down. What is less than nothing or no number becomes black.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Floats(Vector128<uint> halves) =>
        Vector128.LessThanOrEqual(halves.AsInt32(), Vector128.Create(0x7C00)).AsSingle() & ((halves << 13).AsSingle() * 5.192296858534828e33f);

    // As Quantise of one value does it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Quantise(Vector128<float> values)
    {
        values &= Vector128.GreaterThan(values, Vector128<float>.Zero);
        values = Vector128.Min(values, Vector128<float>.One) * 65535f + Vector128.Create(0.5f);
        return Vector128.ConvertToInt32Native(values).AsUInt32();
    }

    private static void Pick<T>(ReadOnlySpan<T> rgba, Span<T> target, PixelFormat format)
    {
        var (first, last) = format.IsBgr ? (2, 0) : (0, 2);
        switch (format.Channels)
        {
            case 1:
                for (var x = 0; x < target.Length; x++) target[x] = rgba[4 * x + 3];
                break;
            default:
                for (int at = 0, p = 0; at <= target.Length - 3; at += 3, p += 4) (target[at], target[at + 1], target[at + 2]) = (rgba[p + first], rgba[p + 1], rgba[p + last]);
                break;
        }
    }

    // A pixel at a time, as one number: red is its lowest part.
    private static void SwapRedAndBlue(ReadOnlySpan<byte> rgba, int bits, Span<byte> bgra)
    {
        if (bits == 8)
        {
            var from = MemoryMarshal.Cast<byte, uint>(rgba);
            var to = MemoryMarshal.Cast<byte, uint>(bgra);
            for (var i = 0; i < from.Length; i++) to[i] = from[i] & 0xFF00FF00 | BitOperations.RotateLeft(from[i] & 0x00FF00FF, 16);
        }
        else
        {
            var from = MemoryMarshal.Cast<byte, ulong>(rgba);
            var to = MemoryMarshal.Cast<byte, ulong>(bgra);
            for (var i = 0; i < from.Length; i++) to[i] = from[i] & 0xFFFF0000FFFF0000 | BitOperations.RotateLeft(from[i] & 0x0000FFFF0000FFFF, 32);
        }
    }

    private static void Arrange(ReadOnlySpan<float> given, PixelFormat from, Span<float> wanted, PixelFormat to, int pixels)
    {
        // Where the three colours and alpha are; colours of alpha alone all have its place.
        var (red, green, blue) = from.Channels == 1 ? (0, 0, 0) : from.IsBgr ? (2, 1, 0) : (0, 1, 2);
        var alpha = from.Channels - 1;
        for (int x = 0, p = 0, at = 0; x < pixels; x++, p += from.Channels, at += to.Channels)
        {
            var opacity = from.Channels == 3 ? 1 : given[p + alpha];
            if (to.Channels > 1)
            {
                wanted[at] = given[p + (to.IsBgr ? blue : red)];
                wanted[at + 1] = given[p + green];
                wanted[at + 2] = given[p + (to.IsBgr ? red : blue)];
            }

            if (to.Channels != 3) wanted[at + to.Channels - 1] = opacity;
        }
    }

    private static void ToFloats(ReadOnlySpan<byte> source, PixelDepth depth, Span<float> target)
    {
        switch (depth)
        {
            case PixelDepth.Byte:
                for (var i = 0; i < target.Length; i++) target[i] = source[i] / 255f;
                break;
            case PixelDepth.Short: Widen(MemoryMarshal.Cast<byte, ushort>(source), target); break;
            case PixelDepth.Half:
                var halves = MemoryMarshal.Cast<byte, Half>(source);
                for (var i = 0; i < target.Length; i++) target[i] = (float)halves[i];
                break;
            default: MemoryMarshal.Cast<byte, float>(source).CopyTo(target); break;
        }
    }

    private static void FromFloats(ReadOnlySpan<float> source, Span<byte> target, PixelDepth depth)
    {
        switch (depth)
        {
            case PixelDepth.Byte:
                for (var i = 0; i < source.Length; i++) target[i] = (byte)Quantise(source[i], 255);
                break;
            case PixelDepth.Short:
                var shorts = MemoryMarshal.Cast<byte, ushort>(target);
                for (var i = 0; i < source.Length; i++) shorts[i] = Quantise(source[i], 65535);
                break;
            case PixelDepth.Half:
                var halves = MemoryMarshal.Cast<byte, Half>(target);
                for (var i = 0; i < source.Length; i++) halves[i] = (Half)source[i];
                break;
            default: source.CopyTo(MemoryMarshal.Cast<byte, float>(target)); break;
        }
    }

    private static void Widen(ReadOnlySpan<ushort> source, Span<float> target)
    {
        var i = 0;
        for (; i <= source.Length - Vector128<ushort>.Count; i += Vector128<ushort>.Count)
        {
            var (low, high) = Fractions(source[i..]);
            low.CopyTo(target[i..]);
            high.CopyTo(target[(i + Vector128<float>.Count)..]);
        }

        for (; i < source.Length; i++) target[i] = source[i] / 65535f;
    }

    private static (Vector128<float> Low, Vector128<float> High) Fractions(ReadOnlySpan<ushort> source)
    {
        var (low, high) = Vector128.Widen(Vector128.Create(source));
        var whole = Vector128.Create(65535f);
        return (Vector128.ConvertToSingle(low.AsInt32()) / whole, Vector128.ConvertToSingle(high.AsInt32()) / whole);
    }

    private static ushort Value(ReadOnlySpan<byte> source, PixelDepth depth, int index) => depth switch
    {
        PixelDepth.Short => MemoryMarshal.Cast<byte, ushort>(source)[index],
        PixelDepth.Half => Quantise((float)MemoryMarshal.Cast<byte, Half>(source)[index], 65535),
        _ => Quantise(MemoryMarshal.Cast<byte, float>(source)[index], 65535),
    };

    // A NaN becomes black: the comparison is false for it.
    private static ushort Quantise(float value, int most) => value >= 1 ? (ushort)most : value > 0 ? (ushort)(value * most + 0.5f) : (ushort)0;
}
