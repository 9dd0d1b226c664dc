using System.Numerics;
using System.Runtime.CompilerServices;

namespace EditorBridge.Training.Scenes;

/// <summary>One frame: red, green and blue planes of display values in [0, 1], rows from the top.</summary>
public sealed class Picture
{
    /// <summary>A black picture.</summary>
    public Picture(int width, int height)
    {
        (Width, Height) = (width, height);
        Pixels = new Vector3[width * height];
    }

    /// <summary>Pixels across.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Colours, row by row.</summary>
    public Vector3[] Pixels { get; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Blend(int index, Vector3 colour, float alpha) =>
        Pixels[index] += (colour - Pixels[index]) * alpha;

    /// <summary>Writes the frame as planes [3, H, W] in [-1, 1].</summary>
    /// <param name="target">Receives 3·H·W values, planes <paramref name="planeStride"/> apart.</param>
    /// <param name="planeStride">Distance between the planes.</param>
    public void CopyTo(Span<float> target, int planeStride)
    {
        for (int i = 0; i < Pixels.Length; i++)
        {
            var c = Vector3.Clamp(Pixels[i], Vector3.Zero, Vector3.One) * 2 - Vector3.One;
            target[i] = c.X;
            target[planeStride + i] = c.Y;
            target[2 * planeStride + i] = c.Z;
        }
    }
}
