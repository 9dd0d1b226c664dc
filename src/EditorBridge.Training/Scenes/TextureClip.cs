using System.Numerics;

namespace EditorBridge.Training.Scenes;

/// <summary>
/// Moving pictures with the statistics of photographs, so that the video autoencoder survives real footage: dead leaves
/// (Lee, Mumford, Huang 2001: occluding shapes with power-law sizes), 1/f noise and gradients, each in layered motion with light
/// that changes slowly.
/// </summary>
public static class TextureClip
{
    private readonly record struct Leaf(float X, float Y, float Size, float Squash, float Turn, Vector3 Colour, Vector3 Shade, float Grain, float VelocityX, float VelocityY, bool Box);

    /// <summary>A clip [3, F, H, W] in [-1, 1].</summary>
    /// <param name="random">Decides everything.</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Rows.</param>
    /// <param name="frames">How many, at 24 a second.</param>
    public static float[] Render(SeededRandom random, int width, int height, int frames)
    {
        int plane = width * height, kind = random.Next(4);
        var clip = new float[3 * frames * plane];
        uint seed = (uint)random.NextBits();
        var leaves = kind < 2 ? Leaves(random) : [];
        Vector3 a = Colour(random), b = Colour(random), c = Colour(random);
        float angle = random.Between(0, 6.28), speedX = (float)random.NextNormal() * 0.15f, speedY = (float)random.NextNormal() * 0.08f;
        float zoom = (float)random.NextNormal() * 0.12f, detail = random.Between(1.2, 3.5), change = random.Between(0, 0.5), film = random.Chance(0.3) ? random.Between(0.005, 0.03) : 0;
        float exposure = (float)random.NextNormal() * 0.08f;
        for (int f = 0; f < frames; f++)
        {
            float t = f / 24f, scale = MathF.Exp(zoom * t), gain = 1 + exposure * t;
            var picture = new Picture(width, height);
            float pixel = 1f / (height * scale);
            for (int row = 0; row < height; row++)
            {
                for (int column = 0; column < width; column++)
                {
                    float x = (column - width * 0.5f) * pixel + speedX * t, y = (row - height * 0.5f) * pixel + speedY * t;
                    picture.Pixels[row * width + column] = Base(kind, x, y, t, a, b, c, angle, detail, change, seed);
                }
            }

            foreach (var leaf in leaves)
            {
                Paint(picture, leaf, pixel, t, speedX, speedY, seed);
            }

            for (int i = 0; i < plane; i++)
            {
                ref var p = ref picture.Pixels[i];
                p *= gain;
                if (film > 0)
                {
                    p += new Vector3(film * (Noise.Unit(i, f, seed + 77) + Noise.Unit(i, f, seed + 78) - 1) * 1.7f);
                }
            }

            picture.CopyTo(clip.AsSpan(f * plane), frames * plane);
        }

        return clip;
    }

    private static Vector3 Base(int kind, float x, float y, float t, Vector3 a, Vector3 b, Vector3 c, float angle, float detail, float change, uint seed)
    {
        if (kind == 3)
        {
            float u = x * MathF.Cos(angle) + y * MathF.Sin(angle);
            float wave = 0.5f + 0.5f * MathF.Sin(u * detail * 2 + t * change * 3), blob = Noise.Value(x * detail + t * change, y * detail, seed);
            return View.Mix(View.Mix(a, b, wave), c, blob * 0.7f);
        }

        // 1/f noise: each octave half the strength at twice the frequency, per channel mixture.
        float n1 = Noise.Fractal(x * detail + 7, y * detail + t * change, 6, seed), n2 = Noise.Fractal(x * detail * 0.8f - t * change, y * detail * 0.8f + 40, 5, seed + 500);
        var mixed = View.Mix(View.Mix(a, b, Noise.Smooth(0.25f, 0.75f, n1)), c, Noise.Smooth(0.35f, 0.8f, n2));
        return mixed * (0.6f + 0.8f * n1);
    }

    private static void Paint(Picture picture, Leaf leaf, float pixel, float t, float speedX, float speedY, uint seed)
    {
        float x = leaf.X - speedX * t * 0.7f + leaf.VelocityX * t, y = leaf.Y - speedY * t * 0.7f + leaf.VelocityY * t;
        float cx = x / pixel + picture.Width * 0.5f, cy = y / pixel + picture.Height * 0.5f, r = leaf.Size / pixel;
        float cos = MathF.Cos(leaf.Turn), sin = MathF.Sin(leaf.Turn);
        for (int row = Math.Max(0, (int)(cy - r * 1.5f)); row <= Math.Min(picture.Height - 1, cy + r * 1.5f); row++)
        {
            for (int column = Math.Max(0, (int)(cx - r * 1.5f)); column <= Math.Min(picture.Width - 1, cx + r * 1.5f); column++)
            {
                float dx = (column + 0.5f - cx) / r, dy = (row + 0.5f - cy) / r;
                float u = dx * cos + dy * sin, v = (dy * cos - dx * sin) / leaf.Squash;
                float distance = leaf.Box ? MathF.Max(MathF.Abs(u), MathF.Abs(v)) - 1 : MathF.Sqrt(u * u + v * v) - 1;
                float cover = Math.Clamp(0.5f - distance * r * leaf.Squash, 0, 1);
                if (cover > 0)
                {
                    float grain = leaf.Grain * (Noise.Fractal(u * 6, v * 6, 2, seed + (uint)(leaf.X * 1e4f)) - 0.5f);
                    picture.Blend(row * picture.Width + column, View.Mix(leaf.Colour, leaf.Shade, Math.Clamp(0.5f + 0.4f * v, 0, 1)) * (1 + grain), cover);
                }
            }
        }
    }

    private static List<Leaf> Leaves(SeededRandom random)
    {
        int count = 25 + random.Next(60);
        List<Leaf> leaves = [];
        float stillness = random.Between(0, 0.25);
        for (int i = 0; i < count; i++)
        {
            // Sizes with density 1/r³ between the limits give scale invariance.
            float u = (float)random.NextDouble(), low = 0.03f, high = 0.5f;
            float size = 1 / MathF.Sqrt(1 / (low * low) + u * (1 / (high * high) - 1 / (low * low)));
            var colour = Colour(random);
            leaves.Add(new Leaf(random.Between(-1.1, 1.1), random.Between(-0.7, 0.7), size, random.Between(0.35, 1), random.Between(0, 3.14), colour,
                View.Mix(colour, Colour(random), 0.35f), random.Chance(0.5) ? random.Between(0, 1.2) : 0, (float)random.NextNormal() * stillness, (float)random.NextNormal() * stillness * 0.6f, random.Chance(0.35)));
        }

        leaves.Sort((p, q) => q.Size.CompareTo(p.Size));
        return leaves;
    }

    // Photographs are mostly dull with some vivid spots.
    private static Vector3 Colour(SeededRandom random)
    {
        float y = random.Between(0.05, 0.95), spread = random.Chance(0.3) ? 0.28f : 0.09f;
        return Vector3.Clamp(new Vector3(y) + spread * new Vector3((float)random.NextNormal(), (float)random.NextNormal(), (float)random.NextNormal()), Vector3.Zero, Vector3.One);
    }
}
