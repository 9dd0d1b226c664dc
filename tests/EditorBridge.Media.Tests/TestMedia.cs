using System.Diagnostics;

namespace EditorBridge.Media.Tests;

/// <summary>A folder that goes away, and films in it whose every frame carries its number as a row of black and white squares.</summary>
internal sealed class TestMedia : IDisposable
{
    public const int Bits = 12;
    public const int Square = 16;
    public const int Width = 256;
    public const int Height = 144;

    public TestMedia()
    {
        Folder = Directory.CreateTempSubdirectory("eb-media-").FullName;
    }

    public string Folder { get; }

    public string PathOf(string name) => Path.Combine(Folder, name);

    public static async Task<FFmpegTools> ToolsAsync() => (await FFmpegTools.FindAsync()).Value;

    /// <summary>Encodes numbered frames.</summary>
    /// <param name="name">File name.</param>
    /// <param name="count">Frames.</param>
    /// <param name="rate">Rate of the frames as they go in.</param>
    /// <param name="output">ffmpeg's output options.</param>
    /// <param name="width">Width of the frames that go in.</param>
    /// <param name="height">Height of the frames that go in.</param>
    /// <param name="inputOptions">More options before the input.</param>
    public async Task<string> FilmAsync(
        string name, int count, string rate, string[] output, int width = Width, int height = Height, string[]? inputOptions = null)
    {
        var path = PathOf(name);
        await RunAsync(
            "ffmpeg",
            ["-v", "error", "-y", .. inputOptions ?? [], "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", $"{width}x{height}", "-r", rate, "-i", "pipe:0", .. output, "file:" + path],
            stdin =>
            {
                for (var n = 0; n < count; n++) stdin.Write(Numbered(n, width, height));
            });
        return path;
    }

    public static byte[] Numbered(int number, int width, int height)
    {
        var picture = new byte[width * height * 3];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var bit = x / Square;
                byte value = y < 2 * Square && bit < Bits
                    ? (byte)((number >> bit & 1) == 1 ? 220 : 30)
                    : (byte)(60 + (x + 3 * number) % 120);
                picture.AsSpan((y * width + x) * 3, 3).Fill(value);
            }
        }

        return picture;
    }

    /// <summary>The number a frame carries.</summary>
    public static int NumberOf(VideoFrame frame, int originalWidth = Width, int originalHeight = Height)
    {
        var number = 0;
        for (var bit = 0; bit < Bits; bit++)
        {
            var x = (int)((bit + 0.5) * Square * frame.Width / originalWidth);
            var y = Square * frame.Height / originalHeight;
            if (frame.Pixels[(y * frame.Width + x) * 3 + 1] > 32768) number |= 1 << bit;
        }

        return number;
    }

    public static async Task<List<int>> NumbersAsync(IAsyncEnumerable<VideoFrame> frames, int originalWidth = Width, int originalHeight = Height)
    {
        var numbers = new List<int>();
        await foreach (var frame in frames)
        {
            using (frame) numbers.Add(NumberOf(frame, originalWidth, originalHeight));
        }

        return numbers;
    }

    public static async Task<string> RunAsync(string program, string[] arguments, Action<Stream>? feed = null)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        feed?.Invoke(process.StandardInput.BaseStream);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {await errors}");
        return await output;
    }

    public async Task<MediaInfo> ProbeAsync(string path) => (await new MediaProbe(await ToolsAsync()).ProbeAsync(path)).Value;

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
