using EditorBridge.Training.Scenes;

namespace EditorBridge.Training.Tests;

public sealed class SceneRendererTests
{
    [Fact]
    public void The_same_scene_gives_the_same_pixels()
    {
        var random = new SeededRandom(5);
        for (int i = 0; i < 20; i++)
        {
            var scene = Scene.Sample(random);
            Assert.Equal(SceneRenderer.Render(scene, 72, 40, 0.25).Pixels, SceneRenderer.Render(scene, 72, 40, 0.25).Pixels);
        }
    }

    [Fact]
    public void Another_seed_gives_another_picture()
    {
        var scene = Scene.Sample(new SeededRandom(6));
        Assert.NotEqual(SceneRenderer.Render(scene, 72, 40, 0).Pixels, SceneRenderer.Render(scene with { Seed = scene.Seed + 1 }, 72, 40, 0).Pixels);
    }

    [Fact]
    public void A_part_is_a_crop_of_the_whole()
    {
        var random = new SeededRandom(7);
        for (int i = 0; i < 20; i++)
        {
            var scene = Scene.Sample(random);
            var whole = SceneRenderer.Render(scene, 96, 64, 0.4);
            var part = SceneRenderer.Render(scene, 96, 64, 0.4, 30, 16, 40, 32);
            for (int y = 0; y < 32; y++)
            {
                for (int x = 0; x < 40; x++)
                {
                    var difference = whole.Pixels[(y + 16) * 96 + x + 30] - part.Pixels[y * 40 + x];
                    Assert.True(difference.Length() < 0.02, $"{scene} differs by {difference} at {x}, {y}");
                }
            }
        }
    }

    [Fact]
    public void Values_are_finite_and_in_range()
    {
        var random = new SeededRandom(8);
        for (int i = 0; i < 40; i++)
        {
            var clip = SceneRenderer.RenderClip(Scene.Sample(random), 48, 80, 2, random.Between(-5, 5));
            Assert.All(clip, v => Assert.InRange(v, -1, 1));
        }
    }

    [Fact]
    public void Every_motion_and_camera_moves_the_picture()
    {
        var scene = new Scene
        {
            Seed = 3, Time = TimeOfDay.Noon, Setting = Setting.Field, Weather = Weather.Clear, Subject = Subject.None, Colour = SubjectColour.Red,
            Motion = SubjectMotion.Still, Shot = ShotSize.Wide, Camera = CameraMove.Static,
        };
        double Change(Scene s)
        {
            var a = SceneRenderer.Render(s, 96, 54, -0.4).Pixels;
            var b = SceneRenderer.Render(s, 96, 54, 0.2).Pixels;
            return a.Zip(b, (p, q) => (p - q).Length()).Average();
        }

        double still = Change(scene);
        foreach (var camera in Enum.GetValues<CameraMove>().Where(c => c != CameraMove.Static))
        {
            Assert.True(Change(scene with { Camera = camera }) > still + 0.004, $"{camera}");
        }

        foreach (var subject in Enum.GetValues<Subject>().Where(s => s is not (Subject.None or Subject.Boat)))
        {
            foreach (var motion in Scene.MotionsOf(subject).Where(m => m != SubjectMotion.Still))
            {
                Assert.True(Change(scene with { Subject = subject, Motion = motion, Shot = ShotSize.CloseUp }) > still + 0.002, $"{subject} {motion}");
            }
        }
    }

    [Fact]
    public void Textures_are_in_range_and_move()
    {
        var random = new SeededRandom(9);
        double moved = 0;
        for (int i = 0; i < 8; i++)
        {
            var clip = TextureClip.Render(random, 48, 32, 5);
            Assert.All(clip, v => Assert.InRange(v, -1, 1));
            moved += Enumerable.Range(0, 48 * 32).Average(k => Math.Abs(clip[k] - clip[4 * 48 * 32 + k]));
        }

        Assert.True(moved > 0.05);
    }
}
