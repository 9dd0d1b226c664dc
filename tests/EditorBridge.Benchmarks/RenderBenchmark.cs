using System.Globalization;
using System.Security.Cryptography;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Benchmarks;

/// <summary>How long the OpenFX plugin takes for a frame, in the small host of the plugin's tests.</summary>
internal static class RenderBenchmark
{
    private static readonly string Program = Path.Combine("tests", "EditorBridge.Native.Tests", "Programs", "ofx_host.c");

    public static async Task<int> RunAsync(string library, string size, int frames, CancellationToken cancellation)
    {
        if (size.Split('x') is not [var across, var down] || !int.TryParse(across, out var width) || !int.TryParse(down, out var height) || width < 1 || height < 1 || frames < 1)
        {
            Console.Error.WriteLine($"--size {size} --frames {frames} is not a size such as 1920x1080 with one frame or more.");
            return 1;
        }

        if (new[] { library, Program }.FirstOrDefault(file => !File.Exists(file)) is { } missing)
        {
            Console.Error.WriteLine($"{missing} is not there: run this in the project's folder, after eng/native.sh.");
            return 1;
        }

        using var folder = new WorkFolder();
        var host = folder.File("ofx_host");
        await Programs.RunAsync("gcc", ["-std=gnu11", "-O2", "-o", host, Program, "-ldl", "-lpthread"], Programs.NoEnvironment, cancellation);
        foreach (var bits in (int[])[8, 16])
            Write(folder.File($"{bits}"), width, height, bits, frames);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{library}: {new FileInfo(library).Length / 1e6:F2} MB\n"));
        Console.WriteLine("| clip | host's pixels | median, first time each frame is read | median, read before | of it the processor's |\n|---|---|---|---|---|");
        foreach (var (depth, components, order) in from depth in (string[])["byte", "short", "half", "float"] from form in ((string, string)[])[("RGBA", "RGBA"), ("RGBA", "BGRA"), ("RGB", "RGBA")] select (depth, form.Item1, form.Item2))
        {
            var bits = depth == "byte" ? 8 : 16;
            string[] words =
            [
                library, "run", "Generator", $"size={width}x{height}", $"depth={depth}", $"components={components}", $"order={order}", "job=jobs/benchmark",
                $"frameFile=jobs/benchmark/clips/1 {bits} {folder.File($"{bits}")}", $"bench=0,{frames}",
            ];
            var said = (await Programs.RunAsync(host, words, Programs.NoEnvironment, cancellation)).Split('\n').Where(line => line.StartsWith("bench ", StringComparison.Ordinal)).Select(line => line.Split(' ')).ToList();
            Console.WriteLine($"| RGBA {bits} | {(order == "BGRA" ? order : components)} {depth} | {said[0][2]} ms | {said[1][2]} ms | {said[1][8]} ms |");
        }

        return 0;
    }

    // What the host lays out for a finished clip; written just now, it lies in the page cache.
    private static void Write(string path, int width, int height, int bits, int frames)
    {
        var layout = FrameFileHeader.Layout(width, height, bits, frames, new FrameRate { Numerator = 24, Denominator = 1 });
        using var stream = File.Create(path);
        stream.Write(FrameFileHeader.Write(layout));
        var frame = new byte[layout.FrameBytes];
        for (var i = 0; i < frames; i++)
        {
            RandomNumberGenerator.Fill(frame);
            stream.Write(frame);
        }
    }
}
