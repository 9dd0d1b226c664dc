using System.Numerics;
using static EditorBridge.Training.Scenes.View;

namespace EditorBridge.Training.Scenes;

/// <summary>Road or rails, then the subject at its place at a time.</summary>
internal sealed class SubjectPainter
{
    private readonly Picture _picture;
    private readonly View _view;
    private readonly Lighting _light;
    private readonly Scene _scene;
    private readonly float _horizon, _time, _size, _place, _speed, _lane, _phase;
    private readonly Vector3 _paint;

    public SubjectPainter(Picture picture, View view, Lighting light, Scene scene, float horizon, float time, SeededRandom random)
    {
        (_picture, _view, _light, _scene, _horizon, _time) = (picture, view, light, scene, horizon, time);
        float grow = scene.Shot switch { ShotSize.Wide => 0.55f, ShotSize.Medium => 1.1f, _ => 2.0f } * random.Between(0.92, 1.08);
        _size = grow * scene.Subject switch
        {
            Subject.Car => 0.46f, Subject.Boat => 0.34f, Subject.Bird => 0.26f, Subject.Balloon => 0.30f, Subject.Ball => 0.15f, Subject.Person => 0.29f, _ => 0.145f,
        };
        float speed = scene.Subject switch
        {
            Subject.Car => 0.40f, Subject.Boat => 0.22f, Subject.Bird => 0.36f, Subject.Balloon => 0.15f, Subject.Ball => 0.34f, Subject.Person => 0.20f, _ => 0.45f,
        };
        speed *= random.Between(0.8, 1.2) * (0.8f + 0.2f * grow) * MathF.Min(1, MathF.Max(0.6f, view.HalfWidth / 0.89f));
        _speed = scene.Motion switch { SubjectMotion.Left => -speed, SubjectMotion.Right => speed, _ => 0 };
        _place = random.Between(-0.22, 0.22) * MathF.Min(1, view.HalfWidth / 0.89f);
        _lane = random.Between(-0.03, 0.03);
        _phase = random.Between(0, 6.28);
        Rise = scene.Motion switch { SubjectMotion.Up => speed, SubjectMotion.Down => -speed, _ => 0 };
        _paint = scene.Colour switch
        {
            SubjectColour.Red => Rgb(0.86f, 0.12f, 0.11f), SubjectColour.Yellow => Rgb(0.98f, 0.82f, 0.10f), SubjectColour.Green => Rgb(0.10f, 0.62f, 0.24f),
            SubjectColour.Blue => Rgb(0.12f, 0.28f, 0.85f), _ => Rgb(0.96f, 0.96f, 0.96f),
        };
    }

    private float Rise { get; }

    public void Paint()
    {
        float x = _place + _speed * _time;
        float ground = _horizon - Layers.SubjectDrop + _lane - (_scene.Shot == ShotSize.CloseUp ? 0.10f : 0);
        float facing = _speed < 0 ? -1 : _speed > 0 ? 1 : _phase > 3.14f ? 1 : -1;
        switch (_scene.Subject)
        {
            case Subject.Car:
                Road(ground);
                Shadow(x, ground, 0.52f, 0.05f);
                Car(At(x, ground, facing), x);
                break;
            case Subject.Train:
                Rails(ground);
                Train(At(x - facing * _size * 0.6f, ground + 0.012f, facing), x);
                break;
            case Subject.Person:
                Shadow(x, ground, 0.2f, 0.03f);
                Person(At(x, ground, facing));
                break;
            case Subject.Ball:
                float beat = _time * 1.25f + _phase, hop = beat - MathF.Floor(beat);
                float lift = _scene.Motion == SubjectMotion.Bounce ? 4 * hop * (1 - hop) : 0;
                Shadow(x, ground, 0.5f - 0.15f * lift, 0.07f);
                Ball(At(x, ground + 1.9f * _size * lift, 1), -x / _size * 2);
                break;
            case Subject.Boat:
                float swell = MathF.Sin(_time * 2.1f + _phase);
                Boat(At(x, ground + 0.06f + 0.012f * swell, facing, 0.035f * MathF.Sin(_time * 1.7f + _phase + 1)));
                break;
            case Subject.Bird:
                Bird(At(x, 0.10f + _lane + 0.02f * MathF.Sin(_time * 2.2f + _phase), facing));
                break;
            case Subject.Balloon:
                Balloon(At(x + 0.01f * MathF.Sin(_time * 1.3f + _phase), 0.06f - 0.35f * _size + _lane + Rise * _time, 1));
                break;
        }
    }

