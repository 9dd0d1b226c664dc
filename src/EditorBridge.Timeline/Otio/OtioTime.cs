using EditorBridge.Timeline.Json;

namespace EditorBridge.Timeline.Otio;

/// <summary>A RationalTime of the document: a number of frames, perhaps fractional, at a rate.</summary>
internal sealed class OtioTime
{
    // Documents carry doubles; a whole number of frames may come back from them off by rounding only.
    private const double Rounding = 1e-4;

    private OtioTime(JsonValue valueNode, JsonValue rateNode, double value, FrameRate rate)
    {
        ValueNode = valueNode;
        RateNode = rateNode;
        Value = value;
        Rate = rate;
    }

    public JsonValue ValueNode { get; }

    public JsonValue RateNode { get; }

    public double Value { get; }

    public FrameRate Rate { get; }

    /// <summary>The whole number of frames, or null.</summary>
    public long? Whole => Math.Abs(Value) < FrameRange.MostFrames && Math.Abs(Value - Math.Round(Value)) < Rounding ? (long)Math.Round(Value) : null;

    public static OtioTime? Read(JsonValue? node)
    {
        if (node?["value"] is not { } valueNode || node["rate"] is not { } rateNode) return null;
        if (valueNode.AsNumber() is not { } value || rateNode.AsNumber() is not { } rate) return null;
        return double.IsFinite(value) && double.IsFinite(rate) && rate is >= 0.001 and <= 100_000
            ? new OtioTime(valueNode, rateNode, value, FrameRate.Snap(rate))
            : null;
    }

    /// <summary>The whole number of frames at another rate that lasts exactly as long, or null.</summary>
    public long? At(FrameRate rate)
    {
        if (Whole is { } whole) return FrameConversion.Exactly(whole, Rate, rate) is > -FrameRange.MostFrames and < FrameRange.MostFrames and var exact ? exact : null;
        // Seconds and the like: 2.5 at rate 1 is 60 frames at 24.
        var frames = Value * ((double)rate.Numerator * Rate.Denominator) / ((double)rate.Denominator * Rate.Numerator);
        return Math.Abs(frames) < FrameRange.MostFrames && Math.Abs(frames - Math.Round(frames)) < Rounding ? (long)Math.Round(frames) : null;
    }
}

/// <summary>A TimeRange of the document.</summary>
internal sealed record OtioTimeRange(OtioTime Start, OtioTime Duration)
{
    public static OtioTimeRange? Read(JsonValue? node) =>
        OtioTime.Read(node?["start_time"]) is { } start && OtioTime.Read(node?["duration"]) is { } duration && duration.Value >= 0
            ? new OtioTimeRange(start, duration)
            : null;

    /// <summary>The range in whole frames at the start's rate, or null.</summary>
    public MediaRange? ToMediaRange() =>
        Start.Whole is { } start && Duration.At(Start.Rate) is { } duration ? new MediaRange(Start.Rate, start, duration) : null;
}
