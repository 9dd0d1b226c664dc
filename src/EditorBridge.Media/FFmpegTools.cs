using System.ComponentModel;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using EditorBridge.Timeline;

namespace EditorBridge.Media;

/// <summary>The ffmpeg and ffprobe that this machine has, looked at once.</summary>
public sealed partial class FFmpegTools
{
    /// <summary>The setting that names the folder that holds ffmpeg and ffprobe, or the ffmpeg program itself.</summary>
    public const string Setting = "EDITORBRIDGE_FFMPEG";

    private const string WayOut =
        "install it (Debian and Ubuntu: apt-get install ffmpeg) or name its folder in the environment variable " + Setting;

    private static readonly string[] NeededEncoders = ["libx264", "prores_ks", "dnxhd", "mjpeg", "png"];
    private static readonly SemaphoreSlim Gate = new(1, 1);
    private static FFmpegTools? found;
    private static string? foundFor;

    private FFmpegTools(string ffmpeg, string ffprobe, string versionText, Version version, IReadOnlySet<string> encoders)
    {
        FFmpegPath = ffmpeg;
        FFprobePath = ffprobe;
        VersionText = versionText;
        Version = version;
        Encoders = encoders;
    }

    /// <summary>Full path of the ffmpeg program.</summary>
    public string FFmpegPath { get; }

    /// <summary>Full path of the ffprobe program.</summary>
    public string FFprobePath { get; }

    /// <summary>The version as ffmpeg spells it, such as 5.1.9-0+deb12u1.</summary>
    public string VersionText { get; }

    /// <summary>The leading numbers of the version; 9999.0 for a build from a development branch.</summary>
    public Version Version { get; }

    /// <summary>The encoders this ffmpeg was built with.</summary>
    public IReadOnlySet<string> Encoders { get; }

    // -fps_mode came with 5.1; -vsync is on its way out.
    internal IReadOnlyList<string> PassTimesThrough => Version >= new Version(5, 1) ? ["-fps_mode", "passthrough"] : ["-vsync", "passthrough"];

