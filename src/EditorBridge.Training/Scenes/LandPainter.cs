using System.Numerics;
using static EditorBridge.Training.Scenes.View;

namespace EditorBridge.Training.Scenes;

/// <summary>Mountains, hills, desert, forest, field and sea.</summary>
internal sealed class LandPainter(Picture picture, View view, Lighting light, float horizon, float time, uint seed)
{
    private static readonly Vector3 White = new(0.95f, 0.96f, 1.0f);
    private readonly float _side = MathF.Sign(light.SunSide);

    public void Paint(Setting setting)
    {
        switch (setting)
        {
            case Setting.Mountains:
                Mountains();
                break;
            case Setting.Hills:
                Hills();
                break;
            case Setting.Desert:
                Desert();
                break;
            case Setting.Forest:
                Forest();
                break;
            case Setting.Field:
                Field();
                break;
            case Setting.Sea:
                Sea();
                break;
        }
    }

    private void Mountains()
    {
        for (int layer = 0; layer < 2; layer++)
        {
            float parallax = layer == 0 ? 0.25f : 0.42f, rise = layer == 0 ? 0.36f : 0.19f, depth = layer == 0 ? 0.75f : 0.45f;
            uint s = seed + 200 + (uint)layer * 31;
            float Height(float x)
            {
                float f = x * (layer == 0 ? 1.5f : 2.3f) + layer * 7.7f;
                float big = 1 - MathF.Abs(2 * Noise.Value(f, s) - 1);
                float detail = Noise.Fractal(f * 4, 3, s + 5) - 0.5f;
                return horizon + rise * (0.22f + 0.95f * big * (0.35f + 0.65f * Noise.Value(f * 0.7f + 3, s + 9)) + 0.34f * detail);
            }

            Layers.Silhouette(picture, view, parallax, horizon - 0.01f, Height, (x, y, below) =>
            {
                // Facets: noise sheared along the slopes, lit from the sun's side.
                float facet = Noise.Fractal(x * 15 + _side * y * 12, y * 7 - x * 3, 3, s + 11);
                float sunny = Noise.Smooth(0.40f, 0.60f, facet);
                var rock = Mix(Rgb(0.27f, 0.28f, 0.34f), Rgb(0.60f, 0.55f, 0.52f), sunny);
                float snow = Noise.Smooth(-0.02f, 0.03f, y - horizon - (light.SnowOnGround ? 0.04f : rise * 0.46f) + 0.11f * (facet - 0.5f) * 2);
                return light.Lit(Mix(rock, Mix(Rgb(0.66f, 0.73f, 0.86f), White, sunny), snow), depth);
            });
        }

        Grass(Rgb(0.34f, 0.48f, 0.26f), Rgb(0.46f, 0.55f, 0.30f), 0.3f);
        Trees(0.55f, horizon - 0.015f, 0.075f, 0.4f, conifers: true, density: 0.5f, 31);
    }

    private void Hills()
    {
        for (int layer = 0; layer < 3; layer++)
        {
            float parallax = 0.25f + 0.2f * layer, rise = 0.24f - 0.07f * layer, depth = 0.75f - 0.25f * layer;
            uint s = seed + 300 + (uint)layer * 17;
            float Height(float x) => horizon - 0.01f * layer + rise * Noise.Fractal(x * (1.1f + 0.5f * layer), 2, s);
            var low = light.SnowOnGround ? Rgb(0.80f, 0.84f, 0.92f) : Mix(Rgb(0.24f, 0.46f, 0.20f), Rgb(0.40f, 0.60f, 0.24f), layer / 2f);
            var high = light.SnowOnGround ? White : Mix(Rgb(0.42f, 0.64f, 0.28f), Rgb(0.58f, 0.74f, 0.32f), layer / 2f);
            // Trees first: the hill hides their feet.
            Trees(parallax, float.NaN, 0.05f, depth, conifers: false, density: 0.22f, 40 + layer, Height);
            Layers.Silhouette(picture, view, parallax, horizon - 0.05f, Height, (x, y, below) =>
            {
                float slope = (Height(x + 0.03f) - Height(x - 0.03f)) / 0.06f * _side;
                float sunny = Math.Clamp(0.55f - 1.1f * slope - 2.0f * below + 0.25f * (Noise.Value(x * 12, y * 25, s + 3) - 0.5f), 0, 1);
                return light.Lit(Mix(low, high, sunny), depth);
            });
        }

        Grass(Rgb(0.36f, 0.58f, 0.22f), Rgb(0.52f, 0.70f, 0.30f), 0.2f);
    }