    private Brush At(float x, float y, float facing, float tilt = 0) => new(_picture, _view, x, y, _size, facing, Tint) { Tilt = tilt };

    // At night the subject stands in a lamp's light of its own: a prompt that names its colour wants to see it.
    private Vector3 Tint(Vector3 c) => _light.Night ? Mix(_light.Lit(c, 0.16f), c * Rgb(0.78f, 0.78f, 0.86f), 0.62f) : _light.Lit(c, 0.16f);

    private void Shadow(float x, float ground, float rx, float ry)
    {
        if (_scene.Weather is Weather.Clear or Weather.Clouds || _scene.Subject == Subject.Ball)
        {
            new Brush(_picture, _view, x, ground, _size, 1, c => c).Ellipse(-0.06f * MathF.Sign(_light.SunSide), 0, rx, ry, Rgb(0.05f, 0.06f, 0.10f), 0.42f);
        }
    }

    private void Road(float ground)
    {
        float half = 0.075f + 0.05f * _size;
        Band(ground + half * 0.75f, ground - half * 1.3f, (x, v) =>
        {
            var c = _light.SnowOnGround ? Rgb(0.55f, 0.57f, 0.62f) : Rgb(0.28f, 0.28f, 0.30f);
            float edge = Noise.Smooth(0.40f, 0.43f, MathF.Abs(v - 0.5f)) - Noise.Smooth(0.45f, 0.48f, MathF.Abs(v - 0.5f));
            float dash = x * 3.2f - MathF.Floor(x * 3.2f);
            float middle = (1 - Noise.Smooth(0.012f, 0.035f, MathF.Abs(v - 0.42f))) * Noise.Smooth(0, 0.05f, dash) * (1 - Noise.Smooth(0.5f, 0.55f, dash));
            return Mix(c, Rgb(0.92f, 0.91f, 0.86f), MathF.Max(edge, middle));
        });
    }

    private void Rails(float ground)
    {
        Band(ground + 0.035f, ground - 0.04f, (x, v) =>
        {
            float sleeper = x * 9 - MathF.Floor(x * 9);
            var c = Mix(Rgb(0.47f, 0.43f, 0.39f), Rgb(0.27f, 0.20f, 0.15f), Noise.Smooth(0.3f, 0.4f, sleeper) * (1 - Noise.Smooth(0.75f, 0.85f, sleeper)));
            float rail = MathF.Max(1 - Noise.Smooth(0.03f, 0.09f, MathF.Abs(v - 0.3f)), 1 - Noise.Smooth(0.03f, 0.09f, MathF.Abs(v - 0.72f)));
            return Mix(c, Rgb(0.72f, 0.73f, 0.76f), rail);
        });
    }

    private void Band(float top, float bottom, Func<float, float, Vector3> colour) =>
        Layers.Silhouette(_picture, _view, 1, bottom, _ => top, (x, y, below) => _light.Lit(colour(x, below / (top - bottom)), 0.16f), 1);

    private Vector3 Shaded(Vector2 p, float bottom, float top) => _paint * (0.72f + 0.36f * Noise.Smooth(bottom, top, p.Y));

