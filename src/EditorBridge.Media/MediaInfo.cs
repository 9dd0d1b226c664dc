using System.Collections.Immutable;
using EditorBridge.Timeline;

namespace EditorBridge.Media;

/// <summary>What a media file's picture is, exactly.</summary>
public sealed record MediaInfo
{
    /// <summary>Full path.</summary>
    public required string Path { get; init; }

    /// <summary>The container, in ffmpeg's words.</summary>
    public required string Container { get; init; }

    /// <summary>The codec, in ffmpeg's words.</summary>
    public required string Codec { get; init; }

    /// <summary>The picture's stream in the file.</summary>
    public required int StreamIndex { get; init; }

    /// <summary>Pixels in a stored row.</summary>
    public required int CodedWidth { get; init; }

    /// <summary>Stored rows.</summary>
    public required int CodedHeight { get; init; }

    /// <summary>Width of the picture as shown: turned upright, with square pixels.</summary>
    public required int Width { get; init; }

    /// <summary>Height of the picture as shown: turned upright, with square pixels.</summary>
    public required int Height { get; init; }

    /// <summary>Degrees by which the stored picture is turned clockwise to stand upright: 0, 90, 180 or 270.</summary>
    public required int Rotation { get; init; }

    /// <summary>Width of a stored pixel over its height.</summary>
    public required (int Numerator, int Denominator) SampleAspect { get; init; }

    /// <summary>Pixel format, in ffmpeg's words.</summary>
    public required string PixelFormat { get; init; }

    /// <summary>Bits in a stored channel value.</summary>
    public required int BitDepth { get; init; }

    /// <summary>Whether the file stores RGB (or a palette) rather than YUV or grey.</summary>
    public required bool IsRgb { get; init; }

    /// <summary>Whether there is an alpha channel (it is not used).</summary>
    public required bool HasAlpha { get; init; }

    /// <summary>When each frame is shown.</summary>
    public required FrameTimes Times { get; init; }

    /// <summary>Whether frames are made of two fields.</summary>
    public required bool IsInterlaced { get; init; }

    /// <summary>The tags as the file has them.</summary>
    public required ColourTags Colour { get; init; }

    /// <summary>The tags that reading goes by: the file's, with what is missing filled in as <see cref="Notes"/> says.</summary>
    public required ColourTags ReadAs { get; init; }

    /// <summary>Where chroma samples lie, in ffmpeg's words (left, center, topleft …), or null.</summary>
    public string? ChromaLocation { get; init; }

    /// <summary>Start timecode as the file spells it, or null.</summary>
    public string? Timecode { get; init; }

    /// <summary>Reel name, or null.</summary>
    public string? Reel { get; init; }

    /// <summary>Whether it is one picture without a duration.</summary>
    public required bool IsStill { get; init; }

    /// <summary>Whether there is sound as well.</summary>
    public required bool HasAudio { get; init; }

    /// <summary>Size of the file in bytes.</summary>
    public required long ByteLength { get; init; }

    /// <summary>What a user should know: assumptions made, things that reading changes. One sentence each.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>The exact rate, or for variable rates the nominal one.</summary>
    public FrameRate Rate => Times.Rate;

    /// <summary>Number of frames in the file.</summary>
    public long FrameCount => Times.Count;

    /// <summary>Whether frames do not follow one rate.</summary>
    public bool IsVariableRate => !Times.IsRegular;

    /// <summary>What <see cref="MediaProbe"/> finds in a QuickTime file of uncompressed R, G, B and nothing else, without asking ffprobe.</summary>
    /// <param name="path">Full path.</param>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="bits">Of a value: 8, or 16 with the higher byte first.</param>
    /// <param name="frames">Number of frames, each as long as the others.</param>
    /// <param name="rate">Frame rate.</param>
    /// <param name="timescale">Ticks of the file's clock in a second.</param>
    /// <param name="byteLength">Size of the file in bytes.</param>
    public static MediaInfo OfUncompressed(string path, int width, int height, int bits, long frames, FrameRate rate, long timescale, long byteLength) => new()
    {
        Path = path,
        Container = "mov,mp4,m4a,3gp,3g2,mj2",
        Codec = "rawvideo",
        StreamIndex = 0,
        CodedWidth = width,
        CodedHeight = height,
        Width = width,
        Height = height,
        Rotation = 0,
        SampleAspect = (1, 1),
        PixelFormat = bits == 8 ? "rgb24" : "rgb48be",
        BitDepth = bits,
        IsRgb = true,
        HasAlpha = false,
        Times = FrameTimes.Regular(new MediaTime(1, timescale), 0, frames, rate),
        IsInterlaced = false,
        Colour = new ColourTags(null, null, null, null),
        ReadAs = new ColourTags("pc", "gbr", "bt709", "iec61966-2-1"),
        IsStill = false,
        HasAudio = false,
        ByteLength = byteLength,
    };
}
