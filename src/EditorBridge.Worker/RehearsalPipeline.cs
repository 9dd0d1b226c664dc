using System.Globalization;
using System.Text.Json;
using EditorBridge.Media;
using EditorBridge.Planning;
using EditorBridge.Protocol.Worker.V1;

namespace EditorBridge.Worker;

/// <summary>
/// A small computation with the life of a take, for tests of supervision: Conway's Game of Life from the seed, one generation a step, saved after each
/// and gone on from; its last state becomes a real clip of the plan's delivery. It can be told to misbehave on the way.
/// </summary>
internal sealed class RehearsalPipeline(Action ignoreRequests) : ITakePipeline
{
    private const int Width = 64;
    private const int Height = 36;
    private const int SamplingStage = 6;
    private const int EncodingStage = 8;

    /// <inheritdoc/>
    public TakeFinished Run(StartTake start, TakeSignals signals)
    {
        var rehearsal = start.Rehearsal;
        var plan = JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(start.JobFolder, "plan.json")), PlanningJson.Default.Plan)!;
        var take = plan.Takes[start.Take];
        var state = Path.Combine(start.JobFolder, "state", $"take-{take.Number}");
        var (step, cells) = Restore(state) ?? (0, Seeded(take.Seed));
        if (rehearsal.Fault == Rehearsal.Types.Fault.IgnoreRequests) ignoreRequests();
        for (; step < rehearsal.Steps; step++)
        {
            signals.Suspend.ThrowIfCancellationRequested();
            signals.Cancel.ThrowIfCancellationRequested();
            if (step == rehearsal.FaultStep && (rehearsal.FaultUntilFence == 0 || start.Fence <= rehearsal.FaultUntilFence)) Misbehave(rehearsal.Fault);
            cells = Next(cells);
            Thread.Sleep(rehearsal.StepMilliseconds);
            Save(state, step + 1, cells);
            signals.Report(new Progress
            {
                Stage = SamplingStage, Step = step + 1, Steps = rehearsal.Steps, Windows = 1, Fraction = 0.9 * (step + 1) / rehearsal.Steps,
                SecondsLeft = (rehearsal.Steps - step - 1) * rehearsal.StepMilliseconds / 1000.0, Saved = true,
            });
        }

        return Encode(Path.Combine(start.JobFolder, "takes", $"{take.Number}"), plan, take, cells, signals);
    }

    private static TakeFinished Encode(string folder, Plan plan, TakePlan take, byte[] cells, TakeSignals signals)
    {
        var delivery = plan.Request.Delivery;
        var name = "clip" + (delivery.Codec == DeliveryCodec.H264 ? ".mp4" : ".mov");
        var settings = new ClipSettings
        {
            Codec = delivery.Codec switch
            {
                DeliveryCodec.ProRes => ClipCodec.ProRes422Hq,
                DeliveryCodec.DnxHr => ClipCodec.DnxHrHq,
                _ => ClipCodec.H264,
            },
            Width = delivery.Width, Height = delivery.Height, Rate = delivery.Rate, FrameCount = delivery.Frames,
        };
        Directory.CreateDirectory(folder);
        var tools = FFmpegTools.FindAsync(signals.Cancel).GetAwaiter().GetResult().Value;
        using var encoder = ClipEncoder.Start(tools, settings, Path.Combine(folder, name), signals.Cancel).Value;
        using var frame = VideoFrame.Rent(delivery.Width, delivery.Height);
        for (var i = 0; i < delivery.Frames; i++)
        {
            Paint(frame, cells);
            encoder.Write(frame);
            cells = Next(cells);
            signals.Report(new Progress
            {
                Stage = EncodingStage, Step = i + 1, Steps = delivery.Frames, Windows = 1, Fraction = 0.9 + (0.1 * (i + 1) / delivery.Frames), SecondsLeft = 0,
            });
        }

        var clip = encoder.FinishAsync().GetAwaiter().GetResult();
        if (clip.Refusal is { } refusal) throw new MediaException(refusal);
        const string sidecar = "clip.json";
        File.WriteAllText(Path.Combine(folder, sidecar), JsonSerializer.Serialize(new { rehearsal = true, seed = take.Seed }));
        return new TakeFinished { Clip = name, Sidecar = sidecar, Frames = delivery.Frames };
    }

    private static void Misbehave(Rehearsal.Types.Fault fault)
    {
        switch (fault)
        {
            case Rehearsal.Types.Fault.Abort:
                Environment.FailFast("Rehearsal of a native abort.");
                break;
            case Rehearsal.Types.Fault.Hang:
                Thread.Sleep(Timeout.Infinite);
                break;
            case Rehearsal.Types.Fault.IgnoreRequests:
                // Goes on as if nothing had been said; the signs of life go on as well.
                Thread.Sleep(Timeout.Infinite);
                break;
            case Rehearsal.Types.Fault.OutOfMemory:
                throw new System.Runtime.InteropServices.ExternalException("CUDA out of memory. Tried to allocate 20.00 GiB (rehearsal)");
            case Rehearsal.Types.Fault.DiskFull:
                throw new IOException("No space left on device (rehearsal)", 28);
        }
    }

    private static byte[] Seeded(long seed)
    {
        // The generator is our own so that another run of the runtime gives the same cells.
        var state = unchecked((ulong)seed * 0x9E3779B97F4A7C15 + 1);
        var cells = new byte[Width * Height];
        for (var i = 0; i < cells.Length; i++)
        {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            cells[i] = (byte)(state >> 60 < 5 ? 1 : 0);
        }

        return cells;
    }

    private static byte[] Next(byte[] cells)
    {
        var next = new byte[cells.Length];
        for (var y = 0; y < Height; y++)
        {
            for (var x = 0; x < Width; x++)
            {
                var alive = 0;
                for (var dy = -1; dy <= 1; dy++)
                    for (var dx = -1; dx <= 1; dx++)
                        if ((dx, dy) != (0, 0)) alive += cells[((y + dy + Height) % Height * Width) + ((x + dx + Width) % Width)];
                next[(y * Width) + x] = (byte)(alive == 3 || (alive == 2 && cells[(y * Width) + x] == 1) ? 1 : 0);
            }
        }

        return next;
    }

    private static void Paint(VideoFrame frame, byte[] cells)
    {
        var pixels = frame.Pixels;
        for (var y = 0; y < frame.Height; y++)
        {
            for (var x = 0; x < frame.Width; x++)
            {
                var value = (ushort)(cells[(y * Height / frame.Height * Width) + (x * Width / frame.Width)] * 48_000);
                pixels.Slice(((y * frame.Width) + x) * 3, 3).Fill(value);
            }
        }
    }

    private static void Save(string folder, int step, byte[] cells)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, "cells");
        File.WriteAllBytes(path + ".tmp", [.. System.Text.Encoding.ASCII.GetBytes(step.ToString("D8", CultureInfo.InvariantCulture)), .. cells]);
        File.Move(path + ".tmp", path, overwrite: true);
    }

    private static (int Step, byte[] Cells)? Restore(string folder)
    {
        var path = Path.Combine(folder, "cells");
        if (!File.Exists(path)) return null;
        var saved = File.ReadAllBytes(path);
        return (int.Parse(saved.AsSpan(0, 8), CultureInfo.InvariantCulture), saved[8..]);
    }
}
