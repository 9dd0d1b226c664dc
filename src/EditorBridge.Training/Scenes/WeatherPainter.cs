using System.Numerics;
using static EditorBridge.Training.Scenes.View;

namespace EditorBridge.Training.Scenes;

/// <summary>What falls or hangs between the camera and the scene.</summary>
internal static class WeatherPainter
{
    public static void Paint(Picture picture, View view, Lighting light, Weather weather, float horizon, float time, uint seed)
    {
        switch (weather)
        {
            case Weather.Rain:
                Rain(picture, view, light, time, seed);
                break;
            case Weather.Snow:
                Snow(picture, view, light, time, seed);
                break;
            case Weather.Fog:
                Mist(picture, view, light, horizon, time, seed);
                break;
        }
    }

    private static void Rain(Picture picture, View view, Lighting light, float time, uint seed)
    {
        float width = 2 * view.HalfWidth, height = 2 * view.HalfHeight;
        int count = (int)(90 * width * height);
        var colour = Mix(light.Light, Vector3.One, 0.35f);
        for (int i = 0; i < count; i++)
        {
            float near = Noise.Unit(i, seed + 1);
            float speed = 1.5f + 1.1f * near, length = 0.045f + 0.05f * near;
            float fall = time * speed + Noise.Unit(i, seed + 2) * 3;
            int round = (int)MathF.Floor(fall / (height + 0.2f));
            float y = view.HalfHeight + 0.1f - (fall - round * (height + 0.2f));
            float x = Wrap(Noise.Unit(i, round, seed + 3) * width - view.PanX * (0.4f + 0.6f * near) + y * 0.12f, width) - view.HalfWidth;
            float alpha = 0.22f + 0.26f * near;
            float top = (view.HalfHeight - y) / view.Pixel - view.Top, rows = length / view.Pixel, lean = 0.12f;
            for (int r = Math.Max(0, (int)top); r < Math.Min(picture.Height, top + rows); r++)
            {
                float column = (x + view.HalfWidth) / view.Pixel - view.Left - (r - top) * lean;
                int c = (int)MathF.Floor(column);
                float part = column - c, fade = alpha * Math.Clamp(MathF.Min(r - top + 1, top + rows - r) / (rows * 0.3f), 0, 1);
                if (c >= 0 && c < picture.Width)
                {
                    picture.Blend(r * picture.Width + c, colour, fade * (1 - part));
                }

                if (c >= -1 && c < picture.Width - 1)
                {
                    picture.Blend(r * picture.Width + c + 1, colour, fade * part);
                }
            }
        }
    }

    private static void Snow(Picture picture, View view, Lighting light, float time, uint seed)
    {
        float width = 2 * view.HalfWidth, height = 2 * view.HalfHeight;
        int count = (int)(70 * width * height);
        var colour = Mix(light.Light, Vector3.One, 0.6f);
        for (int i = 0; i < count; i++)
        {
            float near = Noise.Unit(i, seed + 1);
            near *= near;
            float radius = 0.0045f + 0.008f * near, speed = 0.16f + 0.26f * near;
            float fall = time * speed + Noise.Unit(i, seed + 2) * height;
            float y = view.HalfHeight - Wrap(fall - view.PanY * (0.3f + near), height + 0.04f) + 0.02f;
            float sway = 0.03f * MathF.Sin(time * (1 + near) + i);
            float x = Wrap(Noise.Unit(i, seed + 3) * width + sway - view.PanX * (0.3f + 0.7f * near), width + 0.04f) - view.HalfWidth - 0.02f;
            float cx = (x + view.HalfWidth) / view.Pixel - view.Left, cy = (view.HalfHeight - y) / view.Pixel - view.Top, r = MathF.Max(0.6f, radius / view.Pixel);
            for (int row = Math.Max(0, (int)(cy - r - 1)); row <= Math.Min(picture.Height - 1, cy + r + 1); row++)
            {
                for (int column = Math.Max(0, (int)(cx - r - 1)); column <= Math.Min(picture.Width - 1, cx + r + 1); column++)
                {
                    float d = MathF.Sqrt((column + 0.5f - cx) * (column + 0.5f - cx) + (row + 0.5f - cy) * (row + 0.5f - cy));
                    float cover = Math.Clamp((r - d) / 1.2f + 0.5f, 0, 1);
                    picture.Blend(row * picture.Width + column, colour, 0.88f * cover);
                }
            }
        }
    }

    private static void Mist(Picture picture, View view, Lighting light, float horizon, float time, uint seed)
    {
        for (int row = 0; row < picture.Height; row++)
        {
            float y = view.Y(row);
            float band = 0.30f + 0.45f * MathF.Exp(-6 * MathF.Abs(y - horizon - 0.02f));
            for (int column = 0; column < picture.Width; column++)
            {
                float x = view.X(column, 0.5f);
                float wisp = Noise.Fractal(x * 1.6f + time * 0.10f, y * 4 - time * 0.02f, 2, seed);
                picture.Blend(row * picture.Width + column, light.Fog, Math.Clamp(band * (0.65f + 0.7f * wisp), 0, 0.95f));
            }
        }
    }

    private static float Wrap(float v, float period) => v - MathF.Floor(v / period) * period;
}
