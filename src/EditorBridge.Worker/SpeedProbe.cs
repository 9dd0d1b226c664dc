using System.Diagnostics;
using EditorBridge.Diffusion.Native;
using EditorBridge.Protocol.Worker.V1;
using Serilog;
using static TorchSharp.torch;

namespace EditorBridge.Worker;

/// <summary>Loads a model and measures matrix products for one second: enough for an estimate before anything has run.</summary>
internal static class SpeedProbe
{
    private const int Size = 512;

    /// <summary>The measurement, or why there is none.</summary>
    public static SpeedMeasured Measure(MeasureSpeed request)
    {
        try
        {
            var start = Stopwatch.GetTimestamp();
            NativeTorch.Load();
            _ = ModelCache.Get(request.ModelFolder);
            var loaded = Stopwatch.GetElapsedTime(start);
            using var scope = NewDisposeScope();
            using var inference = inference_mode();
            var (a, b) = (rand(Size, Size), rand(Size, Size));
            for (var i = 0; i < 3; i++) mm(a, b).Dispose();
            start = Stopwatch.GetTimestamp();
            var products = 0;
            while (Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(1))
            {
                mm(a, b).Dispose();
                products++;
            }

            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            return new SpeedMeasured
            {
                Flops = 2.0 * Size * Size * Size * products / seconds,
                Seconds = seconds,
                LoadSeconds = loaded.TotalSeconds,
                Device = "cpu",
                TorchVersion = "libtorch " + __version__,
            };
        }
        catch (Exception e)
        {
            Log.Error(e, "The speed of {Model} could not be measured", request.ModelFolder);
            return new SpeedMeasured { Problem = FailureReasons.Describe(e).Message };
        }
    }
}
