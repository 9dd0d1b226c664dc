namespace EditorBridge.Native.OpenFx;

/// <summary>How a picture's values are stored.</summary>
internal enum PixelDepth
{
    Byte,
    Short,
    Half,
    Float,
}

/// <summary>What a host's pixels are.</summary>
/// <param name="Depth">Of each value.</param>
/// <param name="Channels">4 for RGBA, 3 for RGB, 1 for alpha.</param>
/// <param name="IsBgr">Whether blue comes first, as Vegas has it.</param>
internal readonly record struct PixelFormat(PixelDepth Depth, int Channels, bool IsBgr)
{
    /// <summary>Bytes of one value.</summary>
    public int ValueBytes => Depth switch { PixelDepth.Byte => 1, PixelDepth.Float => 4, _ => 2 };

    /// <summary>Bytes of one pixel.</summary>
    public int PixelBytes => Channels * ValueBytes;
}
