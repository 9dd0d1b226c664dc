using static TorchSharp.torch;

namespace EditorBridge.Training.Vae;

/// <summary>
/// What the encoder is led to at first: the cosine coefficients of a latent's own block of pixels (4 frames, or one frame repeated,
/// 16x16, in luminance and two colour differences) that vary most over the training data, each brought to unit variance.
/// Left to itself the encoder puts almost all variance into brightness, and the decoder never sees colour and edges well enough to ask for them.
/// </summary>
internal sealed class LatentTarget : IDisposable
{
    private const int Time = 4, Side = 16, Spatial = 6, Temporal = 2;

    private readonly Tensor _kernel; // [z, 3, 4, 16, 16]
    private readonly Tensor _mean, _scale; // [1, z, 1, 1, 1]

    private LatentTarget(Tensor kernel, Tensor mean, Tensor scale) => (_kernel, _mean, _scale) = (kernel, mean, scale);

    /// <summary>Measures which coefficients vary most and keeps the first <paramref name="channels"/>.</summary>
    public static LatentTarget Measure(int channels, ulong seed, int clips = 60)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var all = Coefficients(); // [n, 3, 4, 16, 16]
        var random = SeededRandom.For(seed, 22);
        List<Tensor> values = [];
        for (int i = 0; i < clips; i++)
        {
            const int Frames = 5, Height = 96, Width = 160;
            values.Add(Apply(tensor(VaeClips.Clip(random, Frames, Height, Width), [1, 3, Frames, Height, Width]), all).transpose(0, 1).flatten(1));
        }

        var joined = cat(values, 1); // [n, samples]
        var deviation = joined.std(1);
        var (_, order) = deviation.topk(channels);
        var mean = joined.mean([1]).index_select(0, order).view(1, -1, 1, 1, 1);
        var scale = deviation.index_select(0, order).clamp_min(1e-3).reciprocal().view(1, -1, 1, 1, 1);
        return new LatentTarget(all.index_select(0, order).DetachFromDisposeScope(), mean.DetachFromDisposeScope(), scale.DetachFromDisposeScope());
    }

    /// <summary>The coefficients of a clip [B, 3, 4n+1, H, W]: [B, z, n+1, H/16, W/16].</summary>
    public Tensor Of(Tensor video)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor Here(Tensor t) => t.to(video.device);
        return ((Apply(video, Here(_kernel)) - Here(_mean)) * Here(_scale)).clamp(-6, 6).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _kernel.Dispose();
        _mean.Dispose();
        _scale.Dispose();
    }

    private static Tensor Apply(Tensor video, Tensor kernel)
    {
        using var scope = NewDisposeScope();
        var first = video.narrow(2, 0, 1).expand(-1, -1, Time - 1, -1, -1);
        return nn.functional.conv3d(cat([first, video], 2), kernel, strides: [Time, Side, Side]).MoveToOuterDisposeScope();
    }

    private static Tensor Coefficients()
    {
        double[][] colours = [[0.577, 0.577, 0.577], [0.707, 0, -0.707], [-0.408, 0.816, -0.408]];
        List<float> values = [];
        int count = 0;
        for (int c = 0; c < 3; c++)
        {
            for (int t = 0; t < Temporal; t++)
            {
                for (int v = 0; v < Spatial; v++)
                {
                    for (int u = 0; u < Spatial; u++)
                    {
                        count++;
                        for (int colour = 0; colour < 3; colour++)
                        {
                            for (int f = 0; f < Time; f++)
                            {
                                for (int y = 0; y < Side; y++)
                                {
                                    for (int x = 0; x < Side; x++)
                                    {
                                        values.Add((float)(colours[c][colour] * Cosine(t, f, Time) * Cosine(v, y, Side) * Cosine(u, x, Side)));
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }

        return tensor(values.ToArray(), [count, 3, Time, Side, Side]);
    }

    private static double Cosine(int frequency, int position, int length) =>
        Math.Sqrt((frequency == 0 ? 1.0 : 2.0) / length) * Math.Cos(Math.PI * (position + 0.5) * frequency / length);
}
