using System.Runtime.CompilerServices;

namespace EditorBridge.Training.Scenes;

/// <summary>Hashes and value noise in one and two dimensions; values in [0, 1].</summary>
internal static class Noise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Hash(uint x)
    {
        x ^= x >> 16;
        x *= 0x7FEB352DU;
        x ^= x >> 15;
        x *= 0x846CA68BU;
        return x ^ (x >> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Unit(int x, uint seed) => (Hash(unchecked((uint)x * 0x9E3779B9U) ^ seed) >> 8) * (1f / (1 << 24));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Unit(int x, int y, uint seed) =>
        (Hash(unchecked((uint)x * 0x9E3779B9U + (uint)y * 0x85EBCA6BU) ^ seed) >> 8) * (1f / (1 << 24));

    /// <summary>Smooth noise along a line.</summary>
    public static float Value(float x, uint seed)
    {
        float f = MathF.Floor(x);
        int i = (int)f;
        float t = x - f;
        t = t * t * (3 - 2 * t);
        float a = Unit(i, seed), b = Unit(i + 1, seed);
        return a + (b - a) * t;
    }

    /// <summary>Smooth noise in the plane.</summary>
    public static float Value(float x, float y, uint seed)
    {
        float fx = MathF.Floor(x), fy = MathF.Floor(y);
        int i = (int)fx, j = (int)fy;
        float u = x - fx, v = y - fy;
        u = u * u * (3 - 2 * u);
        v = v * v * (3 - 2 * v);
        float a = Unit(i, j, seed), b = Unit(i + 1, j, seed), c = Unit(i, j + 1, seed), d = Unit(i + 1, j + 1, seed);
        float top = a + (b - a) * u, bottom = c + (d - c) * u;
        return top + (bottom - top) * v;
    }

    /// <summary>Sum of octaves, each half as strong and twice as fine.</summary>
    public static float Fractal(float x, float y, int octaves, uint seed)
    {
        float sum = 0, weight = 0.5f, total = 0;
        for (int o = 0; o < octaves; o++)
        {
            sum += weight * Value(x, y, seed + (uint)o * 101);
            total += weight;
            weight *= 0.5f;
            // The turn hides the grid.
            (x, y) = (1.64f * x + 1.14f * y + 17.3f, -1.14f * x + 1.64f * y + 5.1f);
        }

        return sum / total;
    }

    /// <summary>Sum of octaves along a line.</summary>
    public static float Fractal(float x, int octaves, uint seed)
    {
        float sum = 0, weight = 0.5f, total = 0;
        for (int o = 0; o < octaves; o++)
        {
            sum += weight * Value(x, seed + (uint)o * 101);
            total += weight;
            weight *= 0.5f;
            x = 2.03f * x + 11.7f;
        }

        return sum / total;
    }

    public static float Smooth(float low, float high, float x)
    {
        float t = Math.Clamp((x - low) / (high - low), 0, 1);
        return t * t * (3 - 2 * t);
    }
}
