using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Wan;

/// <summary>
/// Rotary position embedding on three axes (Su et al., "RoFormer", 2021; axes as in Wan): neighbouring channel pairs turn by an angle that
/// grows with the position in time, then row, then column. Time positions may be fractions.
/// </summary>
public static class RotaryPositions
{
    private const double Base = 10000;

    /// <summary>The unit complex number of every token and channel pair. Angles are computed in float64.</summary>
    /// <param name="grids">Per segment: time position of each latent frame, in latent frames; rows and columns of tokens.</param>
    /// <param name="headDim">Channels of a head.</param>
    /// <param name="device">Where the table is wanted.</param>
    /// <returns>complex64 [tokens, 1, headDim / 2]; tokens in the order segment, frame, row, column.</returns>
    public static Tensor Table(IReadOnlyList<(IReadOnlyList<double> Times, long Rows, long Columns)> grids, int headDim, Device device)
    {
        using var scope = NewDisposeScope();
        var side = 2 * (headDim / 6);
        var parts = grids.Select(grid =>
        {
            var (f, h, w) = (grid.Times.Count, grid.Rows, grid.Columns);
            var time = Angles(tensor(grid.Times.ToArray()), headDim - 2 * side).view(f, 1, 1, -1).expand(f, h, w, -1);
            var row = Angles(arange(h, dtype: float64), side).view(1, h, 1, -1).expand(f, h, w, -1);
            var column = Angles(arange(w, dtype: float64), side).view(1, 1, w, -1).expand(f, h, w, -1);
            return cat([time, row, column], -1).view(f * h * w, 1, headDim / 2);
        });
        var angles = cat(parts.ToArray());
        return complex(angles.cos().to(float32), angles.sin().to(float32)).to(device).MoveToOuterDisposeScope();
    }

    /// <summary>Turns queries or keys.</summary>
    /// <param name="x">float32 [B, tokens, heads · headDim].</param>
    /// <param name="table">From <see cref="Table"/>.</param>
    /// <param name="heads">Number of heads.</param>
    /// <returns>float32 [B, tokens, heads, headDim].</returns>
    public static Tensor Rotate(Tensor x, Tensor table, int heads)
    {
        using var scope = NewDisposeScope();
        var pairs = x.view(x.shape[0], x.shape[1], heads, -1, 2).view_as_complex(); // [B, L, heads, d/2]
        return (pairs * table).view_as_real().flatten(3).MoveToOuterDisposeScope();
    }

    private static Tensor Angles(Tensor positions, int width) // [n] → [n, width / 2]
    {
        var frequencies = (arange(0, width, 2, dtype: float64) * (-Math.Log(Base) / width)).exp();
        return outer(positions, frequencies);
    }
}
