using EditorBridge.Host.Assets;
using EditorBridge.Protocol.V1;
using Grpc.Core;

namespace EditorBridge.Host.Services;

/// <summary>editorbridge.v1.MediaService.</summary>
internal sealed class MediaServiceEndpoint(FFmpegLocator ffmpeg, KnownMedia known, AssetStore assets, HostOptions options) : MediaService.MediaServiceBase
{
    /// <inheritdoc/>
    public override async Task<MediaInfo> ProbeMedia(ProbeMediaRequest request, ServerCallContext context)
    {
        var found = await new SpecReading(ffmpeg, known, assets, options).ProbeAsync(request.Media, "media", context.CancellationToken).ConfigureAwait(false);
        var info = new MediaInfo
        {
            Size = new PixelSize { Width = found.Width, Height = found.Height },
            Rate = new FrameRate { Numerator = found.Rate.Numerator, Denominator = found.Rate.Denominator },
            Frames = found.FrameCount,
            VariableRate = found.IsVariableRate,
            Interlaced = found.IsInterlaced,
            Still = found.IsStill,
            Color = new ColorTags
            {
                Primaries = found.Colour.Primaries ?? "", Transfer = found.Colour.Transfer ?? "", Matrix = found.Colour.Matrix ?? "", Range = found.Colour.Range ?? "",
            },
            StartTimecode = found.Timecode ?? "",
            ReelName = found.Reel ?? "",
        };
        info.Notes.AddRange(found.Notes);
        return info;
    }
}
