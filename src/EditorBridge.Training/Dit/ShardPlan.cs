namespace EditorBridge.Training.Dit;

/// <summary>Sizes and lengths of the training clips, in stages from small and short to the canvas and long.</summary>
/// <param name="Width">Pixels across.</param>
/// <param name="Height">Rows.</param>
/// <param name="Frames">Frames in front of the context after.</param>
/// <param name="Count">Clips in the shard.</param>
public sealed record ShardPlan(int Width, int Height, int Frames, int Count)
{
    /// <summary>Draws a shard. Lengths are uniform, so that all residues modulo 4 occur.</summary>
    /// <param name="random">Source.</param>
    /// <param name="stage">0: small and short; 1: the canvas, up to 25 frames; 2: the canvas, up to 49; 3: up to 81; 4: single frames on the canvas, without contexts.</param>
    public static ShardPlan Sample(SeededRandom random, int stage)
    {
        var (width, height) = stage == 0
            ? random.Next(10) switch { 0 => (96, 160), 1 => (128, 128), < 5 => (192, 96), _ => (160, 96) }
            : random.Next(10) switch { 0 => (160, 288), 1 => (224, 224), _ => (288, 160) };
        return stage switch
        {
            0 => new ShardPlan(width, height, 9 + random.Next(13), 32),
            1 => new ShardPlan(width, height, 1 + random.Next(25), 16),
            2 => new ShardPlan(width, height, 14 + random.Next(36), 16),
            3 => new ShardPlan(width, height, 45 + random.Next(29), 8),
            _ => new ShardPlan(width, height, 1, 512),
        };
    }
}
