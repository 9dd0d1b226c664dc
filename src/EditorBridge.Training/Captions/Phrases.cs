using EditorBridge.Training.Scenes;

namespace EditorBridge.Training.Captions;

/// <summary>The words for every fact of a scene, as people write them.</summary>
public static class Phrases
{
    /// <summary>"at dawn": when.</summary>
    public static IReadOnlyList<string> When(TimeOfDay time) => time switch
    {
        TimeOfDay.Dawn => ["at dawn", "at sunrise", "in the early morning", "in the morning", "at daybreak", "at first light",
            "in soft morning light", "as the sun rises", "on a pale morning", "early in the day", "in cool morning light"],
        TimeOfDay.Noon => ["at noon", "at midday", "in bright daylight", "in the middle of the day", "in broad daylight",
            "during the day", "in the afternoon", "by day", "in the daytime", "on a bright day", "in full sunlight"],
        TimeOfDay.Sunset => ["at sunset", "at dusk", "in the evening", "in golden evening light", "as the sun goes down", "at golden hour",
            "in the golden hour", "at twilight", "in warm orange light", "late in the day", "on a warm evening", "as the sun sets"],
        _ => ["at night", "by night", "in the dark", "after dark", "late at night", "at midnight", "in the middle of the night",
            "during the night", "on a dark night", "in the dark of night"],
    };

    /// <summary>"night": the time as an adjective or key word.</summary>
    public static IReadOnlyList<string> TimeWord(TimeOfDay time) => time switch
    {
        TimeOfDay.Dawn => ["dawn", "morning", "sunrise", "early morning", "daybreak"],
        TimeOfDay.Noon => ["noon", "midday", "daytime", "day", "daylight", "afternoon"],
        TimeOfDay.Sunset => ["sunset", "dusk", "evening", "golden hour", "twilight", "sundown"],
        _ => ["night", "nighttime", "midnight", "night time"],
    };

    /// <summary>"a mountain range": the place as a thing to look at.</summary>
    public static IReadOnlyList<string> Place(Setting setting) => setting switch
    {
        Setting.Mountains => ["mountains", "a mountain range", "high mountains", "snow-capped mountains", "a mountain landscape",
            "tall peaks", "rocky mountains", "the alps", "mountain peaks", "a rugged mountain ridge"],
        Setting.Hills => ["hills", "rolling hills", "green hills", "a hilly landscape", "soft grassy hills", "gentle hills", "the hills", "a green countryside"],
        Setting.Desert => ["a desert", "sand dunes", "the desert", "a sandy desert", "dunes", "a dry desert landscape", "a desert with cacti", "golden dunes"],
        Setting.Forest => ["a forest", "the woods", "a pine forest", "trees", "a dense forest", "woodland", "a forest of tall trees", "the forest"],
        Setting.Field => ["a field", "a meadow", "a flat field", "a grassy field", "a field of flowers", "open farmland", "a wide meadow", "a flowery meadow"],
        Setting.Sea => ["the sea", "the ocean", "open water", "a calm sea", "waves", "the open sea", "sea water", "the open ocean", "an ocean view"],
        _ => ["a city", "a city skyline", "the city", "skyscrapers", "tall buildings", "a downtown skyline", "a big city", "an urban skyline", "city buildings", "a town"],
    };

    /// <summary>"in the mountains": where something happens.</summary>
    public static IReadOnlyList<string> Where(Setting setting) => setting switch
    {
        Setting.Mountains => ["in the mountains", "in front of mountains", "below high mountains", "in a mountain landscape", "past snow-capped mountains",
            "with mountains behind", "near tall peaks", "in the alps", "with a mountain range in the background"],
        Setting.Hills => ["in the hills", "in front of rolling hills", "through green hills", "in a hilly landscape", "with hills behind",
            "past gentle hills", "in the green countryside", "among grassy hills"],
        Setting.Desert => ["in the desert", "across the desert", "past sand dunes", "through the dunes", "in a sandy desert", "in front of dunes",
            "with dunes in the background", "in the hot sand"],
        Setting.Forest => ["in the forest", "in front of a forest", "in the woods", "past tall trees", "along a pine forest", "with trees behind",
            "near the edge of the forest", "in woodland"],
        Setting.Field => ["in a field", "across a field", "in a meadow", "in a grassy field", "on open farmland", "through a meadow",
            "in a field of flowers", "on a flat meadow"],
        Setting.Sea => ["on the sea", "at sea", "over the ocean", "on the ocean", "over the sea", "on open water", "above the waves", "on the open sea"],
        _ => ["in the city", "in a city", "in front of a skyline", "past tall buildings", "downtown", "in front of skyscrapers", "in town",
            "with a city skyline behind", "through the city"],
    };

