using CsCheck;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Protocol.Tests;

public sealed class FrameFileHeaderTests
{
    private static readonly Gen<FrameFile> Files = Gen.Select(
        Gen.Int[1, 4096], Gen.Int[1, 4096], Gen.Bool.Select(deep => deep ? 16 : 8), Gen.Int[1, 100_000], Gen.Long[1, 120_000], Gen.Long[1, 1001],
        (width, height, bits, frames, numerator, denominator) =>
            FrameFileHeader.Layout(width, height, bits, frames, new FrameRate { Numerator = numerator, Denominator = denominator }));

    [Fact]
    public void What_is_written_is_read_back() => Files.Sample(file =>
    {
        Assert.Equal(file, FrameFileHeader.Read(FrameFileHeader.Write(file), file.SizeBytes));
        Assert.True(file.RowBytes * file.Size.Height <= file.FrameBytes && file.FrameBytes % FrameFileHeader.Length == 0);
        Assert.Null(FrameFileHeader.Read(FrameFileHeader.Write(file), file.SizeBytes - 1));
    });

    [Fact]
    public void A_damaged_header_is_never_taken_for_another_layout_of_the_same_file() =>
        Gen.Select(Files, Gen.Int[0, 95], Gen.Byte[1, 255]).Sample((file, at, flip) =>
        {
            var header = FrameFileHeader.Write(file);
            header[at] ^= flip;
            // The rate stands for itself, and so does a height that shares its last page: everything else is checked against the rest.
            var read = FrameFileHeader.Read(header, file.SizeBytes);
            if (read is null) return;
            Assert.Equal((file.SizeBytes, file.FrameBytes, file.RowBytes, file.Frames), (read.SizeBytes, read.FrameBytes, read.RowBytes, read.Frames));
        });
}
