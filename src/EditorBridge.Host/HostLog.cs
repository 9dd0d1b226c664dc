using System.Globalization;
using Serilog;
using Serilog.Events;
using Serilog.Formatting.Compact;

namespace EditorBridge.Host;

/// <summary>The log: JSON lines in the data folder, a few files of limited size, and readable lines on a terminal. No prompts, no token.</summary>
internal static class HostLog
{
    private const long LargestFile = 8 << 20;
    private const int KeptFiles = 7;

    /// <summary>The logger of this run.</summary>
    public static Serilog.ILogger Create(DataFolder folder, HostOptions options)
    {
        var configuration = new LoggerConfiguration()
            .MinimumLevel.Information()
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .MinimumLevel.Override("Grpc", LogEventLevel.Warning)
            .MinimumLevel.Override("System", LogEventLevel.Warning)
            .Enrich.FromLogContext()
            .WriteTo.File(new RenderedCompactJsonFormatter(), Path.Combine(folder.Log, "host-.log"), rollingInterval: RollingInterval.Day,
                fileSizeLimitBytes: LargestFile, rollOnFileSizeLimit: true, retainedFileCountLimit: KeptFiles, shared: false);
        if (!options.Detached)
        {
            configuration.WriteTo.Console(standardErrorFromLevel: LogEventLevel.Verbose, formatProvider: CultureInfo.InvariantCulture,
                outputTemplate: "{Timestamp:HH:mm:ss} {Level:u3} {Message:lj}{NewLine}{Exception}");
        }

        return configuration.CreateLogger();
    }
}