    /// <summary>"under a cloudy sky": the weather as a trailing phrase.</summary>
    public static IReadOnlyList<string> WithWeather(Weather weather, TimeOfDay time) => weather switch
    {
        Weather.Clear when time == TimeOfDay.Night => ["under the stars", "under a starry sky", "with a clear sky", "in clear weather", "under a clear sky", "with a bright moon"],
        Weather.Clear => ["under a clear sky", "with a clear sky", "in clear weather", "with no clouds", "in good weather", "under a cloudless sky"],
        Weather.Clouds => ["under a cloudy sky", "with clouds", "with clouds drifting by", "in cloudy weather", "under drifting clouds", "with a cloudy sky", "with big clouds in the sky"],
        Weather.Rain => ["in the rain", "in rain", "while it rains", "in heavy rain", "on a rainy day", "in rainy weather", "with rain falling", "in a rainstorm"],
        Weather.Snow => ["in the snow", "in snow", "while it snows", "in falling snow", "on a snowy day", "with snow falling", "in a snowfall", "in winter snow"],
        _ => ["in fog", "in the fog", "in thick fog", "in mist", "on a foggy day", "in foggy weather", "with fog all around", "in a thick mist"],
    };

    /// <summary>"rainy": the weather as an adjective.</summary>
    public static IReadOnlyList<string> WeatherWord(Weather weather) => weather switch
    {
        Weather.Clear => ["clear", "clear sky", "clear weather", "cloudless"],
        Weather.Clouds => ["cloudy", "clouds", "cloudy sky", "drifting clouds"],
        Weather.Rain => ["rainy", "rain", "raining", "heavy rain", "rainfall"],
        Weather.Snow => ["snowy", "snow", "snowing", "snowfall", "falling snow", "winter"],
        _ => ["foggy", "fog", "misty", "mist", "haze"],
    };

    /// <summary>"a red car": the subject with its colour.</summary>
    public static IReadOnlyList<string> Thing(Subject subject, SubjectColour colour)
    {
        string c = ColourWord(colour);
        return subject switch
        {
            Subject.Car => [$"a {c} car", $"a {c} car", $"a {c} automobile", $"a small {c} car", $"a {c} vehicle", $"a car in {c}", $"a shiny {c} car"],
            Subject.Boat => [$"a {c} boat", $"a {c} sailboat", $"a {c} sailing boat", $"a {c} ship", $"a small {c} boat", $"a boat with a {c} hull"],
            Subject.Bird => [$"a {c} bird", $"a {c} bird", $"a {c} gull", $"a large {c} bird", $"a bird with {c} feathers"],
            Subject.Balloon => [$"a {c} hot-air balloon", $"a {c} hot air balloon", $"a {c} balloon", $"a big {c} balloon"],
            Subject.Ball => [$"a {c} ball", $"a {c} ball", $"a {c} rubber ball", $"a {c} toy ball", $"a round {c} ball"],
            Subject.Person => [$"a person in a {c} coat", $"a man in a {c} jacket", $"a woman in a {c} coat", $"a figure in {c}", $"someone in a {c} jacket", $"a person dressed in {c}", $"a {c} figure"],
            Subject.Train => [$"a {c} train", $"a {c} train", $"a {c} railway train", $"a {c} passenger train", $"a long {c} train"],
            _ => [""],
        };
    }

    /// <summary>"red".</summary>
    public static string ColourWord(SubjectColour colour) => colour switch
    {
        SubjectColour.Red => "red",
        SubjectColour.Yellow => "yellow",
        SubjectColour.Green => "green",
        SubjectColour.Blue => "blue",
        _ => "white",
    };

