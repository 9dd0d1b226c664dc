using System.Numerics;

namespace EditorBridge.Training.Scenes;

/// <summary>
/// Draws a scene at any time, size and aspect. Scenes go on in both directions of time, so that what comes before and
/// after a clip can be rendered too; time 0 is the middle of the action.
/// </summary>
public static class SceneRenderer
{
    /// <summary>One frame.</summary>
    /// <param name="scene">What to draw.</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Rows.</param>
    /// <param name="time">Seconds from the middle of the action.</param>
    public static Picture Render(Scene scene, int width, int height, double time) => Render(scene, width, height, time, 0, 0, width, height);

    /// <summary>A part of one frame: the same pixels that a crop of the whole frame has.</summary>
    public static Picture Render(Scene scene, int width, int height, double time, int left, int top, int partWidth, int partHeight)
    {
        var random = SeededRandom.For(scene.Seed, 1);
        float t = (float)time;
        uint seed = (uint)(scene.Seed ^ (scene.Seed >> 32));
        float pan = random.Between(0.24, 0.34), tilt = random.Between(0.13, 0.19), rate = random.Between(0.20, 0.28);
        float horizon = random.Between(-0.14, -0.02);
        float near = scene.Subject == Subject.None
            ? scene.Shot switch { ShotSize.Wide => 0.7f, ShotSize.Medium => 1.15f, _ => 2.0f }
            : scene.Shot switch { ShotSize.Wide => 0.95f, ShotSize.Medium => 1.05f, _ => 1.15f };
        float panX = scene.Camera switch { CameraMove.PanLeft => -pan * t, CameraMove.PanRight => pan * t, _ => 0 };
        // A tilt comes to rest before it leaves the scene.
        float panY = scene.Camera switch { CameraMove.TiltUp => 1, CameraMove.TiltDown => -1, _ => 0 } * 0.45f * MathF.Tanh(tilt * t / 0.45f);
        float zoom = near * MathF.Exp(scene.Camera switch { CameraMove.ZoomIn => rate, CameraMove.ZoomOut => -rate, _ => 0 } * Math.Clamp(t, -4, 4));
        var view = new View(width, height, panX, panY, zoom, left, top);
        var light = Lighting.For(scene, random);
        var picture = new Picture(partWidth, partHeight);
        SkyPainter.Paint(picture, view, light, horizon, t, seed);
        if (scene.Setting == Setting.City)
        {
            CityPainter.Paint(picture, view, light, horizon, seed);
        }
        else
        {
            new LandPainter(picture, view, light, horizon, t, seed).Paint(scene.Setting);
        }

        if (scene.Subject != Subject.None)
        {
            new SubjectPainter(picture, view, light, scene, horizon, t, random).Paint();
        }

        WeatherPainter.Paint(picture, view, light, scene.Weather, horizon, t, seed + 5000);
        Vignette(picture, view);
        return picture;
    }

    /// <summary>Frames as one block [3, F, H, W] in [-1, 1].</summary>
    /// <param name="scene">What to draw.</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Rows.</param>
    /// <param name="frames">How many.</param>
    /// <param name="start">Time of the first frame, in seconds.</param>
    /// <param name="framesPerSecond">Rate; the canvas has 24.</param>
    public static float[] RenderClip(Scene scene, int width, int height, int frames, double start, double framesPerSecond = 24)
    {
        int plane = width * height;
        var clip = new float[3 * frames * plane];
        for (int f = 0; f < frames; f++)
        {
            Render(scene, width, height, start + f / framesPerSecond).CopyTo(clip.AsSpan(f * plane), frames * plane);
        }

        return clip;
    }

    private static void Vignette(Picture picture, View view)
    {
        for (int row = 0; row < picture.Height; row++)
        {
            float v = (row + view.Top + 0.5f) / view.Height * 2 - 1;
            for (int column = 0; column < picture.Width; column++)
            {
                float u = (column + view.Left + 0.5f) / view.Width * 2 - 1;
                ref var c = ref picture.Pixels[row * picture.Width + column];
                c = Vector3.Clamp(c * (1 - 0.07f * (u * u + v * v)), Vector3.Zero, Vector3.One);
            }
        }
    }
}