    private void Car(Brush b, float x)
    {
        var glass = Rgb(0.45f, 0.60f, 0.72f);
        b.Polygon(p => Shaded(p, 0.1f, 0.4f), new(-0.36f, 0.22f), new(-0.25f, 0.40f), new(0.08f, 0.40f), new(0.26f, 0.22f));
        b.Polygon(p => glass * (0.8f + p.Y), new(-0.30f, 0.245f), new(-0.225f, 0.37f), new(-0.10f, 0.37f), new(-0.10f, 0.245f));
        b.Polygon(p => glass * (0.8f + p.Y), new(-0.07f, 0.245f), new(-0.07f, 0.37f), new(0.07f, 0.37f), new(0.20f, 0.245f));
        b.Box(-0.5f, 0.08f, 0.5f, 0.245f, 0.06f, p => Shaded(p, 0.06f, 0.26f));
        b.Box(-0.47f, 0.09f, 0.47f, 0.115f, 0.01f, Rgb(0.16f, 0.16f, 0.18f));
        for (int side = -1; side <= 1; side += 2)
        {
            float cx = side * 0.29f + (side < 0 ? -0.01f : 0);
            b.Ellipse(cx, 0.09f, 0.095f, 0.095f, Rgb(0.09f, 0.09f, 0.10f));
            float turn = x / (_size * 0.095f);
            b.Ellipse(cx, 0.09f, 0.055f, 0.055f, p =>
            {
                float angle = MathF.Atan2(p.Y - 0.09f, p.X - cx) + turn * MathF.Sign(_speed == 0 ? 1 : _speed);
                return Mix(Rgb(0.35f, 0.35f, 0.38f), Rgb(0.82f, 0.83f, 0.86f), Noise.Smooth(-0.3f, 0.3f, MathF.Sin(angle * 5)));
            });
        }

        b.Ellipse(0.475f, 0.185f, 0.025f, 0.03f, Rgb(1, 0.97f, 0.80f), 1, _light.Night);
        b.Box(-0.5f, 0.165f, -0.46f, 0.21f, 0.01f, Rgb(0.95f, 0.10f, 0.08f), 1, _light.Night);
        if (_light.Night)
        {
            b.Fill(new(0.47f, -0.06f), new(1.25f, 0.30f), p =>
            {
                float reach = p.X - 0.47f;
                return MathF.Max(-reach, MathF.Abs(p.Y - 0.18f + 0.16f * reach) - 0.02f - 0.17f * reach);
            }, p => Rgb(1, 0.95f, 0.72f), 0.22f, true);
        }
    }

    private void Train(Brush b, float x)
    {
        const float Length = 1.9f;
        for (int car = 3; car >= 0; car--)
        {
            float start = 0.6f - car * (Length + 0.1f);
            b.Box(start - Length - 0.12f, 0.22f, start, 0.30f, 0.01f, Rgb(0.13f, 0.13f, 0.15f));
            b.Box(start - Length, 0.18f, start, 1.05f, car == 0 ? 0.16f : 0.06f, p => Shaded(p, 0.1f, 1.1f));
            b.Box(start - Length, 0.40f, start, 0.47f, 0.01f, _scene.Colour == SubjectColour.White ? Rgb(0.75f, 0.20f, 0.18f) : Rgb(0.94f, 0.93f, 0.88f));
            int panes = car == 0 ? 4 : 5;
            for (int i = 0; i < panes; i++)
            {
                float left = start - Length + 0.1f + i * 0.36f;
                b.Box(left, 0.60f, left + 0.26f, 0.90f, 0.04f, _light.Night ? Rgb(1, 0.86f, 0.52f) : Rgb(0.36f, 0.48f, 0.58f), 1, _light.Night);
            }

            if (car == 0)
            {
                b.Box(start - 0.24f, 0.58f, start - 0.02f, 0.95f, 0.06f, Rgb(0.22f, 0.28f, 0.34f));
                b.Ellipse(start - 0.05f, 0.34f, 0.05f, 0.06f, Rgb(1, 0.97f, 0.80f), 1, _light.Night);
            }

            for (int i = 0; i < 4; i++)
            {
                float cx = start - Length + 0.25f + i * 0.45f + (i > 1 ? 0.05f : 0);
                b.Ellipse(cx, 0.12f, 0.12f, 0.12f, Rgb(0.10f, 0.10f, 0.11f));
                b.Ellipse(cx, 0.12f, 0.05f, 0.05f, Rgb(0.55f, 0.55f, 0.57f));
            }
        }
    }

