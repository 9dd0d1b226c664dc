using System.Diagnostics;
using System.Globalization;
using EditorBridge.Media;

namespace EditorBridge.Training.Dit;

/// <summary>Passes context frames through H.264 and back, because real footage has been through a codec.</summary>
internal static class ContextCodec
{
    /// <summary>Encodes groups of frames, each beginning with a key frame, and decodes them again.</summary>
    /// <param name="groups">Clips [3, F, H, W] in [-1, 1], all of one size.</param>
    /// <param name="frames">F.</param>
    /// <param name="height">H.</param>
    /// <param name="width">W.</param>
    /// <param name="quality">x264's constant rate factor.</param>
    public static IReadOnlyList<float[]> Pass(IReadOnlyList<float[]> groups, int frames, int height, int width, int quality)
    {
        var found = FFmpegTools.FindAsync().GetAwaiter().GetResult();
        if (!found.TryGet(out var tools, out var refusal))
        {
            throw new InvalidOperationException(refusal.Message);
        }

        int plane = width * height, frameBytes = 3 * plane;
        var bytes = new byte[groups.Count * frames * frameBytes];
        for (int g = 0; g < groups.Count; g++)
        {
            for (int f = 0; f < frames; f++)
            {
                int at = (g * frames + f) * frameBytes;
                for (int i = 0; i < plane; i++)
                {
                    for (int c = 0; c < 3; c++)
                    {
                        bytes[at + 3 * i + c] = (byte)Math.Clamp((groups[g][(c * frames + f) * plane + i] + 1) * 127.5f + 0.5f, 0, 255);
                    }
                }
            }
        }

        string file = Path.Combine(Path.GetTempPath(), $"context-{Guid.NewGuid():N}.mkv");
        try
        {
            string size = $"{width}x{height}", key = frames.ToString(CultureInfo.InvariantCulture);
            Run(tools.FFmpegPath, bytes, "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", "24", "-i", "pipe:0", "-threads", "1",
                "-vf", "scale=out_color_matrix=bt709", "-pix_fmt", "yuv420p", "-colorspace", "bt709", "-c:v", "libx264", "-preset", "veryfast", "-crf", quality.ToString(CultureInfo.InvariantCulture),
                "-g", key, "-keyint_min", key, "-sc_threshold", "0", "-y", file);
            var decoded = Run(tools.FFmpegPath, [], "-threads", "1", "-i", file, "-vf", "scale=in_color_matrix=bt709", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1");
            if (decoded.Length != bytes.Length)
            {
                throw new InvalidOperationException($"ffmpeg gave back {decoded.Length} bytes for {bytes.Length}.");
            }

            return [.. groups.Select((group, g) => Planes(decoded, g * frames * frameBytes, frames, plane))];
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static float[] Planes(byte[] bytes, int start, int frames, int plane)
    {
        var clip = new float[3 * frames * plane];
        for (int f = 0; f < frames; f++)
        {
            for (int i = 0; i < plane; i++)
            {
                for (int c = 0; c < 3; c++)
                {
                    clip[(c * frames + f) * plane + i] = bytes[start + 3 * (f * plane + i) + c] / 127.5f - 1;
                }
            }
        }

        return clip;
    }

    private static byte[] Run(string program, byte[] input, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add("-v");
        start.ArgumentList.Add("error");
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        using var output = new MemoryStream();
        var reading = process.StandardOutput.BaseStream.CopyToAsync(output);
        process.StandardInput.BaseStream.Write(input);
        process.StandardInput.Close();
        reading.GetAwaiter().GetResult();
        process.WaitForExit();
        return process.ExitCode == 0 ? output.ToArray() : throw new InvalidOperationException($"ffmpeg failed: {errors.GetAwaiter().GetResult()}");
    }
}
