using System.Diagnostics;

namespace EditorBridge.Benchmarks;

/// <summary>Programs that are run for a measurement.</summary>
internal static class Programs
{
    /// <summary>What a program wrote.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment, CancellationToken cancellation)
    {
        using var process = Start(program, arguments, environment);
        var errors = process.StandardError.ReadToEndAsync(cancellation);
        var output = await process.StandardOutput.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {output}{await errors}");
    }

    /// <summary>Starts a program whose output is read.</summary>
    public static Process Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(program) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    public static IReadOnlyDictionary<string, string> NoEnvironment { get; } = new Dictionary<string, string>();
}
