using EditorBridge.Training.Scenes;

namespace EditorBridge.Training.Captions;

/// <summary>Writes captions as an editor would type a prompt: sentences, notes and lists of key words.</summary>
public static class CaptionWriter
{
    /// <summary>A caption for the scene.</summary>
    /// <param name="scene">The facts.</param>
    /// <param name="random">Chooses the wording.</param>
    /// <param name="complete">True to mention every fact; else less important facts are left out now and then, as people do.</param>
    public static string Write(Scene scene, SeededRandom random, bool complete = false)
    {
        bool Keep(double chance) => complete || random.Chance(chance);
        bool time = Keep(0.9), weather = Keep(scene.Weather == Weather.Clear ? 0.5 : 0.92), shot = Keep(0.7);
        bool camera = Keep(scene.Camera == CameraMove.Static ? 0.5 : 0.93), motion = Keep(0.92), place = Keep(0.95);

        string when = random.Pick(Phrases.When(scene.Time));
        string timeWord = random.Pick(Phrases.TimeWord(scene.Time));
        string where = random.Pick(Phrases.Where(scene.Setting));
        string scenery = random.Pick(Phrases.Place(scene.Setting));
        string withWeather = random.Pick(Phrases.WithWeather(scene.Weather, scene.Time));
        string weatherWord = random.Pick(Phrases.WeatherWord(scene.Weather));
        string framing = random.Pick(Phrases.Framing(scene.Shot));
        string cameraWork = random.Pick(Phrases.CameraWork(scene.Camera));
        var (finite, participle) = random.Pick(Phrases.Acts(scene.Subject, scene.Motion));
        string thing = random.Pick(Phrases.Thing(scene.Subject, scene.Colour));

        string caption = scene.Subject == Subject.None
            ? random.Next(5) switch
            {
                0 => Sentence(random, shot ? $"{framing} of {scenery}" : scenery, time ? when : "", weather ? withWeather : "", camera ? cameraWork : ""),
                1 => List(random, scenery, time ? timeWord : "", weather ? weatherWord : "", shot ? framing : "", camera ? cameraWork : ""),
                2 => Sentence(random, time ? $"{scenery} {when}" : scenery, "", weather ? withWeather : "", Notes(random, shot ? framing : "", camera ? cameraWork : "")),
                3 => Sentence(random, $"{(time ? timeWord + ", " : "")}{(weather ? weatherWord + ", " : "")}{scenery}", "", "", Notes(random, shot ? framing : "", camera ? cameraWork : "")),
                _ => Sentence(random, weather && time ? $"{withWeather} {when}: {scenery}" : scenery, weather ? "" : time ? when : "", weather && !time ? withWeather : "", Notes(random, camera ? cameraWork : "", shot ? framing : "")),
            }
            : random.Next(6) switch
            {
                0 => Sentence(random, Words(shot ? framing + " of" : "", thing, motion ? participle : "", place ? where : ""), time ? when : "", weather ? withWeather : "", camera ? cameraWork : ""),
                1 => Sentence(random, Words(thing, motion ? finite : "", place ? where : ""), time ? when : "", weather ? withWeather : "", Notes(random, shot ? framing : "", camera ? cameraWork : "")),
                2 => List(random, Words(thing, motion ? participle : ""), place ? scenery : "", time ? timeWord : "", weather ? weatherWord : "", shot ? framing : "", camera ? cameraWork : ""),
                3 => Sentence(random, Words(time ? when + "," : "", thing, motion ? finite : "", place ? where : ""), "", weather ? withWeather : "", Notes(random, shot ? framing : "", camera ? cameraWork : "")),
                4 => Sentence(random, Words(weather ? weatherWord + "," : "", time ? timeWord + "," : "", place ? scenery + "," : "", thing, motion ? participle : ""), "", "", Notes(random, camera ? cameraWork : "", shot ? framing : "")),
                _ => Sentence(random, Words(thing, motion ? participle : "", place ? where : "", time ? when : ""), "", weather ? withWeather : "", Notes(random, camera ? cameraWork : "", shot ? framing : "")),
            };

        if (random.Chance(0.6))
        {
            caption = char.ToUpperInvariant(caption[0]) + caption[1..];
        }

        return random.Chance(0.5) ? caption + "." : caption;
    }

    private static string Sentence(SeededRandom random, string main, string when, string weather, string camera)
    {
        string s = Words(main, when);
        // "..., in the rain" and "... in the rain" are both said.
        s = weather.Length == 0 ? s : s + (random.Chance(0.5) ? ", " : " ") + weather;
        if (camera.Length == 0)
        {
            return s;
        }

        return random.Chance(0.4) ? $"{s}. {char.ToUpperInvariant(camera[0])}{camera[1..]}" : $"{s}, {camera}";
    }

    private static string Notes(SeededRandom random, string first, string second) =>
        first.Length == 0 ? second : second.Length == 0 ? first : random.Chance(0.5) ? $"{first}, {second}" : $"{second}, {first}";

    private static string List(SeededRandom random, string head, params string[] rest)
    {
        List<string> items = [.. rest.Where(r => r.Length > 0)];
        for (int i = items.Count - 1; i > 0; i--)
        {
            int j = random.Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }

        items.Insert(random.Chance(0.7) ? 0 : items.Count, head);
        return string.Join(", ", items);
    }

    private static string Words(params string[] words) => string.Join(' ', words.Where(w => w.Length > 0));
}
