namespace EditorBridge.Models.Configs;

/// <summary>
/// How one side of a picture is cut into tiles that overlap, and how they are blended into one again: across each overlap's middle half one fades out as the next
/// fades in. What lies nearer to a tile's edge, where the network sees least of the surroundings, is not used.
/// </summary>
/// <remarks>In latents. Tiles are of one length and overlap by at least a quarter of the longest allowed; a side that one tile spans is not cut.</remarks>
public sealed class TileAxis
{
    private const int OverlapPart = 4;

    private readonly long[] starts;

    private TileAxis(long[] starts, long length) => (this.starts, Length) = (starts, length);

    /// <summary>Latents of each tile.</summary>
    public long Length { get; }

    /// <summary>How many tiles there are.</summary>
    public int Count => starts.Length;

    /// <summary>Cuts a side.</summary>
    /// <param name="side">Latents of the side.</param>
    /// <param name="longest">Most latents of a tile, at least 4; 0 for a side that is not cut.</param>
    public static TileAxis Of(long side, int longest)
    {
        if (longest == 0 || side <= longest) return new([0], side);
        ArgumentOutOfRangeException.ThrowIfLessThan(longest, OverlapPart);
        long overlap = longest / OverlapPart;
        var count = Up(side - overlap, longest - overlap);
        // As short as that number of tiles may be.
        var length = Up(side + ((count - 1) * overlap), count);
        return new([.. Enumerable.Range(0, (int)count).Select(tile => tile * (side - length) / (count - 1))], length);
    }

    /// <summary>First latent of a tile.</summary>
    /// <param name="tile">From 0.</param>
    public long Start(int tile) => starts[tile];

    /// <summary>What each part of a tile counts for in the whole; of all tiles together one everywhere.</summary>
    /// <param name="tile">From 0.</param>
    /// <param name="parts">Parts of a latent: the pixels it stands for, or 1.</param>
    /// <returns>One for each part of the tile, in order.</returns>
    public float[] Weights(int tile, int parts)
    {
        var weights = new float[Length * parts];
        for (var i = 0; i < weights.Length; i++)
        {
            var at = (starts[tile] * parts) + i + 0.5;
            weights[i] = (float)(Risen(tile - 1, at, parts) * (1 - Risen(tile, at, parts)));
        }

        return weights;
    }

    // How far the tile behind has taken over from a tile.
    private double Risen(int tile, double at, int parts)
    {
        if (tile < 0) return 1;
        if (tile == Count - 1) return 0;
        var (from, to) = (starts[tile + 1] * parts, (starts[tile] + Length) * parts);
        var half = (to - from) / 4.0;
        return Math.Clamp((at - ((from + to) / 2.0) + half) / (2 * half), 0, 1);
    }

    private static long Up(long value, long divisor) => (value + divisor - 1) / divisor;
}