    /// <summary>Finds the programs: the setting first, then PATH. A success is remembered for the life of the process.</summary>
    public static async Task<Outcome<FFmpegTools>> FindAsync(CancellationToken cancellation = default)
    {
        var setting = Environment.GetEnvironmentVariable(Setting);
        var key = $"{setting}\n{Environment.GetEnvironmentVariable("PATH")}";
        await Gate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (found is not null && foundFor == key) return found;
            var outcome = await FindAsync(setting, Environment.GetEnvironmentVariable("PATH"), cancellation).ConfigureAwait(false);
            if (outcome.TryGet(out var tools, out _)) (found, foundFor) = (tools, key);
            return outcome;
        }
        finally
        {
            Gate.Release();
        }
    }

    internal static async Task<Outcome<FFmpegTools>> FindAsync(string? setting, string? searchPath, CancellationToken cancellation)
    {
        string? ffmpeg, ffprobe;
        if (!string.IsNullOrWhiteSpace(setting))
        {
            var folder = Directory.Exists(setting) ? setting : Path.GetDirectoryName(Path.GetFullPath(setting)) ?? setting;
            ffmpeg = File.Exists(setting) ? Path.GetFullPath(setting) : InFolder(folder, "ffmpeg");
            ffprobe = InFolder(folder, "ffprobe");
            if (ffmpeg is null || ffprobe is null)
                return new Refusal(MediaReasons.ToolMissing, $"{(ffmpeg is null ? "ffmpeg" : "ffprobe")} was not found in '{setting}', which {Setting} names: correct that setting, or remove it to use the ffmpeg on PATH.");
        }
        else
        {
            ffmpeg = OnPath(searchPath, "ffmpeg");
            ffprobe = OnPath(searchPath, "ffprobe");
            if (ffmpeg is null || ffprobe is null)
                return new Refusal(MediaReasons.ToolMissing, $"{(ffmpeg is null ? "ffmpeg" : "ffprobe")} was not found on PATH: {WayOut}.");
        }

        var version = await AskAsync(ffmpeg, ["-version"], cancellation).ConfigureAwait(false);
        if (!version.TryGet(out var versionAnswer, out var refusal)) return refusal;
        var match = VersionLine().Match(versionAnswer);
        if (!match.Success)
            return new Refusal(MediaReasons.ToolMissing, $"'{ffmpeg}' does not answer as ffmpeg does: {WayOut}.");
        var probeVersion = await AskAsync(ffprobe, ["-version"], cancellation).ConfigureAwait(false);
        if (!probeVersion.TryGet(out _, out refusal)) return refusal;
        var numbers = match.Groups["major"].Success
            ? new Version(
                int.Parse(match.Groups["major"].ValueSpan, CultureInfo.InvariantCulture),
                match.Groups["minor"].Success ? int.Parse(match.Groups["minor"].ValueSpan, CultureInfo.InvariantCulture) : 0)
            : new Version(9999, 0);
        if (numbers < new Version(4, 3))
            return new Refusal(MediaReasons.ToolMissing, $"'{ffmpeg}' is version {numbers}; 4.3 or later is needed: {WayOut}.");

        var encoderList = await AskAsync(ffmpeg, ["-hide_banner", "-encoders"], cancellation).ConfigureAwait(false);
        if (!encoderList.TryGet(out var encoderAnswer, out refusal)) return refusal;
        var encoders = EncoderLine().Matches(encoderAnswer).Select(m => m.Groups[1].Value).ToHashSet(StringComparer.Ordinal);
        var missing = NeededEncoders.Where(name => !encoders.Contains(name)).ToArray();
        if (missing.Length > 0)
            return new Refusal(MediaReasons.ToolMissing, $"'{ffmpeg}' was built without {string.Join(", ", missing)}: {WayOut}.");
        return new FFmpegTools(ffmpeg, ffprobe, match.Groups["text"].Value, numbers, encoders);
    }

    private static async Task<Outcome<string>> AskAsync(string program, string[] arguments, CancellationToken cancellation)
    {
        try
        {
            using var process = FFmpegProcess.Start(program, arguments, program, FFmpegProcess.DefaultStallLimit, TimeProvider.System, cancellation);
            process.StandardInput.Close();
            var text = await process.ReadTextAsync().ConfigureAwait(false);
            var exit = await process.WaitAsync().ConfigureAwait(false);
            return exit.Code == 0
                ? text
                : new Refusal(MediaReasons.ToolMissing, $"'{program}' does not run ({exit.Explanation}): {WayOut}.");
        }
        catch (Exception error) when (error is Win32Exception or FileNotFoundException)
        {
            return new Refusal(MediaReasons.ToolMissing, $"'{program}' does not start ({error.Message}): {WayOut}.");
        }
    }

    private static string? OnPath(string? searchPath, string name) =>
        (searchPath ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => InFolder(folder, name)).FirstOrDefault(path => path is not null);

    private static string? InFolder(string folder, string name)
    {
        try
        {
            var path = Path.GetFullPath(Path.Combine(folder, OperatingSystem.IsWindows() ? name + ".exe" : name));
            return File.Exists(path) ? path : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Something to say in a diagnosis: where it is and what version.</summary>
    public override string ToString() => new StringBuilder().Append("ffmpeg ").Append(VersionText).Append(" at ").Append(FFmpegPath).ToString();

    [GeneratedRegex(@"^ffmpeg version (?<text>n?(?:(?<major>\d{1,3})(?:\.(?<minor>\d{1,4}))?)?\S*)", RegexOptions.CultureInvariant)]
    private static partial Regex VersionLine();

    [GeneratedRegex(@"^ [VAS][F.][S.][X.][B.][D.] (\S+)", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex EncoderLine();
}
