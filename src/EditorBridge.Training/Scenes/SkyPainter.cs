using System.Numerics;
using static EditorBridge.Training.Scenes.View;

namespace EditorBridge.Training.Scenes;

/// <summary>Sky gradient, sun or moon, stars and drifting clouds.</summary>
internal static class SkyPainter
{
    private const float Parallax = 0.12f;

    public static void Paint(Picture picture, View view, Lighting light, float horizon, float time, uint seed)
    {
        int width = picture.Width;
        float sunX = light.SunSide * MathF.Min(1, view.HalfWidth / 0.89f), sunY = horizon + light.SunHeight;
        float radius = light.Night ? 0.035f : light.SunHeight > 0.3f ? 0.045f : 0.06f;
        int last = Math.Min(picture.Height - 1, (int)view.Row(horizon) + 1);
        for (int row = 0; row <= last; row++)
        {
            float y = view.Y(row);
            var sky = At(light, y - horizon);
            float dy = y - sunY;
            for (int column = 0; column < width; column++)
            {
                float x = view.X(column, Parallax);
                var c = sky;
                float dx = x - sunX, distance = MathF.Sqrt(dx * dx + dy * dy);
                if (light.Stars > 0)
                {
                    c += Vector3.One * (light.Stars * Star(x, y, view.Pixel, seed));
                }

                // Glow falls off slowly and makes low suns warm the sky around them.
                float glow = light.SunVisible * MathF.Exp(-distance * (light.Night ? 9 : 4.5f)) * (light.Night ? 0.35f : 0.55f);
                c = Mix(c, light.Sun, glow);
                float disc = Math.Clamp((radius - distance) / view.Pixel + 0.5f, 0, 1) * light.SunVisible;
                if (disc > 0)
                {
                    var face = light.Night ? light.Sun * (0.86f + 0.14f * Noise.Value(dx * 60 + 9, dy * 60, seed + 3)) : light.Sun;
                    c = Mix(c, face, disc);
                }

                if (light.CloudCover > 0)
                {
                    c = Cloud(c, light, x, y - horizon, time, seed);
                }

                picture.Pixels[row * width + column] = c;
            }
        }
    }

    /// <summary>The plain sky at a height above the horizon.</summary>
    public static Vector3 At(Lighting light, float height)
    {
        float t = Math.Clamp(height / 0.62f, 0, 1.2f);
        return t < 0.4f ? Mix(light.Horizon, light.Middle, Noise.Smooth(0, 0.4f, t)) : Mix(light.Middle, light.Zenith, Noise.Smooth(0.4f, 1.2f, t));
    }

    private static float Star(float x, float y, float pixel, uint seed)
    {
        const float Cell = 0.055f;
        int i = (int)MathF.Floor(x / Cell), j = (int)MathF.Floor(y / Cell);
        if (Noise.Unit(i, j, seed + 71) < 0.55f)
        {
            return 0;
        }

        float cx = (i + 0.15f + 0.7f * Noise.Unit(i, j, seed + 72)) * Cell, cy = (j + 0.15f + 0.7f * Noise.Unit(i, j, seed + 73)) * Cell;
        float size = 0.0025f + 0.003f * Noise.Unit(i, j, seed + 74);
        float d = MathF.Sqrt((x - cx) * (x - cx) + (y - cy) * (y - cy));
        float edge = MathF.Max(pixel, 0.002f);
        return 0.9f * Math.Clamp((size - d) / edge + 0.5f, 0, 1);
    }

    private static Vector3 Cloud(Vector3 sky, Lighting light, float x, float height, float time, uint seed)
    {
        // A flat layer of cloud above the ground, seen in perspective.
        float far = 1 / (MathF.Max(height, 0) + 0.22f);
        float u = x * far * 0.9f + time * 0.07f + 3, v = far * 1.6f;
        float density = Noise.Fractal(u, v, 4, seed + 40);
        float alpha = Noise.Smooth(0.92f - light.CloudCover * 0.78f, 1.12f - light.CloudCover * 0.72f, density);
        if (alpha <= 0)
        {
            return sky;
        }

        float lit = Math.Clamp(0.5f + 3.2f * (density - Noise.Value(u * 2 + 0.35f * MathF.Sign(light.SunSide), v * 2 - 0.5f, seed + 40)), 0, 1);
        float shade = Math.Clamp(0.25f + 0.75f * Noise.Smooth(0.3f, 0.75f, 1 - density) + 0.3f * (lit - 0.5f), 0, 1);
        return Mix(sky, Mix(light.CloudShade, light.CloudLight, shade), alpha * 0.92f);
    }
}
