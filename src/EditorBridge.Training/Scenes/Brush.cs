using System.Numerics;

namespace EditorBridge.Training.Scenes;

/// <summary>Paints antialiased shapes in a subject's own coordinates: origin at its foot, y up, mirrored when it faces left.</summary>
internal sealed class Brush(Picture picture, View view, float x, float y, float size, float facing, Func<Vector3, Vector3> tint)
{
    /// <summary>Signed distance in local units, negative inside.</summary>
    public delegate float Distance(Vector2 p);

    /// <summary>Turn around the origin, in radians.</summary>
    public float Tilt { get; init; }

    public void Fill(Vector2 low, Vector2 high, Distance distance, Func<Vector2, Vector3> colour, float alpha = 1, bool untinted = false)
    {
        float reach = MathF.Max(Vector2.Distance(low, high), 0) * size * (Tilt == 0 ? 0 : 0.5f);
        float left = (facing > 0 ? low.X : -high.X) * size + x - reach, right = (facing > 0 ? high.X : -low.X) * size + x + reach;
        int c0 = Math.Max(0, (int)MathF.Floor(view.Column(left, 1)) - 1), c1 = Math.Min(picture.Width - 1, (int)MathF.Ceiling(view.Column(right, 1)) + 1);
        int r0 = Math.Max(0, (int)MathF.Floor(view.Row(y + high.Y * size + reach)) - 1), r1 = Math.Min(picture.Height - 1, (int)MathF.Ceiling(view.Row(y + low.Y * size - reach)) + 1);
        float scale = size / view.Pixel;
        float cos = MathF.Cos(Tilt), sin = MathF.Sin(Tilt);
        for (int row = r0; row <= r1; row++)
        {
            for (int column = c0; column <= c1; column++)
            {
                float px = (view.X(column, 1) - x) / size, py = (view.Y(row) - y) / size;
                var p = new Vector2(facing * (px * cos + py * sin), py * cos - px * sin);
                float cover = Math.Clamp(0.5f - distance(p) * scale, 0, 1) * alpha;
                if (cover > 0)
                {
                    var c = colour(p);
                    picture.Blend(row * picture.Width + column, untinted ? c : tint(c), cover);
                }
            }
        }
    }

    public void Ellipse(float cx, float cy, float rx, float ry, Func<Vector2, Vector3> colour, float alpha = 1, bool untinted = false) =>
        Fill(new(cx - rx, cy - ry), new(cx + rx, cy + ry), p => ToEllipse(p, cx, cy, rx, ry), colour, alpha, untinted);

    public void Ellipse(float cx, float cy, float rx, float ry, Vector3 colour, float alpha = 1, bool untinted = false) =>
        Ellipse(cx, cy, rx, ry, _ => colour, alpha, untinted);

    public void Box(float x0, float y0, float x1, float y1, float round, Func<Vector2, Vector3> colour, float alpha = 1, bool untinted = false)
    {
        Vector2 centre = new((x0 + x1) / 2, (y0 + y1) / 2), half = new((x1 - x0) / 2 - round, (y1 - y0) / 2 - round);
        Fill(new(x0, y0), new(x1, y1), p =>
        {
            var q = Vector2.Abs(p - centre) - half;
            return Vector2.Max(q, Vector2.Zero).Length() + MathF.Min(MathF.Max(q.X, q.Y), 0) - round;
        }, colour, alpha, untinted);
    }

    public void Box(float x0, float y0, float x1, float y1, float round, Vector3 colour, float alpha = 1, bool untinted = false) =>
        Box(x0, y0, x1, y1, round, _ => colour, alpha, untinted);

    public void Stroke(Vector2 a, Vector2 b, float radius, Vector3 colour)
    {
        Vector2 r = new(radius), ab = b - a;
        Fill(Vector2.Min(a, b) - r, Vector2.Max(a, b) + r, p =>
        {
            float t = Math.Clamp(Vector2.Dot(p - a, ab) / MathF.Max(ab.LengthSquared(), 1e-9f), 0, 1);
            return Vector2.Distance(p, a + ab * t) - radius;
        }, _ => colour);
    }

    /// <summary>A convex polygon, corners in either order.</summary>
    public void Polygon(Func<Vector2, Vector3> colour, params Vector2[] corners)
    {
        Vector2 low = corners[0], high = corners[0], middle = Vector2.Zero;
        foreach (var c in corners)
        {
            (low, high, middle) = (Vector2.Min(low, c), Vector2.Max(high, c), middle + c / corners.Length);
        }

        Fill(low, high, p =>
        {
            float d = float.MinValue;
            for (int i = 0; i < corners.Length; i++)
            {
                Vector2 a = corners[i], edge = corners[(i + 1) % corners.Length] - a;
                var n = Vector2.Normalize(new Vector2(edge.Y, -edge.X));
                n = Vector2.Dot(middle - a, n) > 0 ? -n : n;
                d = MathF.Max(d, Vector2.Dot(p - a, n));
            }

            return d;
        }, colour);
    }

    private static float ToEllipse(Vector2 p, float cx, float cy, float rx, float ry)
    {
        var q = new Vector2((p.X - cx) / rx, (p.Y - cy) / ry);
        float k = q.Length();
        // First-order distance: exact on the outline, where it matters for antialiasing.
        float slope = new Vector2(q.X / rx, q.Y / ry).Length();
        return slope < 1e-6f ? -MathF.Min(rx, ry) : (k - 1) * k / slope;
    }
}
