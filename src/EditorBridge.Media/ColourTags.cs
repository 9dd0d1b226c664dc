namespace EditorBridge.Media;

/// <summary>How a file says its numbers mean colours, in ffmpeg's words; null where it says nothing.</summary>
/// <param name="Range">"tv" (16 to 235) or "pc" (all values).</param>
/// <param name="Matrix">YUV matrix: bt709, smpte170m, bt470bg, bt2020nc …; "gbr" for RGB.</param>
/// <param name="Primaries">bt709, smpte170m, bt470bg, bt2020 …</param>
/// <param name="Transfer">bt709, smpte170m, iec61966-2-1, smpte2084 …</param>
public sealed record ColourTags(string? Range, string? Matrix, string? Primaries, string? Transfer)
{
    /// <summary>No tag at all.</summary>
    public static readonly ColourTags None = new(null, null, null, null);

    /// <summary>High-definition video as editors deliver it.</summary>
    public static readonly ColourTags Bt709 = new("tv", "bt709", "bt709", "bt709");

    /// <summary>Whether the transfer curve is one of the high-dynamic-range ones (PQ, HLG).</summary>
    public bool IsHighDynamicRange => Transfer is "smpte2084" or "arib-std-b67";
}
