using System.Text.Encodings.Web;
using System.Text.Json;

namespace EditorBridge.Cli.Reports;

/// <summary>One JSON object a line on standard output; errors also as one sentence on standard error.</summary>
internal sealed class JsonLinesReport : IReport
{
    private static readonly EventJson Json = new(new JsonSerializerOptions(EventJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private readonly Lock gate = new();

    public void Say(CliEvent happened)
    {
        var line = JsonSerializer.Serialize(happened, Json.CliEvent);
        lock (gate)
        {
            Console.Out.WriteLine(line);
            Console.Out.Flush();
            if (happened is ErrorEvent error) Console.Error.WriteLine(error.Message);
        }
    }

    public void Dispose()
    {
    }
}
