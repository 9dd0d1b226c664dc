using System.CommandLine;
using EditorBridge.Media;
using EditorBridge.Timeline;
using EditorBridge.Training.Scenes;

namespace EditorBridge.Training;

/// <summary><c>shot</c>: one scene as a film, which the samples and end-to-end tests use as somebody's footage.</summary>
internal static class ShotCommand
{
    public static Command Create()
    {
        var setting = new Option<Setting>("--setting") { DefaultValueFactory = _ => Setting.Hills };
        var time = new Option<TimeOfDay>("--time") { DefaultValueFactory = _ => TimeOfDay.Noon };
        var weather = new Option<Weather>("--weather") { DefaultValueFactory = _ => Weather.Clear };
        var subject = new Option<Subject>("--subject") { DefaultValueFactory = _ => Subject.None };
        var colour = new Option<SubjectColour>("--colour") { DefaultValueFactory = _ => SubjectColour.Red };
        var motion = new Option<SubjectMotion>("--motion") { DefaultValueFactory = _ => SubjectMotion.Still };
        var size = new Option<ShotSize>("--shot-size") { DefaultValueFactory = _ => ShotSize.Wide };
        var camera = new Option<CameraMove>("--camera") { DefaultValueFactory = _ => CameraMove.Static };
        var seed = new Option<ulong>("--seed") { Description = "Decides what the facts leave open.", DefaultValueFactory = _ => 1 };
        var start = new Option<int>("--start") { Description = "First frame, counted from the middle of the action.", DefaultValueFactory = _ => 0 };
        var frames = new Option<int>("--frames") { DefaultValueFactory = _ => 48 };
        var width = new Option<int>("--width") { DefaultValueFactory = _ => 640 };
        var height = new Option<int>("--height") { DefaultValueFactory = _ => 360 };
        var timecode = new Option<string>("--timecode") { DefaultValueFactory = _ => "00:00:00:00" };
        var reel = new Option<string?>("--reel");
        var codec = new Option<ClipCodec>("--codec") { DefaultValueFactory = _ => ClipCodec.H264 };
        var output = new Option<string>("--out") { Description = "Film to write (.mov).", Required = true };
        var command = new Command("shot", "Renders one scene as a film of 24 frames a second.")
        {
            setting, time, weather, subject, colour, motion, size, camera, seed, start, frames, width, height, timecode, reel, codec, output,
        };
        command.SetAction(async (result, cancellation) =>
        {
            var scene = new Scene
            {
                Seed = result.GetValue(seed), Time = result.GetValue(time), Setting = result.GetValue(setting), Weather = result.GetValue(weather),
                Subject = result.GetValue(subject), Colour = result.GetValue(colour), Motion = result.GetValue(motion), Shot = result.GetValue(size),
                Camera = result.GetValue(camera),
            };
            var settings = new ClipSettings
            {
                Codec = result.GetValue(codec), Width = result.GetValue(width), Height = result.GetValue(height), Rate = FrameRate.F24,
                FrameCount = result.GetValue(frames), StartTimecode = result.GetValue(timecode)!, ReelName = result.GetValue(reel),
                DigitalSourceType = "algorithmicMedia",
            };
            return await WriteAsync(scene, settings, result.GetValue(start), result.GetValue(output)!, cancellation) is { } refusal ? Fail(refusal) : 0;
        });
        return command;
    }

    private static async Task<Refusal?> WriteAsync(Scene scene, ClipSettings settings, int start, string path, CancellationToken cancellation)
    {
        if (!(await FFmpegTools.FindAsync(cancellation)).TryGet(out var tools, out var refusal)) return refusal;
        if (!ClipEncoder.Start(tools, settings, path, cancellation).TryGet(out var encoder, out refusal)) return refusal;
        await using (encoder)
        {
            try
            {
                var planes = new float[3 * settings.Width * settings.Height];
                for (int n = 0; n < settings.FrameCount; n++)
                {
                    SceneRenderer.Render(scene, settings.Width, settings.Height, (start + n) / 24.0).CopyTo(planes, settings.Width * settings.Height);
                    using var frame = VideoFrame.FromPlanes(planes, settings.Width, settings.Height);
                    encoder.Write(frame);
                }

                return (await encoder.FinishAsync()).Refusal;
            }
            catch (MediaException error)
            {
                return error.Refusal;
            }
        }
    }

    private static int Fail(Refusal refusal)
    {
        Console.Error.WriteLine(refusal.Message);
        return 1;
    }
}
