using System.Numerics;

namespace EditorBridge.Training.Scenes;

/// <summary>
/// The camera at one moment. World units: the height of a 16:9 picture is 1, x to the right, y up, origin in the middle of
/// the unmoved picture. Layers follow a pan by their <c>parallax</c> (0 far away, 1 at the subject).
/// </summary>
internal sealed class View
{
    public View(int width, int height, float panX, float panY, float zoom, int left = 0, int top = 0)
    {
        (Width, Height, PanX, PanY, Left, Top) = (width, height, panX, panY, left, top);
        float aspect = (float)width / height;
        // Upright pictures see less to the sides and more above.
        float span = MathF.Pow(16f / 9 / aspect, 0.4f);
        Pixel = span / (height * zoom);
        HalfWidth = width * Pixel / 2;
        HalfHeight = height * Pixel / 2;
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>First column and row of the part that is drawn.</summary>
    public int Left { get; }

    public int Top { get; }

    public float PanX { get; }

    public float PanY { get; }

    /// <summary>World units per pixel.</summary>
    public float Pixel { get; }

    public float HalfWidth { get; }

    public float HalfHeight { get; }

    public float X(float column, float parallax) => (column + Left + 0.5f) * Pixel - HalfWidth + PanX * parallax;

    public float Y(float row) => HalfHeight - (row + Top + 0.5f) * Pixel + PanY;

    public float Column(float x, float parallax) => (x - PanX * parallax + HalfWidth) / Pixel - 0.5f - Left;

    public float Row(float y) => (HalfHeight - y + PanY) / Pixel - 0.5f - Top;

    public float PanOf(float parallax) => PanX * parallax;

    public static Vector3 Rgb(float r, float g, float b) => new(r, g, b);

    public static Vector3 Mix(Vector3 a, Vector3 b, float t) => a + (b - a) * t;
}
