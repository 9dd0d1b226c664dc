using System.Globalization;

namespace EditorBridge.Cli.Companion;

/// <summary>Asks in windows for what the command line leaves open.</summary>
internal static class AskedJob
{
    private static readonly (string Word, string Meaning)[] Kinds =
    [
        ("broll", "A new clip over the range, on a free track above"),
        ("extend", "Lengthen the clip at its end"),
        ("fill", "Fill the gap between two shots"),
        ("restyle", "Make the clip anew, on a free track above"),
        ("loop", "Lengthen the clip so that its end leads back into its start"),
        ("still", "One picture, held over the range"),
    ];

    /// <summary>Asks for the kind of job.</summary>
    /// <exception cref="Refused">The window was closed.</exception>
    public static async Task<string> KindAsync(Dialogs dialogs, CancellationToken cancellation) =>
        await dialogs.ChooseAsync("What shall be made?", Kinds, cancellation).ConfigureAwait(false) is { Length: > 0 } kind ? kind : throw Closed();

    /// <summary>Asks for the prompt.</summary>
    /// <exception cref="Refused">The window was closed.</exception>
    public static async Task<string> PromptAsync(Dialogs dialogs, CancellationToken cancellation) =>
        await dialogs.AskAsync("What is to be seen?", "", cancellation).ConfigureAwait(false) ?? throw Closed();

    /// <summary>Asks for a number of frames.</summary>
    /// <exception cref="Refused">The window was closed, or the answer is no number.</exception>
    public static async Task<long> FramesAsync(Dialogs dialogs, long suggestion, CancellationToken cancellation)
    {
        var answer = await dialogs.AskAsync("By how many frames?", suggestion.ToString(CultureInfo.InvariantCulture), cancellation).ConfigureAwait(false) ?? throw Closed();
        return long.TryParse(answer, NumberStyles.None, CultureInfo.InvariantCulture, out var frames) ? frames : throw new Refused("RANGE_EMPTY", $"'{answer}' is not a number of frames.");
    }

    private static Refused Closed() => new("CANCELLED", "Cancelled; nothing was made.");
}
