using System.Diagnostics;
using EditorBridge.Diffusion.Native;
using EditorBridge.Protocol.Worker.V1;
using Serilog;
using static TorchSharp.torch;

namespace EditorBridge.Worker;

/// <summary>Loads a model and measures matrix products for one second: enough for an estimate before anything has run.</summary>
internal static class SpeedProbe
{
    // Large enough that a GPU is busy with the product and not with its beginning, small enough that a CPU makes many in a second.
    private const int GpuSize = 4096;
    private const int CpuSize = 512;

    /// <summary>The measurement, or why there is none.</summary>
    public static SpeedMeasured Measure(MeasureSpeed request)
    {
        try
        {
            var start = Stopwatch.GetTimestamp();
            var device = ModelCache.Get(request.ModelFolder, request.Device).Device;
            device.Synchronize();
            var loaded = Stopwatch.GetElapsedTime(start);
            using var scope = NewDisposeScope();
            using var inference = inference_mode();
            var size = device == ComputeDevice.Cpu ? CpuSize : GpuSize;
            var (a, b) = (rand(size, size).to(device.Device), rand(size, size).to(device.Device));
            for (var i = 0; i < 3; i++) mm(a, b).Dispose();
            device.Synchronize();
            start = Stopwatch.GetTimestamp();
            var products = 0;
            while (Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(1))
            {
                mm(a, b).Dispose();
                device.Synchronize();
                products++;
            }

            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            return new SpeedMeasured
            {
                Flops = 2.0 * size * size * size * products / seconds,
                Seconds = seconds,
                LoadSeconds = loaded.TotalSeconds,
                Device = device.Name,
                DeviceNote = device.Note,
                TorchVersion = NativeTorch.Version,
                TorchFolder = NativeTorch.Folder,
            };
        }
        catch (Exception e)
        {
            Log.Error(e, "The speed of {Model} could not be measured", request.ModelFolder);
            return new SpeedMeasured { Problem = FailureReasons.Describe(e).Message };
        }
    }
}
