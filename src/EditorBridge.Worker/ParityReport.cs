using System.Globalization;
using System.Text.Json;
using EditorBridge.Diffusion.Native;
using EditorBridge.Diffusion.Parity;

namespace EditorBridge.Worker;

/// <summary>Holds the networks against a folder of golden files and says a line of JSON for each.</summary>
internal static class ParityReport
{
    /// <summary>Runs every case.</summary>
    /// <returns>0 when all passed, 1 when one did not or could not be run.</returns>
    public static int Run(string folder, Stream output)
    {
        NativeTorch.Load();
        var failed = false;
        foreach (var name in ParityRun.Cases(folder))
        {
            if (!ParityRun.IsKnown(name))
            {
                Console.Error.WriteLine($"{name} is of no kind that is known here and was left out.");
                continue;
            }

            var result = ParityRun.Run(folder, name);
            failed |= !result.Pass;
            Write(result, output);
        }

        return failed ? 1 : 0;
    }

    private static void Write(ParityResult result, Stream output)
    {
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("case", result.Case);
            json.WritePropertyName("worst");
            json.WriteRawValue(Number(result.Worst));
            json.WritePropertyName("tolerance");
            json.WriteRawValue(Number(result.Tolerance));
            json.WriteBoolean("pass", result.Pass);
            if (result.Problem is { } problem) json.WriteString("problem", problem);
            json.WriteEndObject();
        }

        output.WriteByte((byte)'\n');
        output.Flush();
    }

    private static string Number(double value) =>
        double.IsFinite(value) ? value == 0 ? "0" : value.ToString("0.##e-0", CultureInfo.InvariantCulture) : "null";
}
