using static EditorBridge.Training.Scenes.View;

namespace EditorBridge.Training.Scenes;

/// <summary>Rows of buildings behind a square.</summary>
internal static class CityPainter
{
    public static void Paint(Picture picture, View view, Lighting light, float horizon, uint seed)
    {
        Row(picture, view, light, horizon, seed + 11, parallax: 0.25f, width: 0.085f, low: 0.12f, high: 0.42f, depth: 0.8f, windows: 0.4f);
        Row(picture, view, light, horizon - 0.01f, seed + 12, parallax: 0.42f, width: 0.13f, low: 0.08f, high: 0.36f, depth: 0.5f, windows: 0.8f);
        Layers.Ground(picture, view, horizon, (x, z, drop) =>
        {
            var stone = light.SnowOnGround ? Rgb(0.88f, 0.90f, 0.95f) : Rgb(0.47f, 0.47f, 0.49f);
            float fx = x * 3.2f, fz = z * 4.5f;
            float joint = MathF.Max(Line(fx), Line(fz)) * Layers.Detail(0.2f, z, view.Pixel);
            float grain = 0.10f * (Noise.Value(x * 5, z * 9, seed + 14) - 0.5f);
            return light.Lit(stone * (1 + grain - 0.16f * joint), MathF.Min(0.6f, 0.1f * z));
        });
        Row(picture, view, light, horizon - 0.055f, seed + 13, parallax: 0.62f, width: 0.24f, low: 0.04f, high: 0.30f, depth: 0.22f, windows: 1);
    }

    private static float Line(float t)
    {
        float d = MathF.Abs(t - MathF.Floor(t) - 0.5f);
        return Noise.Smooth(0.44f, 0.5f, d);
    }

    private static void Row(Picture picture, View view, Lighting light, float floor, uint seed, float parallax, float width, float low, float high, float depth, float windows)
    {
        float Height(float x)
        {
            int i = (int)MathF.Floor(x / width);
            float inside = (x / width - i) - 0.5f;
            float tall = low + (high - low) * MathF.Pow(Noise.Unit(i, seed), 1.5f);
            // Some buildings have a narrower top or a gap beside them.
            float kind = Noise.Unit(i, seed + 1);
            if (kind > 0.85f && MathF.Abs(inside) > 0.36f)
            {
                return floor - 1;
            }

            if (kind < 0.35f && MathF.Abs(inside) > 0.3f)
            {
                tall *= 0.8f;
            }

            return floor + tall + (kind is > 0.35f and < 0.45f && MathF.Abs(inside) < 0.04f ? 0.05f : 0);
        }

        float cellX = width * 0.155f, cellY = 0.03f + 0.012f * windows;
        float soft = view.Pixel / cellX;
        Layers.Silhouette(picture, view, parallax, floor, Height, (x, y, below) =>
        {
            int i = (int)MathF.Floor(x / width);
            float inside = x / width - i;
            float tone = Noise.Unit(i, seed + 2);
            var wall = tone switch
            {
                < 0.25f => Rgb(0.62f, 0.55f, 0.50f),
                < 0.5f => Rgb(0.48f, 0.52f, 0.60f),
                < 0.75f => Rgb(0.70f, 0.67f, 0.62f),
                _ => Rgb(0.42f, 0.36f, 0.38f),
            };
            wall *= 0.85f + 0.3f * Noise.Unit(i, seed + 3);
            bool sunny = light.SunSide < 0 ? inside < 0.5f : inside > 0.5f;
            wall *= sunny ? 1.06f : 0.9f;
            float wx = (inside - 0.5f) * width / cellX, wy = (y - floor) / cellY;
            int cx = (int)MathF.Floor(wx), cy = (int)MathF.Floor(wy);
            float dx = MathF.Abs(wx - cx - 0.5f), dy = MathF.Abs(wy - cy - 0.5f);
            float softY = view.Pixel / cellY;
            float pane = Math.Clamp((0.3f - dx) / soft + 0.5f, 0, 1) * Math.Clamp((0.29f - dy) / softY + 0.5f, 0, 1);
            pane *= inside is > 0.07f and < 0.93f && below > 0.008f && cy >= 0 ? windows : 0;
            var c = light.Lit(wall, depth);
            if (pane > 0)
            {
                bool on = Noise.Unit(i * 131 + cx, cy, seed + 5) < (light.Night ? 0.5f : 0.06f);
                var glass = on && light.Night
                    ? Mix(Mix(Rgb(1.0f, 0.82f, 0.45f), Rgb(1, 0.95f, 0.75f), Noise.Unit(cx, cy, seed + 6)), light.Fog, 0.6f * depth * light.Haze)
                    : light.Lit(light.Night ? Rgb(0.25f, 0.28f, 0.35f) : Mix(wall * 0.55f, Rgb(0.55f, 0.68f, 0.82f), 0.45f), depth);
                c = Mix(c, glass, pane);
            }

            return c;
        }, 3);
    }
}