    private void Person(Brush b)
    {
        float stride = _speed == 0 ? 0.06f : MathF.Sin(_time * 7.5f + _phase) * 0.17f;
        var trousers = Rgb(0.17f, 0.18f, 0.26f);
        var skin = Rgb(0.88f, 0.68f, 0.55f);
        b.Stroke(new(0, 0.45f), new(-stride, 0.03f + 0.04f * MathF.Max(0, stride)), 0.048f, trousers * 0.8f);
        b.Stroke(new(0.02f, 0.74f), new(0.02f + stride * 0.9f, 0.48f), 0.036f, _paint * 0.75f);
        b.Stroke(new(0, 0.45f), new(stride, 0.03f + 0.04f * MathF.Max(0, -stride)), 0.05f, trousers);
        b.Polygon(p => Shaded(p, 0.3f, 0.85f), new(-0.13f, 0.36f), new(0.14f, 0.36f), new(0.11f, 0.80f), new(-0.10f, 0.80f));
        b.Ellipse(0.005f, 0.78f, 0.105f, 0.05f, p => Shaded(p, 0.3f, 0.85f));
        b.Stroke(new(0, 0.76f), new(-stride * 0.9f, 0.50f), 0.038f, _paint * 0.88f);
        b.Ellipse(-stride * 0.9f, 0.47f, 0.035f, 0.035f, skin);
        b.Box(-0.03f, 0.80f, 0.04f, 0.87f, 0.02f, skin * 0.9f);
        b.Ellipse(0.015f, 0.91f, 0.075f, 0.085f, skin);
        b.Ellipse(-0.01f, 0.945f, 0.085f, 0.06f, Rgb(0.25f, 0.16f, 0.10f));
    }

    private void Ball(Brush b, float turn) => b.Ellipse(0, 0.5f, 0.5f, 0.5f, p =>
    {
        var q = (p - new Vector2(0, 0.5f)) * 2;
        float z = MathF.Sqrt(MathF.Max(0, 1 - q.LengthSquared()));
        float lit = 0.5f + 0.5f * Math.Clamp(0.55f * z + 0.45f * q.Y + 0.3f * MathF.Sign(_light.SunSide) * q.X, -0.4f, 1);
        float angle = turn + (_scene.Motion == SubjectMotion.Bounce ? 0.5f : 0);
        float across = q.X * MathF.Cos(angle) + q.Y * MathF.Sin(angle);
        float stripe = 1 - Noise.Smooth(0.15f, 0.21f, MathF.Abs(across));
        var c = Mix(_paint, _scene.Colour == SubjectColour.White ? Rgb(0.30f, 0.32f, 0.40f) : Rgb(0.96f, 0.95f, 0.92f), stripe) * lit;
        return Mix(c, Vector3.One, 0.6f * Noise.Smooth(0.3f, 0.05f, Vector2.Distance(q, new(0.35f * MathF.Sign(_light.SunSide), 0.45f))));
    });