    /// <summary>"drives to the left" and "driving to the left": finite and participle, in pairs.</summary>
    public static IReadOnlyList<(string Finite, string Participle)> Acts(Subject subject, SubjectMotion motion)
    {
        (string, string)[] verbs = (subject, motion) switch
        {
            (Subject.Car, SubjectMotion.Still) => [("is parked", "parked"), ("stands still", "standing still"), ("waits", "waiting"), ("does not move", "not moving")],
            (Subject.Boat, SubjectMotion.Still) => [("lies at anchor", "lying at anchor"), ("floats in place", "floating in place"), ("does not move", "not moving"), ("rests on the water", "resting on the water")],
            (Subject.Train, SubjectMotion.Still) => [("stands still", "standing still"), ("has stopped", "stopped"), ("waits", "waiting"), ("does not move", "not moving")],
            (Subject.Person, SubjectMotion.Still) => [("stands still", "standing still"), ("waits", "waiting"), ("stands", "standing"), ("does not move", "not moving")],
            (Subject.Car, _) => [("drives", "driving"), ("drives", "driving"), ("speeds", "speeding"), ("moves", "moving"), ("goes", "going")],
            (Subject.Boat, _) => [("sails", "sailing"), ("sails", "sailing"), ("moves", "moving"), ("floats", "floating"), ("travels", "travelling")],
            (Subject.Bird, _) => [("flies", "flying"), ("flies", "flying"), ("glides", "gliding"), ("moves", "moving"), ("soars", "soaring")],
            (Subject.Train, _) => [("rolls", "rolling"), ("drives", "driving"), ("moves", "moving"), ("passes", "passing"), ("travels", "travelling")],
            (Subject.Person, _) => [("walks", "walking"), ("walks", "walking"), ("strolls", "strolling"), ("moves", "moving"), ("goes", "going")],
            (Subject.Ball, SubjectMotion.Bounce) => [("bounces", "bouncing"), ("bounces up and down", "bouncing up and down"), ("jumps up and down", "jumping up and down"), ("hops", "hopping")],
            (Subject.Ball, _) => [("rolls", "rolling"), ("rolls", "rolling"), ("moves", "moving")],
            (Subject.Balloon, SubjectMotion.Up) => [("rises", "rising"), ("floats up", "floating up"), ("goes up", "going up"), ("flies up into the sky", "flying up into the sky"), ("climbs", "climbing"), ("lifts off", "lifting off")],
            (Subject.Balloon, SubjectMotion.Down) => [("sinks", "sinking"), ("comes down", "coming down"), ("floats down", "floating down"), ("descends", "descending"), ("lands", "landing")],
            (Subject.Balloon, _) => [("drifts", "drifting"), ("floats", "floating"), ("flies", "flying"), ("moves", "moving")],
            _ => [("", "")],
        };
        string[] directions = motion switch
        {
            SubjectMotion.Left => ["left", "to the left", "from right to left", "towards the left", "leftwards"],
            SubjectMotion.Right => ["right", "to the right", "from left to right", "towards the right", "rightwards"],
            _ => [""],
        };
        return [.. from v in verbs from d in directions select (Join(v.Item1, d), Join(v.Item2, d))];
    }

    /// <summary>"wide shot".</summary>
    public static IReadOnlyList<string> Framing(ShotSize shot) => shot switch
    {
        ShotSize.Wide => ["wide shot", "long shot", "wide view", "establishing shot", "wide angle shot", "distant view"],
        ShotSize.Medium => ["medium shot", "mid shot", "medium view", "medium-size shot"],
        _ => ["close-up", "close up", "close shot", "close view", "closeup shot"],
    };

    /// <summary>"the camera pans left".</summary>
    public static IReadOnlyList<string> CameraWork(CameraMove move) => move switch
    {
        CameraMove.Static => ["static shot", "static camera", "locked-off camera", "the camera does not move", "fixed camera", "tripod shot", "the camera stands still", "steady camera"],
        CameraMove.PanLeft => ["pan left", "camera pans left", "the camera pans to the left", "slow pan to the left", "panning left", "the camera turns left", "camera moves left"],
        CameraMove.PanRight => ["pan right", "camera pans right", "the camera pans to the right", "slow pan to the right", "panning right", "the camera turns right", "camera moves right"],
        CameraMove.TiltUp => ["tilt up", "camera tilts up", "the camera tilts upwards", "slow tilt up", "tilting up", "the camera looks up", "camera moves up"],
        CameraMove.TiltDown => ["tilt down", "camera tilts down", "the camera tilts downwards", "slow tilt down", "tilting down", "the camera looks down", "camera moves down"],
        CameraMove.ZoomIn => ["zoom in", "camera zooms in", "the camera zooms in", "slow zoom in", "push in", "zooming in", "the camera moves closer"],
        _ => ["zoom out", "camera zooms out", "the camera zooms out", "slow zoom out", "pull back", "zooming out", "the camera moves away"],
    };

    private static string Join(string verb, string direction) => direction.Length == 0 ? verb : $"{verb} {direction}";
}
