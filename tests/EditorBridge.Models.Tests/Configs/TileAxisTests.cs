using CsCheck;
using EditorBridge.Models.Configs;

namespace EditorBridge.Models.Tests.Configs;

public class TileAxisTests
{
    [Fact]
    public void TilesCoverASideAndCountForOneTogether() =>
        Gen.Select(Gen.Int[1, 200], Gen.Int[4, 64], Gen.Int[0, 2].Select(i => ((int[])[1, 8, 16])[i])).Sample(input =>
        {
            var (side, longest, parts) = input;
            var axis = TileAxis.Of(side, longest);
            Assert.InRange(axis.Length, 1, longest);
            var together = new double[side * parts];
            for (var tile = 0; tile < axis.Count; tile++)
            {
                Assert.InRange(axis.Start(tile), 0, side - axis.Length);
                if (tile > 0) Assert.InRange(axis.Start(tile - 1) + axis.Length - axis.Start(tile), longest / 4, axis.Length - 1);
                var weights = axis.Weights(tile, parts);
                Assert.Equal(axis.Length * parts, weights.Length);
                for (var i = 0; i < weights.Length; i++)
                {
                    Assert.InRange(weights[i], 0, 1);
                    together[(axis.Start(tile) * parts) + i] += weights[i];
                }

                // What lies at an edge that another tile goes on from does not count.
                if (parts == 1) continue;
                if (tile > 0) Assert.Equal(0, weights[0]);
                if (tile < axis.Count - 1) Assert.Equal(0, weights[^1]);
            }

            Assert.All(together, weight => Assert.Equal(1, weight, 1e-6));
        });

    [Fact]
    public void ASideThatFitsIsNotCut()
    {
        Assert.Equal((1, 30L), (TileAxis.Of(30, 0).Count, TileAxis.Of(30, 0).Length));
        Assert.Equal((1, 30L), (TileAxis.Of(30, 30).Count, TileAxis.Of(30, 30).Length));
        Assert.All(TileAxis.Of(30, 30).Weights(0, 8), weight => Assert.Equal(1, weight));
        Assert.Equal((2, 19L), (TileAxis.Of(31, 30).Count, TileAxis.Of(31, 30).Length));
        Assert.Throws<ArgumentOutOfRangeException>(() => TileAxis.Of(31, 3));
    }
}