    private void Boat(Brush b)
    {
        var cloth = Rgb(0.95f, 0.93f, 0.87f);
        b.Ellipse(0, -0.03f, 0.6f, 0.045f, Rgb(0.75f, 0.85f, 0.90f), 0.35f);
        b.Stroke(new(0.02f, 0.1f), new(0.02f, 1.02f), 0.014f, Rgb(0.35f, 0.25f, 0.17f));
        b.Polygon(p => cloth * (0.85f + 0.2f * p.X), new(0.05f, 0.26f), new(0.05f, 0.95f), new(0.46f, 0.26f));
        b.Polygon(p => Mix(_paint, cloth, p.Y > 0.52f && p.Y < 0.62f ? 1 : 0) * (0.9f + 0.25f * p.X), new(-0.01f, 0.24f), new(-0.01f, 1.0f), new(-0.42f, 0.24f));
        b.Polygon(p => Shaded(p, -0.12f, 0.2f), new(-0.48f, 0.19f), new(0.56f, 0.21f), new(0.36f, -0.03f), new(-0.38f, -0.03f));
        b.Box(-0.48f, 0.165f, 0.52f, 0.195f, 0.01f, Rgb(0.93f, 0.90f, 0.82f));
    }

    private void Bird(Brush b)
    {
        float flap = MathF.Sin(_time * 9 + _phase), wing = 0.34f * flap + 0.08f;
        b.Polygon(p => _paint * 0.62f, new(0.12f, 0.06f), new(-0.14f, 0.05f), new(-0.06f, 0.05f + wing * 0.9f + 0.02f));
        b.Polygon(p => _paint * 0.8f, new(-0.22f, 0.03f), new(-0.46f, 0.09f), new(-0.46f, -0.02f));
        b.Ellipse(0, 0.02f, 0.29f, 0.095f, p => Shaded(p, -0.1f, 0.12f));
        b.Ellipse(0.27f, 0.08f, 0.088f, 0.08f, p => Shaded(p, -0.05f, 0.15f));
        b.Polygon(p => Rgb(0.95f, 0.62f, 0.15f), new(0.33f, 0.11f), new(0.33f, 0.05f), new(0.46f, 0.065f));
        b.Ellipse(0.295f, 0.095f, 0.018f, 0.018f, Rgb(0.05f, 0.05f, 0.06f));
        b.Polygon(p => _paint * (0.85f + 0.15f * flap), new(0.16f, 0.05f), new(-0.16f, 0.04f), new(-0.12f, 0.04f + wing), new(-0.02f, 0.05f + wing * 1.1f));
    }

    private void Balloon(Brush b)
    {
        b.Stroke(new(-0.17f, 0.30f), new(-0.05f, 0.10f), 0.008f, Rgb(0.3f, 0.25f, 0.2f));
        b.Stroke(new(0.17f, 0.30f), new(0.05f, 0.10f), 0.008f, Rgb(0.3f, 0.25f, 0.2f));
        b.Box(-0.07f, 0, 0.07f, 0.11f, 0.015f, p => Rgb(0.52f, 0.34f, 0.18f) * (0.8f + 2 * p.Y));
        Vector3 Cloth(Vector2 p)
        {
            float half = p.Y > 0.62f ? MathF.Sqrt(MathF.Max(0.001f, 0.16f - (p.Y - 0.62f) * (p.Y - 0.62f))) : 0.4f - 0.27f * (0.62f - p.Y) / 0.36f;
            float turn = MathF.Asin(Math.Clamp(p.X / half, -1, 1));
            float stripe = MathF.Sin(turn * 4 + 0.8f) > 0.35f ? 1 : 0;
            var c = Mix(_paint, _scene.Colour == SubjectColour.White ? Rgb(0.55f, 0.60f, 0.68f) : Mix(_paint, Vector3.One, 0.75f), stripe * 0.9f);
            return c * (0.72f + 0.22f * MathF.Cos(turn) + 0.14f * MathF.Sign(_light.SunSide) * p.X / half + 0.1f * (p.Y - 0.5f));
        }

        b.Polygon(Cloth, new(-0.37f, 0.48f), new(0.37f, 0.48f), new(0.14f, 0.27f), new(-0.14f, 0.27f));
        b.Ellipse(0, 0.62f, 0.4f, 0.4f, Cloth);
    }
}