    private void Desert()
    {
        var sand = light.SnowOnGround ? Rgb(0.90f, 0.89f, 0.90f) : Rgb(0.93f, 0.76f, 0.50f);
        var shade = light.SnowOnGround ? Rgb(0.68f, 0.70f, 0.78f) : Rgb(0.66f, 0.44f, 0.28f);
        for (int layer = 0; layer < 2; layer++)
        {
            float parallax = 0.3f + 0.25f * layer, depth = 0.6f - 0.3f * layer, rise = 0.2f - 0.06f * layer;
            uint s = seed + 400 + (uint)layer * 13;
            // A dune rises slowly and falls quickly: a skewed wave whose crest line runs down its lee side.
            float Crest(float x, out float phase)
            {
                float f = (x * (0.9f + 0.5f * layer) + 0.35f * Noise.Value(x * 1.2f, s)) * 1.0f + Noise.Unit(layer, s);
                phase = f - MathF.Floor(f);
                float size = 0.55f + 0.45f * Noise.Unit((int)MathF.Floor(f), s + 1);
                float profile = phase < 0.66f ? Noise.Smooth(0, 0.66f, phase) : 1 - Noise.Smooth(0.66f, 1, phase);
                return horizon + rise * (0.12f + 0.88f * profile * size);
            }

            Layers.Silhouette(picture, view, parallax, horizon - 0.03f, x => Crest(x, out _), (x, y, below) =>
            {
                Crest(x - (_side * 0.35f) * below, out float phase);
                float lee = Noise.Smooth(0.62f, 0.70f, phase);
                float sunny = _side < 0 ? 1 - lee : 0.25f + 0.75f * lee;
                float ripple = Noise.Value(x * 20, y * 70, s + 2) - 0.5f;
                return light.Lit(Mix(shade, sand, Math.Clamp(sunny + 0.12f * ripple, 0, 1)), depth);
            });
        }

        Layers.Ground(picture, view, horizon, (x, z, drop) =>
        {
            float ripple = (Noise.Value(x * 7 + z * 3, z * 16, seed + 410) - 0.5f) * Layers.Detail(0.1f, z, view.Pixel);
            float broad = Noise.Value(x * 1.2f, z * 1.5f, seed + 411);
            return light.Lit(Mix(shade, sand, Math.Clamp(0.55f + 0.4f * broad + 0.45f * ripple, 0, 1)), MathF.Min(0.6f, 0.12f * z));
        });
        Cacti();
    }

    private void Cacti()
    {
        const float Parallax = 0.62f, Cell = 0.42f;
        float floor = horizon - 0.055f;
        float Height(float x)
        {
            float best = floor - 1;
            int i = (int)MathF.Floor(x / Cell);
            if (Noise.Unit(i, seed + 420) < 0.45f)
            {
                return best;
            }

            float size = 0.09f + 0.07f * Noise.Unit(i, seed + 421);
            float dx = x - (i + 0.3f + 0.4f * Noise.Unit(i, seed + 422)) * Cell;
            float a = MathF.Abs(dx) / size;
            if (a < 0.1f)
            {
                best = floor + size * (1 - 4 * a * a);
            }
            else if (a is > 0.2f and < 0.34f)
            {
                best = floor + size * (dx > 0 ? 0.72f : 0.58f);
            }
            else if (a <= 0.2f)
            {
                best = floor + size * 0.32f;
            }

            return best;
        }

        Layers.Silhouette(picture, view, Parallax, floor, Height, (x, y, below) =>
        {
            // The arms leave the trunk at a height: nothing grows under them.
            return light.Lit(Mix(Rgb(0.14f, 0.30f, 0.14f), Rgb(0.30f, 0.50f, 0.22f), Noise.Value(x * 60, seed + 424)), 0.18f);
        }, 4);
    }

