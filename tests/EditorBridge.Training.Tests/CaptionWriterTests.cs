using EditorBridge.Training.Captions;
using EditorBridge.Training.Scenes;

namespace EditorBridge.Training.Tests;

public sealed class CaptionWriterTests
{
    [Fact]
    public void A_complete_caption_mentions_every_fact()
    {
        var random = new SeededRandom(1);
        for (int i = 0; i < 2000; i++)
        {
            var scene = Scene.Sample(random);
            string caption = CaptionWriter.Write(scene, random, complete: true).ToLowerInvariant();
            Mentions(caption, [.. Phrases.When(scene.Time), .. Phrases.TimeWord(scene.Time)]);
            Mentions(caption, [.. Phrases.Where(scene.Setting), .. Phrases.Place(scene.Setting)]);
            Mentions(caption, [.. Phrases.WithWeather(scene.Weather, scene.Time), .. Phrases.WeatherWord(scene.Weather)]);
            Mentions(caption, Phrases.Framing(scene.Shot));
            Mentions(caption, Phrases.CameraWork(scene.Camera));
            if (scene.Subject != Subject.None)
            {
                Mentions(caption, Phrases.Thing(scene.Subject, scene.Colour));
                Mentions(caption, [.. Phrases.Acts(scene.Subject, scene.Motion).SelectMany(a => new[] { a.Finite, a.Participle })]);
            }
        }
    }

    [Fact]
    public void The_same_stream_writes_the_same_captions()
    {
        string[] Write() => [.. Enumerable.Range(0, 50).Select(_ => new SeededRandom(4)).Select(r => CaptionWriter.Write(Scene.Sample(r), r))];
        Assert.Equal(Write(), Write());
    }

    [Fact]
    public void Scenes_have_many_wordings()
    {
        var random = new SeededRandom(2);
        var scene = Scene.Sample(random);
        Assert.True(Enumerable.Range(0, 200).Select(_ => CaptionWriter.Write(scene, random)).Distinct().Count() > 180);
    }

    private static void Mentions(string caption, IReadOnlyList<string> phrases) =>
        Assert.True(phrases.Any(p => caption.Contains(p.ToLowerInvariant(), StringComparison.Ordinal)), $"'{caption}' has none of: {string.Join("; ", phrases)}");
}
