namespace EditorBridge.Media;

/// <summary>The fixed words of refusals that come from media.</summary>
public static class MediaReasons
{
    /// <summary>ffmpeg or ffprobe is missing, broken, or built without something that is needed.</summary>
    public const string ToolMissing = "FFMPEG_MISSING";

    /// <summary>The file does not exist, or may not be read.</summary>
    public const string Offline = "MEDIA_OFFLINE";

    /// <summary>The file is there but holds no picture that can be read.</summary>
    public const string Unreadable = "MEDIA_UNREADABLE";

    /// <summary>Frames were asked for that the file does not have.</summary>
    public const string OutOfRange = "MEDIA_OUT_OF_RANGE";

    /// <summary>The wished form of clip cannot be made (size, codec, timecode).</summary>
    public const string Unsupported = "CLIP_UNSUPPORTED";

    /// <summary>ffmpeg failed, stalled, or wrote something else than was asked.</summary>
    public const string EncodeFailed = "CLIP_ENCODE_FAILED";

    /// <summary>The disk is full.</summary>
    public const string DiskFull = "DISK_FULL";

    /// <summary>The file cannot be written for another reason: its folder is missing, or this user may not.</summary>
    public const string WriteFailed = "WRITE_FAILED";

    /// <summary>Frozen frames are damaged or incomplete.</summary>
    public const string FrozenDamaged = "FROZEN_FRAMES_DAMAGED";
}
