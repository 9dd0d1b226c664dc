using System.Diagnostics;
using System.Text.Json.Serialization;

namespace EditorBridge.Benchmarks;

/// <summary>One row of the table.</summary>
internal sealed record Measurement
{
    public required string Name { get; init; }

    public required string Device { get; init; }

    /// <summary>Best of the runs, in seconds.</summary>
    public required double Seconds { get; init; }

    /// <summary>Floating point operations of its matrix products, convolutions and attention.</summary>
    public double Operations { get; init; }

    /// <summary>Operations a second.</summary>
    public double Rate => Operations / Seconds;

    /// <summary>Operations a second of a large matrix product on the device, just before.</summary>
    public double MatrixRate { get; init; }

    /// <summary>Seconds of the same products and attention alone, on float32 weights in memory; 0 where not measured.</summary>
    public double PlainSeconds { get; init; }

    /// <summary>Time as a multiple of the plain time.</summary>
    public double Ratio => PlainSeconds > 0 ? Seconds / PlainSeconds : 0;

    /// <summary>The same of processor time, which other programs on the machine disturb less.</summary>
    public double ProcessorRatio { get; init; }

    /// <summary>Seconds from opening the files until the network can start.</summary>
    public double LoadSeconds { get; init; }

    /// <summary>Most anonymous memory while it loaded and ran, beyond what the process had before, in bytes.</summary>
    public long PeakAnonymous { get; init; }

    /// <summary>What the plan of a whole job says it takes, in bytes; 0 where nothing is planned.</summary>
    public long Planned { get; init; }

    /// <summary>Bytes of weights that stay mapped.</summary>
    public long Mapped { get; init; }
}

[JsonSourceGenerationOptions(WriteIndented = true)]
[JsonSerializable(typeof(IReadOnlyList<Measurement>))]
internal sealed partial class MeasurementJson : JsonSerializerContext;

/// <summary>Wall-clock and processor time of a piece of work.</summary>
internal readonly record struct Lap(double Seconds, double ProcessorSeconds)
{
    public static Lap Of(Action work)
    {
        GC.Collect();
        var processor = Process.GetCurrentProcess().TotalProcessorTime;
        var start = Stopwatch.GetTimestamp();
        work();
        return new(Stopwatch.GetElapsedTime(start).TotalSeconds, (Process.GetCurrentProcess().TotalProcessorTime - processor).TotalSeconds);
    }

    public static Lap Best(Lap one, Lap other) => new(Math.Min(one.Seconds, other.Seconds), Math.Min(one.ProcessorSeconds, other.ProcessorSeconds));

    public static readonly Lap Longest = new(double.MaxValue, double.MaxValue);
}
