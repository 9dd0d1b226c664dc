using EditorBridge.Worker;
using Serilog;

// Standard output belongs to the messages: whatever else would print goes to standard error, which the host logs line by line.
var output = Console.OpenStandardOutput();
Console.SetOut(Console.Error);
Log.Logger = new LoggerConfiguration()
    .WriteTo.Console(standardErrorFromLevel: Serilog.Events.LogEventLevel.Verbose, outputTemplate: "[{Level:u3}] {Message:lj}{NewLine}{Exception}",
        formatProvider: System.Globalization.CultureInfo.InvariantCulture)
    .CreateLogger();
try
{
    if (args is ["--parity", var folder]) return ParityReport.Run(folder, output);
    return new WorkerLoop(Console.OpenStandardInput(), output).Run();
}
finally
{
    Log.CloseAndFlush();
}