    private void Forest()
    {
        bool conifers = Noise.Unit(1, seed + 500) < 0.6f;
        Trees(0.3f, horizon, 0.17f, 0.7f, conifers, 1, 61);
        Grass(light.SnowOnGround ? White : Rgb(0.22f, 0.34f, 0.15f), light.SnowOnGround ? White : Rgb(0.36f, 0.46f, 0.22f), 0.25f);
        Trees(0.45f, horizon - 0.03f, 0.25f, 0.4f, conifers, 1, 62);
        Trees(0.68f, horizon - 0.09f, 0.40f, 0.15f, conifers, 0.75f, 63);
    }

    private void Field()
    {
        uint s = seed + 600;
        Layers.Silhouette(picture, view, 0.3f, horizon - 0.02f, x => horizon + 0.05f * Noise.Fractal(x * 1.3f, 2, s), (x, y, below) =>
            light.Lit(light.SnowOnGround ? White * 0.93f : Rgb(0.30f, 0.45f, 0.30f), 0.7f));
        Trees(0.35f, horizon, 0.06f, 0.55f, conifers: false, density: 0.45f, 65);
        var flower = ((int)(Noise.Unit(2, s) * 4)) switch { 0 => Rgb(0.95f, 0.85f, 0.25f), 1 => Rgb(0.90f, 0.35f, 0.40f), 2 => Rgb(0.75f, 0.55f, 0.90f), _ => Rgb(0.98f, 0.96f, 0.92f) };
        var green = Rgb(0.45f, 0.66f, 0.25f);
        var dark = Rgb(0.30f, 0.52f, 0.18f);
        if (light.SnowOnGround)
        {
            (green, dark, flower) = (White, Rgb(0.82f, 0.86f, 0.94f), Rgb(0.80f, 0.78f, 0.70f));
        }

        Layers.Ground(picture, view, horizon, (x, z, drop) =>
        {
            // Rows run away from the camera; flowers stand on a jittered grid.
            float rows = 0.5f + 0.5f * MathF.Sin(x * 13) * Layers.Detail(0.4f, z, view.Pixel);
            float tuft = (Noise.Value(x * 14, z * 22, s + 2) - 0.5f) * Layers.Detail(0.07f, z, view.Pixel);
            var c = Mix(dark, green, Math.Clamp(rows + 0.8f * tuft, 0, 1));
            float fx = x * 9, fz = MathF.Log(z) * 24;
            int i = (int)MathF.Floor(fx), j = (int)MathF.Floor(fz);
            float ox = fx - i - 0.25f - 0.5f * Noise.Unit(i, j, s + 5), oz = fz - j - 0.25f - 0.5f * Noise.Unit(i, j, s + 6);
            float dot = Noise.Unit(i, j, s + 7) < 0.6f ? Noise.Smooth(0.26f, 0.16f, MathF.Sqrt(ox * ox + oz * oz)) * Layers.Detail(0.06f, z, view.Pixel) : 0;
            float carpet = 0.22f * Noise.Smooth(1.3f, 4, z);
            return light.Lit(Mix(c, flower, MathF.Max(dot, carpet)), MathF.Min(0.7f, 0.1f * z));
        });
    }

    private void Sea()
    {
        uint s = seed + 700;
        if (Noise.Unit(3, s) < 0.5f)
        {
            Layers.Silhouette(picture, view, 0.25f, horizon, x => horizon - 0.05f + 0.16f * Noise.Fractal(x * 1.1f + 2, 3, s), (x, y, below) =>
                light.Lit(Mix(Rgb(0.30f, 0.36f, 0.30f), Rgb(0.48f, 0.50f, 0.42f), Noise.Fractal(x * 14, y * 14, 2, s + 1)), 0.7f));
        }

        var deep = Rgb(0.05f, 0.26f, 0.40f) * light.Light;
        float sunX = light.SunSide * MathF.Min(1, view.HalfWidth / 0.89f);
        Layers.Ground(picture, view, horizon, (x, z, drop) =>
        {
            float swell = Noise.Value(x * 2.6f + time * 0.35f, z * 5 + time * 0.9f, s + 2) - 0.5f;
            float wave = Noise.Value(x * 7 - time * 0.5f, z * 15 + time * 1.3f, s + 3) - 0.5f;
            float fine = Noise.Value(x * 19 + time * 0.8f, z * 38 - time * 1.6f, s + 4) - 0.5f;
            float dz = swell * 0.9f + wave * 0.7f * Layers.Detail(0.14f, z, view.Pixel) + fine * 0.35f * Layers.Detail(0.06f, z, view.Pixel);
            var mirrored = SkyPainter.At(light, drop * 1.1f + 0.12f + dz * 0.25f);
            float share = Math.Clamp(0.62f - 0.75f * drop + 0.35f * dz, 0.1f, 0.9f);
            var c = Mix(deep, mirrored * 0.95f, share);
            // The sun's road, broken up by waves.
            float off = ((x - view.PanX) / z - (sunX - view.PanX * 0.12f)) / (0.03f + 0.28f * drop);
            float road = MathF.Exp(-off * off) * light.SunVisible * Noise.Smooth(-0.05f, 0.35f, dz + 0.12f);
            c = Mix(c, light.Sun * (light.Night ? 0.7f : 1), 0.75f * road);
            return Mix(c, light.Fog, Math.Clamp(light.Haze * 0.09f * z, 0, light.Haze * 0.85f));
        });
    }

