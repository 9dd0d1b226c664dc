using System.Numerics;
using static EditorBridge.Training.Scenes.View;

namespace EditorBridge.Training.Scenes;

/// <summary>Colours of sky, light and air for a time of day and weather.</summary>
internal sealed class Lighting
{
    private Lighting()
    {
    }

    public Vector3 Zenith { get; private init; }

    public Vector3 Middle { get; private init; }

    public Vector3 Horizon { get; private init; }

    /// <summary>What a white surface looks like.</summary>
    public Vector3 Light { get; private init; }

    public Vector3 Sun { get; private init; }

    public Vector3 CloudLight { get; private init; }

    public Vector3 CloudShade { get; private init; }

    public Vector3 Fog { get; private init; }

    /// <summary>Share of the air's colour at the far end; 0..1.</summary>
    public float Haze { get; private init; }

    public float SunVisible { get; private init; }

    public float Stars { get; private init; }

    public float CloudCover { get; private init; }

    /// <summary>-1 from the left, 1 from the right.</summary>
    public float SunSide { get; private init; }

    public float SunHeight { get; private init; }

    public bool Night { get; private init; }

    public bool SnowOnGround { get; private init; }

    public static Lighting For(Scene scene, SeededRandom random)
    {
        var (zenith, middle, horizon, light, sun) = scene.Time switch
        {
            TimeOfDay.Dawn => (Rgb(0.45f, 0.58f, 0.82f), Rgb(0.80f, 0.74f, 0.86f), Rgb(1.0f, 0.84f, 0.80f), Rgb(0.90f, 0.82f, 0.88f), Rgb(1, 0.95f, 0.86f)),
            TimeOfDay.Noon => (Rgb(0.16f, 0.42f, 0.84f), Rgb(0.38f, 0.65f, 0.95f), Rgb(0.74f, 0.88f, 0.98f), Rgb(1.0f, 1.0f, 0.97f), Rgb(1, 1, 0.93f)),
            TimeOfDay.Sunset => (Rgb(0.30f, 0.19f, 0.42f), Rgb(0.86f, 0.36f, 0.32f), Rgb(1.0f, 0.68f, 0.26f), Rgb(0.92f, 0.58f, 0.42f), Rgb(1, 0.83f, 0.45f)),
            _ => (Rgb(0.015f, 0.03f, 0.10f), Rgb(0.05f, 0.08f, 0.20f), Rgb(0.12f, 0.17f, 0.33f), Rgb(0.26f, 0.31f, 0.48f), Rgb(0.93f, 0.95f, 1)),
        };
        bool night = scene.Time == TimeOfDay.Night;
        // Lit tops and shaded bases stand off from the sky on both sides, or nobody sees that there are clouds.
        var (cloudLight, cloudShade) = scene.Time switch
        {
            TimeOfDay.Dawn => (Rgb(1.0f, 0.93f, 0.88f), Rgb(0.56f, 0.53f, 0.68f)),
            TimeOfDay.Noon => (Rgb(1.0f, 1.0f, 1.0f), Rgb(0.70f, 0.77f, 0.87f)),
            TimeOfDay.Sunset => (Rgb(1.0f, 0.78f, 0.48f), Rgb(0.42f, 0.21f, 0.34f)),
            _ => (Rgb(0.34f, 0.38f, 0.50f), Rgb(0.13f, 0.16f, 0.26f)),
        };
        // An overcast sky keeps a trace of the hour's tint.
        Vector3 Grey(Vector3 c, float strength, float gain)
        {
            float y = 0.3f * c.X + 0.59f * c.Y + 0.11f * c.Z;
            return Mix(c, new Vector3(y, y, y * 1.03f), strength) * gain;
        }

        float cover = 0, haze = 0.32f, visible = 1;
        switch (scene.Weather)
        {
            case Weather.Clear:
                break;
            case Weather.Clouds:
                cover = random.Between(0.66, 0.76);
                visible = 0.8f;
                break;
            case Weather.Rain:
                (zenith, middle, horizon) = (Grey(zenith, 0.7f, 0.62f), Grey(middle, 0.7f, 0.62f), Grey(horizon, 0.6f, 0.66f));
                light = Grey(light, 0.45f, 0.68f);
                (cloudLight, cloudShade) = (Grey(cloudLight, 0.7f, 0.62f), Grey(cloudShade, 0.7f, 0.5f));
                (cover, haze, visible) = (0.8f, 0.6f, 0);
                break;
            case Weather.Snow:
                (zenith, middle, horizon) = (Grey(zenith, 0.65f, night ? 1.2f : 1.0f), Grey(middle, 0.65f, 1.0f), Grey(horizon, 0.55f, 0.95f));
                light = Grey(light, 0.35f, 0.95f);
                (cloudLight, cloudShade) = (Grey(cloudLight, 0.6f, 0.95f), Grey(cloudShade, 0.6f, 1.0f));
                (cover, haze, visible) = (0.7f, 0.55f, 0.06f);
                break;
            default:
                (zenith, middle, horizon) = (Grey(Mix(zenith, horizon, 0.7f), 0.4f, 0.93f), Grey(Mix(middle, horizon, 0.8f), 0.4f, 0.93f), Grey(horizon, 0.4f, 0.93f));
                if (night)
                {
                    horizon = middle = Rgb(0.26f, 0.29f, 0.38f);
                }

                light = Grey(light, 0.35f, 0.92f);
                (haze, visible) = (0.96f, 0.12f);
                break;
        }

        float side = random.Chance(0.5) ? 1 : -1;
        return new Lighting
        {
            Zenith = zenith, Middle = middle, Horizon = horizon, Light = light, Sun = sun,
            CloudLight = cloudLight, CloudShade = cloudShade,
            Fog = Mix(horizon, middle, 0.25f), Haze = haze, SunVisible = visible,
            Stars = night ? scene.Weather switch { Weather.Clear => 1, Weather.Clouds => 0.6f, _ => 0 } : 0,
            CloudCover = cover, SunSide = side * random.Between(0.25, 0.62),
            SunHeight = scene.Time switch { TimeOfDay.Noon => random.Between(0.34, 0.5), TimeOfDay.Night => random.Between(0.22, 0.4), _ => random.Between(0.03, 0.13) },
            Night = night, SnowOnGround = scene.Weather == Weather.Snow,
        };
    }

    /// <summary>The colour of a surface in this light, seen through the air at a depth of 0 (near) to 1 (far).</summary>
    public Vector3 Lit(Vector3 surface, float depth)
    {
        var lit = surface * Light;
        return Mix(lit, Fog, Math.Clamp(depth * Haze, 0, 1));
    }
}
