namespace EditorBridge.Training.Measure;

/// <summary>Differences between frames of clips [3, F, H, W] in [-1, 1]; results on the scale 0..1 of display values.</summary>
internal static class VideoComparison
{
    /// <summary>Mean absolute difference of frame <paramref name="i"/> of one clip and frame <paramref name="j"/> of another.</summary>
    public static double Between(float[] a, int i, float[] b, int j, int plane)
    {
        int framesA = a.Length / (3 * plane), framesB = b.Length / (3 * plane);
        double sum = 0;
        for (int c = 0; c < 3; c++)
        {
            int p = (c * framesA + i) * plane, q = (c * framesB + j) * plane;
            for (int k = 0; k < plane; k++)
            {
                sum += Math.Abs(a[p + k] - b[q + k]);
            }
        }

        return sum / (6.0 * plane);
    }

    /// <summary>Mean difference of neighbours among frames first..last.</summary>
    public static double Motion(float[] clip, int first, int last, int plane)
    {
        double sum = 0;
        for (int f = first; f < last; f++)
        {
            sum += Between(clip, f, clip, f + 1, plane);
        }

        return sum / Math.Max(1, last - first);
    }

    /// <summary>Frames first..first+count-1 as a clip of their own.</summary>
    public static float[] Cut(float[] clip, int plane, int first, int count, bool reversed = false)
    {
        int frames = clip.Length / (3 * plane);
        var part = new float[3 * count * plane];
        for (int c = 0; c < 3; c++)
        {
            for (int f = 0; f < count; f++)
            {
                Array.Copy(clip, (c * frames + first + (reversed ? count - 1 - f : f)) * plane, part, (c * count + f) * plane, plane);
            }
        }

        return part;
    }

    /// <summary>Mean difference of the blend of two frames, <paramref name="share"/> of the second, and a third.</summary>
    public static double BetweenBlend(float[] a, int i, float[] b, int j, double share, float[] truth, int k, int plane)
    {
        int framesA = a.Length / (3 * plane), framesB = b.Length / (3 * plane), framesT = truth.Length / (3 * plane);
        double sum = 0;
        for (int c = 0; c < 3; c++)
        {
            int p = (c * framesA + i) * plane, q = (c * framesB + j) * plane, r = (c * framesT + k) * plane;
            for (int n = 0; n < plane; n++)
            {
                sum += Math.Abs(a[p + n] * (1 - share) + b[q + n] * share - truth[r + n]);
            }
        }

        return sum / (6.0 * plane);
    }
}
