using System.Collections.Concurrent;
using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace EditorBridge.Training.Optimisation;

/// <summary>Which type matrix products run in: bf16 is twice as fast as fp32 on processors with instructions for it, and sixty times slower on others.</summary>
internal static class ProductType
{
    private static readonly ConcurrentDictionary<DeviceType, ScalarType> Known = new();

    /// <summary>The faster of bf16 and fp32 on a device: tried once on a processor, bf16 elsewhere.</summary>
    public static ScalarType Fastest(Device device) => Known.GetOrAdd(device.type, type => type != DeviceType.CPU || Seconds(bfloat16) < Seconds(float32) ? bfloat16 : float32);

    private static double Seconds(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var a = ones([192, 192], type);
        double best = double.MaxValue;
        for (int i = 0; i < 4; i++)
        {
            long start = Stopwatch.GetTimestamp();
            mm(a, a);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }
}
