using System.Numerics;

namespace EditorBridge.Training.Scenes;

/// <summary>The two shapes landscapes are built from: silhouettes and the ground plane.</summary>
internal static class Layers
{
    /// <summary>Distance of the subject's ground line below the horizon; ground there has a scale of 1.</summary>
    public const float SubjectDrop = 0.24f;

    /// <summary>Colour of a silhouette at a world place, <c>below</c> its edge by that much.</summary>
    public delegate Vector3 SilhouetteColour(float x, float y, float below);

    /// <summary>Colour of the ground at X (sideways, subject units) and Z (depth, 1 at the subject, grows towards the horizon).</summary>
    public delegate Vector3 GroundColour(float x, float z, float drop);

    /// <summary>Fills everything between a height curve and a base line.</summary>
    public static void Silhouette(Picture picture, View view, float parallax, float bottom, Func<float, float> height, SilhouetteColour colour, int samples = 2)
    {
        Span<float> tops = stackalloc float[samples];
        int end = Math.Min(picture.Height - 1, (int)MathF.Ceiling(view.Row(bottom)));
        for (int column = 0; column < picture.Width; column++)
        {
            float highest = float.MinValue, lowest = float.MaxValue;
            for (int s = 0; s < samples; s++)
            {
                tops[s] = height(view.X(column - 0.5f + (s + 0.5f) / samples, parallax));
                highest = MathF.Max(highest, tops[s]);
                lowest = MathF.Min(lowest, tops[s]);
            }

            if (highest <= bottom)
            {
                continue;
            }

            float x = view.X(column, parallax), mean = 0.5f * (highest + lowest);
            for (int row = Math.Max(0, (int)view.Row(highest)); row <= end; row++)
            {
                float y = view.Y(row), cover = 0;
                for (int s = 0; s < samples; s++)
                {
                    cover += Math.Clamp((tops[s] - y) / view.Pixel + 0.5f, 0, 1);
                }

                cover *= Math.Clamp((y - bottom) / view.Pixel + 0.5f, 0, 1) / samples;
                if (cover > 0)
                {
                    picture.Blend(row * picture.Width + column, colour(x, y, mean - y), cover);
                }
            }
        }
    }

    /// <summary>Fills everything below the horizon in perspective.</summary>
    public static void Ground(Picture picture, View view, float horizon, GroundColour colour)
    {
        int first = Math.Max(0, (int)view.Row(horizon));
        for (int row = first; row < picture.Height; row++)
        {
            float drop = horizon - view.Y(row);
            float cover = Math.Clamp(drop / view.Pixel + 0.5f, 0, 1);
            drop = MathF.Max(drop, view.Pixel * 0.5f);
            float z = SubjectDrop / drop;
            for (int column = 0; column < picture.Width; column++)
            {
                float x = view.X(column, 0) * z + view.PanX;
                picture.Blend(row * picture.Width + column, colour(x, z, drop), cover);
            }
        }
    }

    /// <summary>Contrast left of a texture of the given period (in ground units) at depth z, sampled at this pixel size.</summary>
    public static float Detail(float period, float z, float pixel) => Math.Clamp(period / (z * pixel * 3) - 0.4f, 0, 1);
}
