using System.Globalization;
using System.Text.RegularExpressions;
using EditorBridge.Timeline;

namespace EditorBridge.Media;

/// <summary>The forms a clip can be delivered in.</summary>
public enum ClipCodec
{
    /// <summary>H.264, every frame a key frame, 8-bit 4:2:0: plays everywhere and scrubs well. The default.</summary>
    H264,

    /// <summary>Apple ProRes 422 HQ, 10-bit: for Final Cut Pro, Premiere and Resolve.</summary>
    ProRes422Hq,

    /// <summary>Avid DNxHR HQ, 8-bit 4:2:2.</summary>
    DnxHrHq,

    /// <summary>Avid DNxHR HQX, 10-bit 4:2:2: for Avid, and for Resolve on Linux, which decodes no H.264.</summary>
    DnxHrHqx,
}

/// <summary>What a clip is to be, exactly.</summary>
public sealed partial record ClipSettings
{
    /// <summary>Form of the clip.</summary>
    public ClipCodec Codec { get; init; } = ClipCodec.H264;

    /// <summary>Width in pixels.</summary>
    public required int Width { get; init; }

    /// <summary>Height in pixels.</summary>
    public required int Height { get; init; }

    /// <summary>Exact rate.</summary>
    public required FrameRate Rate { get; init; }

    /// <summary>How many frames will be written; another number is an error, not a clip.</summary>
    public required int FrameCount { get; init; }

    /// <summary>Start timecode such as 01:00:03:00, with ';' before the frames for drop-frame.</summary>
    public string StartTimecode { get; init; } = "00:00:00:00";

    /// <summary>Reel name, at most 32 characters, unique for each clip (EDLs find media by it); null for none. MP4 has no place for it.</summary>
    public string? ReelName { get; init; }

    /// <summary>
    /// What the file says of itself, beside <see cref="DigitalSourceType"/>: keys such as "prompt" and "seed", written as com.editorbridge.(key).
    /// </summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>IPTC digital source type, the last part of its address; extensions of real footage are compositeWithTrainedAlgorithmicMedia.</summary>
    public string DigitalSourceType { get; init; } = "trainedAlgorithmicMedia";

    /// <summary>The extension that clips of a form have: ".mov".</summary>
    public static string ExtensionOf(ClipCodec codec) => Enum.IsDefined(codec) ? ".mov" : throw new ArgumentOutOfRangeException(nameof(codec));

    /// <summary>Why a clip like this cannot be made, or null.</summary>
    public Refusal? Check()
    {
        if (Width <= 0 || Height <= 0 || (long)Width * Height > SafeInput.MaxPixels)
            return Refuse($"A clip of {Width} x {Height} cannot be made: sizes go from 2 x 2 to 8K (7680 x 4320).");
        if (FrameCount <= 0) return Refuse("A clip of no frames was asked for: choose a range of at least one frame.");
        if (Codec == ClipCodec.H264 && (Width % 2 != 0 || Height % 2 != 0))
            return Refuse($"{Width} x {Height} cannot be H.264 with 4:2:0 colour: width and height must be even. Use a size such as {Width + Width % 2} x {Height + Height % 2}.");
        if (Codec != ClipCodec.H264 && Width % 2 != 0)
            return Refuse($"{Width} x {Height} cannot be {NameOf(Codec)} with 4:2:2 colour: the width must be even. Use {Width + 1} x {Height}.");
        if (Codec is ClipCodec.DnxHrHq or ClipCodec.DnxHrHqx && (Width < 256 || Height < 120))
            return Refuse($"{Width} x {Height} is too small for {NameOf(Codec)}, which begins at 256 x 120: choose H.264 or ProRes.");
        if (!Timecode().IsMatch(StartTimecode))
            return Refuse($"'{StartTimecode}' is not a timecode such as 01:00:03:00 (or 01:00:03;00 for drop-frame).");
        if (int.Parse(StartTimecode.AsSpan(9), CultureInfo.InvariantCulture) >= Rate.Nominal)
            return Refuse($"The timecode {StartTimecode} does not exist at {Rate} frames per second: frames go from 0 to {Rate.Nominal - 1}.");
        if (StartTimecode[8] == ';' && Rate != new FrameRate(30000, 1001) && Rate != new FrameRate(60000, 1001))
            return Refuse($"Drop-frame timecode ({StartTimecode}) exists at 29.97 and 59.94 only, not at {Rate}: write it with ':'.");
        if (ReelName is not null && (ReelName.Length is 0 or > 32 || !ReelName.All(c => c is > ' ' and < '\x7f')))
            return Refuse($"'{SafeInput.Shown(ReelName)}' is not a reel name: 1 to 32 letters, digits and signs without blanks.");
        return null;
    }

    /// <summary>A form's name for people.</summary>
    public static string NameOf(ClipCodec codec) => codec switch
    {
        ClipCodec.H264 => "H.264",
        ClipCodec.ProRes422Hq => "ProRes 422 HQ",
        ClipCodec.DnxHrHq => "DNxHR HQ",
        ClipCodec.DnxHrHqx => "DNxHR HQX",
        _ => throw new ArgumentOutOfRangeException(nameof(codec)),
    };

    private static Refusal Refuse(string message) => new(MediaReasons.Unsupported, message);

    [GeneratedRegex(@"^\d{2}:[0-5]\d:[0-5]\d[:;]\d{2}$", RegexOptions.CultureInvariant)]
    private static partial Regex Timecode();
}
