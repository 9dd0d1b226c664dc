using System.Globalization;

namespace EditorBridge.Benchmarks;

/// <summary>How long a press of Generate in the OpenFX plugin takes until its job is queued, in the small host of the plugin's tests, which shows no progress bar and so comes back as soon as that is so.</summary>
internal static class PressBenchmark
{
    private static readonly string Program = Path.Combine("tests", "EditorBridge.Native.Tests", "Programs", "ofx_host.c");

    private static readonly (string Context, string Depth)[] Presses = [("Generator", "byte"), ("Filter", "byte"), ("Filter", "short"), ("Filter", "half"), ("Filter", "float")];

    public static async Task<int> RunAsync(string library, string host, string size, int presses, CancellationToken cancellation)
    {
        if (new[] { library, host, Program }.FirstOrDefault(file => !File.Exists(file)) is { } missing)
        {
            Console.Error.WriteLine($"{missing} is not there: run this in the project's folder, after eng/native.sh and a build of the host.");
            return 1;
        }

        using var folder = new WorkFolder();
        var editor = folder.File("ofx_host");
        await Programs.RunAsync("gcc", ["-std=gnu11", "-O2", "-o", editor, Program, "-ldl", "-lpthread"], Programs.NoEnvironment, cancellation);
        // Jobs are rehearsed: what a worker does with a job that is queued would disturb the next press.
        var environment = new Dictionary<string, string>
        {
            ["EDITORBRIDGE_DATA"] = folder.File("data"), ["EDITORBRIDGE_HOST"] = Path.GetFullPath(host), ["EDITORBRIDGE_HOST__Rehearse"] = "true",
        };
        using var server = Programs.Start(host, [], environment);
        // Nobody reads what it says, which must not stop it.
        _ = Task.WhenAll(server.StandardOutput.BaseStream.CopyToAsync(Stream.Null, cancellation), server.StandardError.BaseStream.CopyToAsync(Stream.Null, cancellation));
        try
        {
            while (!File.Exists(folder.File("data/endpoint.json")) && !server.HasExited)
                await Task.Delay(100, cancellation);
            await PressAsync("Generator", "byte");
            Console.WriteLine("| context | host's pixels | presses | median, first of a process | best | worst | median, second | best | worst | median of the processor, first |\n|---|---|---|---|---|---|---|---|---|---|");
            foreach (var (context, depth) in Presses)
            {
                var times = new List<(Press First, Press Second)>();
                for (var i = 0; i < (presses + 1) / 2; i++)
                    times.Add(await PressAsync(context, depth));
                var (first, second) = (times.Select(time => time.First.Wait).Order().ToList(), times.Select(time => time.Second.Wait).Order().ToList());
                var busy = times.Select(time => time.First.Processor).Order().ToList();
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"| {context} | {depth} | {2 * times.Count} | {Median(first):F0} ms | {first[0]:F0} ms | {first[^1]:F0} ms | {Median(second):F0} ms | {second[0]:F0} ms | {second[^1]:F0} ms | {Median(busy):F0} ms |"));
            }
        }
        finally
        {
            server.Kill(entireProcessTree: true);
            await server.WaitForExitAsync(CancellationToken.None);
        }

        return 0;

        async Task<(Press First, Press Second)> PressAsync(string context, string depth)
        {
            string[] place = context == "Filter" ? ["start=10"] : [];
            string[] press = ["press=generate", "wait-for=job", "press=cancel"];
            var said = await Programs.RunAsync(editor, [library, "run", context, $"size={size}", $"depth={depth}", "no=progress", "prompt=a boat", .. place, "frames=6", .. press, "job=", .. press], environment, cancellation);
            var lines = said.Split('\n');
            var pressed = lines.Where(line => line.StartsWith("pressed generate ", StringComparison.Ordinal)).Select(line => line.Split(' ')).ToList();
            if (lines.Count(line => line.StartsWith("job jobs/", StringComparison.Ordinal)) != 2)
                throw new InvalidOperationException($"The job was not queued: {said}");
            return (Read(pressed[0]), Read(pressed[1]));
        }
    }

    // Without the time the editor takes for its own pictures: "pressed generate ALL ms PICTURES of them the host's own pictures PROCESSOR of the processor ...".
    private static Press Read(string[] words) => new(Number(words[2]) - Number(words[4]), Number(words[11]));

    private static double Number(string word) => double.Parse(word, CultureInfo.InvariantCulture);

    private static double Median(List<double> sorted) => (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;

    private readonly record struct Press(double Wait, double Processor);
}
