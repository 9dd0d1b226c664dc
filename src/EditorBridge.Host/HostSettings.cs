using System.ComponentModel.DataAnnotations;
using System.Text.RegularExpressions;

namespace EditorBridge.Host;

/// <summary>Reads <see cref="HostOptions"/> from where they can be given.</summary>
internal static partial class HostSettings
{
    /// <summary>The options, or what is wrong with them in one sentence.</summary>
    public static (HostOptions? Options, string? Problem) Read(string[] arguments)
    {
        var names = typeof(HostOptions).GetProperties().Select(p => p.Name).ToList();
        var switches = names.ToDictionary(n => "--" + Kebab(n), n => n, StringComparer.OrdinalIgnoreCase);
        // A switch alone is "true": the command-line provider wants a value with each.
        var expanded = new List<string>();
        for (var i = 0; i < arguments.Length; i++)
        {
            expanded.Add(arguments[i]);
            if (!arguments[i].StartsWith("--", StringComparison.Ordinal))
                return (null, $"`{arguments[i]}` is not an option of the host; options are {string.Join(", ", switches.Keys)}.");
            var key = arguments[i].Split('=')[0];
            if (!switches.ContainsKey(key)) return (null, $"`{key}` is not an option of the host; options are {string.Join(", ", switches.Keys)}.");
            if (arguments[i].Contains('=', StringComparison.Ordinal)) continue;
            var hasValue = i + 1 < arguments.Length && !arguments[i + 1].StartsWith("--", StringComparison.Ordinal);
            expanded.Add(hasValue ? arguments[++i] : "true");
        }

        var given = new ConfigurationBuilder()
            .AddEnvironmentVariables("EDITORBRIDGE_HOST__")
            .AddCommandLine([.. expanded], switches)
            .Build();
        var data = given["Data"] ?? Environment.GetEnvironmentVariable("EDITORBRIDGE_DATA");
        if (string.IsNullOrWhiteSpace(data)) data = DefaultDataFolder();
        data = Path.GetFullPath(data);
        try
        {
            var configuration = new ConfigurationBuilder()
                .AddJsonFile(Path.Combine(data, "host.json"), optional: true, reloadOnChange: false)
                .AddConfiguration(given)
                .Build();
            var unknown = configuration.GetChildren().Select(c => c.Key).FirstOrDefault(k => !names.Contains(k, StringComparer.OrdinalIgnoreCase));
            if (unknown is not null) return (null, $"`{unknown}` is not a setting of the host; settings are {string.Join(", ", names)}.");
            var options = configuration.Get<HostOptions>() ?? new HostOptions();
            options.Data = data;
            options.Worker ??= Environment.GetEnvironmentVariable("EDITORBRIDGE_WORKER");
            if (configuration["Hub"] is null && Environment.GetEnvironmentVariable("HF_ENDPOINT") is { Length: > 0 } hub) options.Hub = hub;
            options.HubToken ??= Environment.GetEnvironmentVariable("HF_TOKEN");
            if (options.Detached && configuration["IdleTimeout"] is null) options.IdleTimeout = TimeSpan.FromMinutes(10);
            var problems = new List<ValidationResult>();
            return Validator.TryValidateObject(options, new ValidationContext(options), problems, validateAllProperties: true)
                ? (options, null)
                : (null, "A setting of the host cannot be used: " + string.Join(" ", problems.Select(p => p.ErrorMessage)));
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or InvalidDataException)
        {
            return (null, $"A setting of the host cannot be read: {e.InnerException?.Message ?? e.Message}");
        }
    }

    /// <summary>The folder clients look in as well when nothing else is said.</summary>
    private static string DefaultDataFolder()
    {
        if (OperatingSystem.IsWindows())
            return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "EditorBridge");
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        if (OperatingSystem.IsMacOS()) return Path.Combine(home, "Library", "Application Support", "EditorBridge");
        var state = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        return Path.Combine(Path.IsPathRooted(state) ? state : Path.Combine(home, ".local", "state"), "editorbridge");
    }

    private static string Kebab(string name) => WordStart().Replace(name, "-$0").ToLowerInvariant();

    [GeneratedRegex("(?<!^)[A-Z]")]
    private static partial Regex WordStart();
}