    private void Grass(Vector3 dark, Vector3 bright, float tilt)
    {
        if (light.SnowOnGround)
        {
            (dark, bright) = (Rgb(0.80f, 0.84f, 0.92f), White);
        }

        Layers.Ground(picture, view, horizon, (x, z, drop) =>
        {
            float broad = Noise.Fractal(x * 1.4f + tilt * z, z * 2.2f, 2, seed + 800);
            float tuft = (Noise.Value(x * 16, z * 26, seed + 801) - 0.5f) * Layers.Detail(0.06f, z, view.Pixel);
            return light.Lit(Mix(dark, bright, Math.Clamp(broad * 1.3f - 0.15f + 0.55f * tuft, 0, 1)), MathF.Min(0.65f, 0.1f * z));
        });
    }

    private void Trees(float parallax, float floor, float size, float depth, bool conifers, float density, int salt, Func<float, float>? ground = null)
    {
        uint s = seed + 900 + (uint)salt * 7;
        float cell = size * (conifers ? 0.42f : 0.62f);
        float Height(float x)
        {
            int here = (int)MathF.Floor(x / cell);
            float best = float.MinValue;
            for (int i = here - 1; i <= here + 1; i++)
            {
                if (Noise.Unit(i, s) > density)
                {
                    continue;
                }

                float centre = (i + 0.2f + 0.6f * Noise.Unit(i, s + 1)) * cell;
                float tall = size * (0.62f + 0.38f * Noise.Unit(i, s + 2));
                float foot = ground is null ? floor : ground(centre) - 0.004f;
                float u = MathF.Abs(x - centre) / tall;
                if (conifers && u < 0.27f)
                {
                    // Branches step outwards on the way down.
                    float v = u / 0.27f * 5;
                    float step = MathF.Floor(v);
                    best = MathF.Max(best, foot + tall * (1 - (step + 0.55f * (v - step)) / 5));
                }
                else if (!conifers && u < 0.36f)
                {
                    float v = u / 0.36f;
                    float lumps = 0.07f * (Noise.Value(x / tall * 9, s + 4) - 0.5f);
                    best = MathF.Max(best, foot + tall * (0.5f + 0.5f * MathF.Sqrt(1 - v * v) + lumps));
                }
            }

            return best;
        }

        var (dark, bright) = conifers ? (Rgb(0.07f, 0.20f, 0.13f), Rgb(0.19f, 0.38f, 0.22f)) : (Rgb(0.12f, 0.28f, 0.09f), Rgb(0.36f, 0.54f, 0.18f));
        float lowest = ground is null ? floor : horizon - 0.02f;
        Layers.Silhouette(picture, view, parallax, lowest, Height, (x, y, below) =>
        {
            float foot = ground is null ? floor : ground(x);
            float leaf = Noise.Fractal(x / size * 5, y / size * 6, 2, s + 6);
            float lit = Math.Clamp(0.5f + 1.6f * (leaf - 0.5f) + 0.35f * (y - foot - size * 0.4f) / size, 0, 1);
            var c = Mix(dark, bright, lit);
            if (light.SnowOnGround)
            {
                c = Mix(c, White, 0.75f * Noise.Smooth(0.45f, 0.7f, leaf));
            }

            return light.Lit(c, depth);
        });
    }
}
