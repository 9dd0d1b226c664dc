using EditorBridge.Diffusion.Conditioning;
using static TorchSharp.torch;

namespace EditorBridge.Training.Dit;

/// <summary>
/// What a training step is given: no context 20 %, a first frame 15 %, A 20 %, B 15 %, A and B 30 %, each context of 1, 5 or 9 frames; laid
/// out by the same code that lays out tokens at inference.
/// </summary>
/// <param name="Before">Frames of A, 4a+1 or 0.</param>
/// <param name="After">Frames of B, 4b+1 or 0.</param>
/// <param name="Codec">Whether A has been through H.264.</param>
/// <param name="Skip">Latents left out at the start, so that runs which do not begin with a clip's first latent are known as well.</param>
public sealed record ConditioningMix(int Before, int After, bool Codec, int Skip)
{
    /// <summary>Draws one.</summary>
    /// <param name="random">Source.</param>
    /// <param name="frames">Frames in front of the context after.</param>
    public static ConditioningMix Sample(SeededRandom random, int frames)
    {
        int Length() => 1 + 4 * random.Next(3);
        double kind = random.NextDouble();
        var (before, after) = kind switch
        {
            < 0.20 => (0, 0),
            < 0.35 => (1, 0),
            < 0.55 => (Length(), 0),
            < 0.70 => (0, Length()),
            _ => (Length(), Length()),
        };
        // Something must be left to generate.
        while (before >= frames)
        {
            before -= 4;
        }

        bool codec = before > 0 && random.Chance(0.5);
        int room = LatentShard.MainLatents(frames) - 3 - (before + 3) / 4;
        int skip = !codec && room > 0 && random.Chance(0.12) ? 1 + random.Next(room) : 0;
        return new ConditioningMix(Math.Max(before, 0), after, codec, skip);
    }

    /// <summary>Main sequence (clean) and its conditioning for clips of a shard.</summary>
    /// <param name="frames">Frames in front of the context after.</param>
    /// <param name="main">[B, 48, T, h, w].</param>
    /// <param name="before">Context before as a codec left it, [B, 48, 3, h, w].</param>
    /// <param name="after">Context after, [B, 48, 3, h, w].</param>
    public (Tensor Main, ConditionedLatents Conditioning) LayOut(int frames, Tensor main, Tensor before, Tensor after)
    {
        int head = ConditioningLayout.LatentsOf(Before), tail = ConditioningLayout.LatentsOf(After);
        var layout = ConditioningLayout.Forward(frames - Before, Before, After);
        if (Skip > 0)
        {
            layout = layout with { MainQuarters = [.. layout.MainQuarters.Skip(Skip)] };
            main = main.narrow(2, Skip, main.size(2) - Skip);
        }

        var given = head == 0 ? null : (Codec ? before : main).narrow(2, 0, head);
        return (main, new ConditionedLatents(layout.Checked(), given, tail == 0 ? null : after.narrow(2, 0, tail)));
    }
}
