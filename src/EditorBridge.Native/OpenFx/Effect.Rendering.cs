namespace EditorBridge.Native.OpenFx;

internal sealed unsafe partial class Effect
{
    // An export waits this long for frames that only have to be laid out.
    private static readonly TimeSpan ExportPatience = TimeSpan.FromSeconds(30);

    /// <summary>OfxImageEffectActionBeginSequenceRender: an export (nobody watches) waits here, once, for frames that are on their way.</summary>
    public OfxStatus BeginRender(PropertySet given)
    {
        if (Shown() is { } clip && given.Int("OfxPropIsInteractive"u8) == 0 && (_generation is null || _generation.State.IsOver))
            ShownClips.Await(clip, DepthBits(), _parameters.Text(Description.FrameFile), ExportPatience);
        return OfxStatus.Ok;
    }

    /// <summary>OfxImageEffectActionIsIdentity: where no frame was made, the source is shown as it is.</summary>
    public OfxStatus IsIdentity(PropertySet given, PropertySet answer)
    {
        if (_context == EffectContext.Generator || given.Double("OfxPropTime"u8) is not { } time) return OfxStatus.ReplyDefault;
        using var frames = FrameAt(time, DepthBits(), out _);
        if (frames is not null) return OfxStatus.ReplyDefault;
        var source = SourceName();
        if (Clip(source, out var properties) == 0 || properties.Int("OfxImageClipPropConnected"u8) == 0) return OfxStatus.ReplyDefault;
        answer.Set("OfxPropName"u8, source);
        answer.Set("OfxPropTime"u8, time);
        return OfxStatus.Ok;
    }

    /// <summary>OfxImageEffectActionRender: converts rows of a frame that lies in memory, or copies the source's. Waits for nothing.</summary>
    public OfxStatus Render(PropertySet given)
    {
        if (given.Double("OfxPropTime"u8) is not { } time) return OfxStatus.Failed;
        using var target = HostImage.Fetch(Clip("Output"u8, out _), time);
        if (!target.IsThere) return OfxStatus.Failed;
        using var frames = FrameAt(time, target.Format.Depth == PixelDepth.Byte ? 8 : 16, out var number);
        if (frames is not null)
        {
            Show(frames.Mapped, number, target);
            return OfxStatus.Ok;
        }

        if (_context != EffectContext.Generator)
        {
            using var source = HostImage.Fetch(Clip(SourceName(), out _), time);
            if (source.IsThere)
            {
                PassThrough(source, target);
                return OfxStatus.Ok;
            }
        }

        for (var y = 0; y < target.Height; y++) target.Row(y).Clear();
        return OfxStatus.Ok;
    }

    private ShownFrames? FrameAt(double time, int bits, out long number)
    {
        number = 0;
        if (Shown() is not { } clip || ShownClips.Find(clip, bits, _parameters.Text(Description.FrameFile)) is not { } frames) return null;
        // A project may run at half a frame: the frame that is on the screen then is the one before.
        number = (long)Math.Floor(time + 1e-6) - FirstGenerated(Range());
        if (number >= 0 && number < frames.Mapped.Layout.Frames) return frames;
        frames.Dispose();
        return null;
    }

    // The whole picture is fitted to the whole area that the host draws, of which it may want a part or a smaller size: nearest pixels, as for a proxy.
    private static void Show(Client.MappedFrames frames, long number, in HostImage target)
    {
        var (width, height) = (frames.Layout.Size.Width, frames.Layout.Size.Height);
        var (x1, y1, x2, y2) = target.Whole;
        var (wholeWidth, wholeHeight) = ((long)x2 - x1, (long)y2 - y1);
        var isSame = (wholeWidth, wholeHeight) == (width, height) && (target.Width, target.Height) == (width, height);
        var pixelBytes = frames.Layout.Bits / 2;
        var scratch = isSame ? [] : new byte[target.Width * pixelBytes];
        for (var y = 0; y < target.Height; y++)
        {
            if (isSame)
            {
                PixelRows.Write(frames.Row(number, y), frames.Layout.Bits, target.Row(y), target.Format);
                continue;
            }

            var down = (long)y2 - target.Origin.Top + y;
            var from = frames.Row(number, (int)Math.Clamp(down * height / wholeHeight, 0, height - 1));
            for (var x = 0; x < target.Width; x++)
            {
                var across = (long)target.Origin.Left - x1 + x;
                from.Slice((int)Math.Clamp(across * width / wholeWidth, 0, width - 1) * pixelBytes, pixelBytes).CopyTo(scratch.AsSpan(x * pixelBytes));
            }

            PixelRows.Write(scratch, frames.Layout.Bits, target.Row(y), target.Format);
        }
    }

    private static void PassThrough(in HostImage source, in HostImage target)
    {
        // Where the two do not meet, nothing is passed through.
        var shift = (int)Math.Clamp((long)target.Origin.Left - source.Origin.Left, -target.Width, source.Width);
        var (begin, end) = (Math.Max(0, -shift), Math.Min(target.Width, source.Width - shift));
        var (from, to) = (source.Format.PixelBytes, target.Format.PixelBytes);
        for (var y = 0; y < target.Height; y++)
        {
            var row = target.Row(y);
            var sourceY = (int)Math.Clamp((long)source.Origin.Top - target.Origin.Top + y, -1, source.Height);
            if (begin > 0 || end < target.Width || sourceY < 0 || sourceY >= source.Height) row.Clear();
            if (sourceY < 0 || sourceY >= source.Height || end <= begin) continue;
            PixelRows.Convert(source.Row(sourceY).Slice((begin + shift) * from, (end - begin) * from), source.Format, row[(begin * to)..(end * to)], target.Format);
        }
    }

    private ReadOnlySpan<byte> SourceName()
    {
        if (_context != EffectContext.Transition) return "Source"u8;
        return _parameters.Double("Transition"u8) < 0.5 ? "SourceFrom"u8 : "SourceTo"u8;
    }
}
