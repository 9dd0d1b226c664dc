using System.CommandLine;
using System.CommandLine.Parsing;
using EditorBridge.Timeline;

namespace EditorBridge.Cli.Commands;

/// <summary>--rate, for every command that reads timelines.</summary>
internal static class FrameRateOption
{
    public static readonly Option<FrameRate?> Rate = new("--rate")
    {
        Description = "Frame rate of a timeline that does not tell it (an EDL, an empty .otio), such as 25 or 24000/1001.",
        HelpName = "R",
        CustomParser = Parse,
    };

    private static FrameRate? Parse(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (FrameRate.TryParse(text, out var rate)) return rate;
        result.AddError($"'{text}' is not a frame rate: write it as 24, 23.976 or 24000/1001.");
        return null;
    }
}
