namespace EditorBridge.Training.Scenes;

/// <summary>Light of the scene.</summary>
public enum TimeOfDay { /// <summary>Pale, pink and cool, low sun.</summary>
    Dawn, /// <summary>Blue sky, high sun.</summary>
    Noon, /// <summary>Orange and purple, low sun.</summary>
    Sunset, /// <summary>Dark blue, moon and stars.</summary>
    Night }

/// <summary>Where the scene is.</summary>
public enum Setting { /// <summary>Ranges with snow caps.</summary>
    Mountains, /// <summary>Green rolling hills.</summary>
    Hills, /// <summary>Dunes with cacti.</summary>
    Desert, /// <summary>Rows of trees.</summary>
    Forest, /// <summary>A flat field with flowers.</summary>
    Field, /// <summary>Open water.</summary>
    Sea, /// <summary>A skyline with windows.</summary>
    City }

/// <summary>What the sky does.</summary>
public enum Weather { /// <summary>No clouds.</summary>
    Clear, /// <summary>Drifting clouds.</summary>
    Clouds, /// <summary>Overcast with rain.</summary>
    Rain, /// <summary>Overcast with falling snow, white ground.</summary>
    Snow, /// <summary>Everything far is hidden.</summary>
    Fog }

/// <summary>What is in the picture besides the setting.</summary>
public enum Subject { /// <summary>Nothing: a landscape.</summary>
    None, /// <summary>A car on a road.</summary>
    Car, /// <summary>A sailing boat, at sea only.</summary>
    Boat, /// <summary>A flying bird.</summary>
    Bird, /// <summary>A hot-air balloon.</summary>
    Balloon, /// <summary>A ball.</summary>
    Ball, /// <summary>A person in a coat.</summary>
    Person, /// <summary>A train on rails.</summary>
    Train }

/// <summary>Colour of the subject.</summary>
public enum SubjectColour { /// <summary>Red.</summary>
    Red, /// <summary>Yellow.</summary>
    Yellow, /// <summary>Green.</summary>
    Green, /// <summary>Blue.</summary>
    Blue, /// <summary>White.</summary>
    White }

/// <summary>How the subject moves over the ground.</summary>
public enum SubjectMotion { /// <summary>Not at all.</summary>
    Still, /// <summary>Towards the left of the picture.</summary>
    Left, /// <summary>Towards the right of the picture.</summary>
    Right, /// <summary>Upwards.</summary>
    Up, /// <summary>Downwards.</summary>
    Down, /// <summary>Up and down on one spot.</summary>
    Bounce }

/// <summary>Size of the subject in the picture; without a subject, of the setting.</summary>
public enum ShotSize { /// <summary>Small in its surroundings.</summary>
    Wide, /// <summary>About a third of the height.</summary>
    Medium, /// <summary>Fills the picture.</summary>
    CloseUp }

/// <summary>What the camera does.</summary>
public enum CameraMove { /// <summary>Nothing.</summary>
    Static, /// <summary>Turns left: the picture moves right.</summary>
    PanLeft, /// <summary>Turns right: the picture moves left.</summary>
    PanRight, /// <summary>Turns up: the picture moves down.</summary>
    TiltUp, /// <summary>Turns down: the picture moves up.</summary>
    TiltDown, /// <summary>The picture grows.</summary>
    ZoomIn, /// <summary>The picture shrinks.</summary>
    ZoomOut }

/// <summary>
/// All facts of a procedural scene. What the facts leave open (shapes, exact speeds, places) follows from
/// <see cref="Seed"/>, so that a scene is a pure function of time, size and aspect.
/// </summary>
public sealed record Scene
{
    /// <summary>Decides everything that no other member says.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Light.</summary>
    public required TimeOfDay Time { get; init; }

    /// <summary>Place.</summary>
    public required Setting Setting { get; init; }

    /// <summary>Sky and air.</summary>
    public required Weather Weather { get; init; }

    /// <summary>What is to be seen.</summary>
    public required Subject Subject { get; init; }

    /// <summary>Its colour; without meaning when there is no subject.</summary>
    public required SubjectColour Colour { get; init; }

    /// <summary>Its motion over the ground; without meaning when there is no subject.</summary>
    public required SubjectMotion Motion { get; init; }

    /// <summary>Its size in the picture.</summary>
    public required ShotSize Shot { get; init; }

    /// <summary>Motion of the camera.</summary>
    public required CameraMove Camera { get; init; }

    /// <summary>A random scene whose facts go together (no car on the sea).</summary>
    public static Scene Sample(SeededRandom random)
    {
        var setting = (Setting)random.Next(7);
        var subject = random.Pick(SubjectsIn(setting));
        // A quarter of the scenes are landscapes.
        if (random.Chance(0.2))
        {
            subject = Subject.None;
        }

        return new Scene
        {
            Seed = random.NextBits(),
            Time = (TimeOfDay)random.Next(4),
            Setting = setting,
            Weather = random.Chance(0.25) ? Weather.Clear : (Weather)random.Next(5),
            Subject = subject,
            Colour = (SubjectColour)random.Next(5),
            Motion = random.Pick(MotionsOf(subject)),
            Shot = (ShotSize)random.Next(3),
            Camera = random.Chance(0.3) ? CameraMove.Static : (CameraMove)random.Next(7),
        };
    }

    /// <summary>The subjects that belong to a setting.</summary>
    public static IReadOnlyList<Subject> SubjectsIn(Setting setting) => setting switch
    {
        Setting.Sea => [Subject.None, Subject.Boat, Subject.Boat, Subject.Boat, Subject.Bird, Subject.Balloon],
        Setting.Desert or Setting.City or Setting.Hills or Setting.Field =>
            [Subject.None, Subject.Car, Subject.Car, Subject.Bird, Subject.Balloon, Subject.Ball, Subject.Person, Subject.Train],
        _ => [Subject.None, Subject.Car, Subject.Bird, Subject.Balloon, Subject.Ball, Subject.Person, Subject.Train],
    };

    /// <summary>The motions a subject is capable of.</summary>
    public static IReadOnlyList<SubjectMotion> MotionsOf(Subject subject) => subject switch
    {
        Subject.None => [SubjectMotion.Still],
        Subject.Bird => [SubjectMotion.Left, SubjectMotion.Right],
        Subject.Balloon => [SubjectMotion.Up, SubjectMotion.Up, SubjectMotion.Down, SubjectMotion.Left, SubjectMotion.Right],
        Subject.Ball => [SubjectMotion.Bounce, SubjectMotion.Bounce, SubjectMotion.Left, SubjectMotion.Right],
        _ => [SubjectMotion.Still, SubjectMotion.Left, SubjectMotion.Left, SubjectMotion.Right, SubjectMotion.Right],
    };
}
