using EditorBridge.Diffusion.Native;
using EditorBridge.Diffusion.Text;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Generation;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Configs;
using TorchSharp;
using static TorchSharp.torch;

namespace EditorBridge.Benchmarks;

/// <summary>The networks one by one, from weights in a folder.</summary>
internal sealed class NetworkBenchmarks(ComputeDevice device, int runs, Action<string> say)
{
    /// <summary>One forward pass beside the plain products it is made of, taken in turns so that a busy machine disturbs both.</summary>
    public Measurement Transformer(string name, string folder, int width, int height, int frames, int pixels)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var config = ConfigFile.ReadTransformer(Path.Combine(folder, "config.json")).OrThrow();
        var latents = (frames - 1) / 4 + 1;
        var tokens = (long)latents * (height / pixels / 2) * (width / pixels / 2);
        var rate = MatrixRate(device);

        using var watch = MemoryWatch.Begin();
        WanTransformer? made = null;
        var load = Lap.Of(() => made = WanTransformer.Load(folder, device.Device));
        using var network = made!;
        say($"{name}: loaded in {load.Seconds:F2} s; {tokens} tokens");
        var latent = randn([1, config.InChannels, latents, height / pixels, width / pixels]).to(device.Device);
        var context = randn(1, config.TextLen, config.TextDim).to(device.Device);
        var segment = new LatentSegment(latent, full([1, latents], 500.0), [.. Enumerable.Range(0, latents).Select(i => (double)i)]);
        Lap Pass() => Lap.Of(() =>
        {
            using var pass = NewDisposeScope();
            using var pause = CollectorPause.Begin();
            network.Forward([segment], context);
            device.Synchronize();
        });
        var best = Pass();
        var peak = watch.Peak - watch.Start;

        using var plain = new PlainTransformer(config, tokens, device.Device);
        var bare = Lap.Longest;
        for (var i = 0; i < runs; i++)
        {
            if (i > 0)
                best = Lap.Best(best, Pass());
            bare = Lap.Best(bare, Lap.Of(() =>
            {
                plain.Run();
                device.Synchronize();
            }));
            say($"{name}: {best.Seconds:F1} s, plain {bare.Seconds:F1} s, processor {best.ProcessorSeconds / bare.ProcessorSeconds:F2}");
        }

        return new Measurement
        {
            Name = name, Device = device.Name, Seconds = best.Seconds, Operations = plain.Operations, MatrixRate = rate, PlainSeconds = bare.Seconds,
            ProcessorRatio = best.ProcessorSeconds / bare.ProcessorSeconds, LoadSeconds = load.Seconds, PeakAnonymous = peak, Mapped = Size(folder),
        };
    }

    /// <summary>Decoding of one latent frame in the middle of a clip.</summary>
    public Measurement Vae(string name, string folder, int width, int height)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var rate = MatrixRate(device);
        using var watch = MemoryWatch.Begin();
        WanVideoVae? made = null;
        var load = Lap.Of(() => made = WanVideoVae.Load(folder, device.Device));
        using var vae = made!;
        using var cache = new WanVideoVaeCache();
        var latent = randn([1, vae.Config.ZDim, 1, height / vae.Config.ScaleFactorSpatial, width / vae.Config.ScaleFactorSpatial]).to(device.Device);
        var counting = new OperationCount(vae);
        Lap Frame() => Lap.Of(() =>
        {
            using var pass = NewDisposeScope();
            using var pause = CollectorPause.Begin();
            counting.Reset();
            vae.DecodeChunk(latent, cache);
            device.Synchronize();
        });
        Frame(); // the first frame of a clip is another
        var best = Lap.Longest;
        for (var i = 0; i < runs; i++)
            best = Lap.Best(best, Frame());
        say($"{name}: {best.Seconds:F1} s");
        return new Measurement
        {
            Name = name, Device = device.Name, Seconds = best.Seconds, Operations = counting.Operations, MatrixRate = rate, LoadSeconds = load.Seconds,
            PeakAnonymous = watch.Peak - watch.Start, Mapped = Size(folder),
        };
    }

    /// <summary>A prompt's features.</summary>
    public Measurement TextEncoder(string name, string folder, int pieces)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var rate = MatrixRate(device);
        var config = ConfigFile.ReadTextEncoder(Path.Combine(folder, "config.json")).OrThrow();
        using var watch = MemoryWatch.Begin();
        UMT5Encoder? made = null;
        var load = Lap.Of(() =>
        {
            using var weights = Checkpoint.Open(folder).OrThrow();
            made = UMT5Encoder.Load(config, weights, device.Device);
        });
        using var encoder = made!;
        int[] prompt = [.. Enumerable.Range(0, pieces - 1).Select(i => 3 + (i * 131 % (config.VocabSize - 3))), 1];
        var best = Lap.Longest;
        for (var i = 0; i < runs; i++)
        {
            best = Lap.Best(best, Lap.Of(() =>
            {
                using var pass = NewDisposeScope();
                using var pause = CollectorPause.Begin();
                encoder.EncodeContext([prompt], 512);
                device.Synchronize();
            }));
            say($"{name}: {best.Seconds:F1} s");
        }

        double inner = config.NumHeads * config.DKv;
        return new Measurement
        {
            Name = name, Device = device.Name, Seconds = best.Seconds, LoadSeconds = load.Seconds, MatrixRate = rate,
            Operations = config.NumLayers * pieces * ((2.0 * config.DModel * (4 * inner + (3 * config.DFf))) + (4 * inner * pieces)),
            PeakAnonymous = watch.Peak - watch.Start, Mapped = Size(folder),
        };
    }

    /// <summary>Operations a second of a large product in float32.</summary>
    public static double MatrixRate(ComputeDevice device)
    {
        using var scope = NewDisposeScope();
        var size = device.Device.type == DeviceType.CPU ? 1536 : 8192;
        var (a, b) = (randn(size, size).to(device.Device), randn(size, size).to(device.Device));
        var best = Lap.Longest;
        for (var i = 0; i < 6; i++)
        {
            best = Lap.Best(best, Lap.Of(() =>
            {
                using var product = mm(a, b);
                device.Synchronize();
            }));
        }

        return 2.0 * size * size * size / best.Seconds;
    }

    private static long Size(string folder) => Directory.EnumerateFiles(folder).Sum(file => new FileInfo(file).Length);
}
